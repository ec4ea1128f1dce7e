"""Alipay: payments on its page, in its app or by QR code, refunds, payouts to Alipay accounts. Yuan only."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

from paymentsite.core.vault.secret import Secret
from wallets.gateways.alipay import notices, words
from wallets.gateways.alipay.line import SECONDS, Line, done, in_beijing
from wallets.gateways.base import Answer, Capability, Order, OrderKind, Outcome, Receipt, Told
from wallets.gateways.network import failed, unknown

URL: Final = "https://openapi.alipay.com/gateway.do"
SANDBOX_URL: Final = "https://openapi-sandbox.dl.alipaydev.com/gateway.do"
PAGE, WAP, QR, ACCOUNT = "alipay", "alipay_wap", "alipay_qr", "alipay_account"
_PAGES: Final = {
    PAGE: ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    WAP: ("alipay.trade.wap.pay", "QUICK_WAP_PAY"),
}
_TRANSFER: Final = {"product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"}
# How long a page can be paid on: after that, a payment that Alipay has not heard of will not come.
PAGE_OPEN: Final = timedelta(minutes=30)
_USER_ID_LENGTH: Final = 16


class Alipay:
    """With ``certificates`` (the app's, Alipay's, and its root's, as PEM) it pays out too; with ``public_key`` not."""

    receipt: Final = Receipt(body="success")

    def __init__(
        self,
        *,
        name: str,
        app_id: str,
        seller_id: str,
        private_key: Secret,
        public_key: str = "",
        certificates: tuple[str, str, str] | None = None,
        sandbox: bool = False,
        url: str = "",
        seconds: float = SECONDS,
    ) -> None:
        if bool(public_key) == bool(certificates):
            raise ImproperlyConfigured("Alipay needs ALIPAY_PUBLIC_KEY, or else its three certificates.")
        self.name = name
        # The ids of Alipay's sandbox begin with these figures.
        self.live = not (sandbox or app_id.startswith("9021"))
        self.capabilities = frozenset(set(Capability) - (set() if certificates else {Capability.PAYOUT}))
        self._app_id, self._seller_id = app_id, seller_id
        self._methods = {*_PAGES, QR, *([ACCOUNT] if certificates else [])}
        self._line = Line(
            app_id=app_id,
            private_key=private_key,
            public_key=public_key,
            certificates=certificates,
            url=url or (SANDBOX_URL if sandbox else URL),
            seconds=seconds,
        )

    def supports(self, *, method: str, currency: str) -> bool:
        return method in self._methods and currency == words.UNIT

    def begin(self, order: Order) -> Answer:
        """Where the member pays: an address, of which Alipay hears when it is opened, or a QR code."""
        if order.amount.unit != words.UNIT:
            return failed("currency_not_supported")
        content = {
            "out_trade_no": order.reference,
            "total_amount": words.text(order.amount),
            "subject": order.subject or order.reference,
        }
        if order.method == QR:
            return done(lambda: self._code(content, order))
        if order.method not in _PAGES:
            return failed("method_not_supported")
        method, product = _PAGES[order.method]
        address = self._line.page(
            method,
            {**content, "product_code": product, "time_expire": in_beijing(PAGE_OPEN)},
            notify_url=order.notify_url,
            return_url=order.return_url,
        )
        return Answer(outcome=Outcome.REQUIRES_ACTION, action_url=address)

    def pay_out(self, order: Order) -> Answer:
        """Send to the Alipay account that ``order.account`` has for its number: a sign-in name, or a user id."""
        if Capability.PAYOUT not in self.capabilities or order.account is None:
            return failed("payout_not_supported")
        if order.amount.unit != words.UNIT:
            return failed("currency_not_supported")
        identity = order.account.number.reveal()
        by_id = identity.isdigit() and len(identity) == _USER_ID_LENGTH and identity.startswith("2088")
        content = {
            **_TRANSFER,
            "out_biz_no": order.reference,
            "trans_amount": words.text(order.amount),
            "order_title": order.subject or order.reference,
            "payee_info": {
                "identity": identity,
                "identity_type": "ALIPAY_USER_ID" if by_id else "ALIPAY_LOGON_ID",
                "name": order.account.holder,
            },
        }
        return done(lambda: self._sent(content))

    def refund(self, order: Order) -> Answer:
        if order.amount.unit != words.UNIT:
            return failed("currency_not_supported")
        content = {
            "out_trade_no": order.original,
            "out_request_no": order.reference,
            "refund_amount": words.text(order.amount),
        }

        def given_back() -> Answer:
            found = self._line.ask("alipay.trade.refund", content)
            if answer := words.refusal(found, asking=False):
                return answer
            if found.get("fund_change") == "Y":
                # ``refund_fee`` is what all refunds of the payment come to, so how much this one moved is not said.
                return Answer(outcome=Outcome.SUCCEEDED, gateway_reference=str(found["trade_no"]))
            # A repetition, or nothing moved yet: its own question tells which.
            return self._refund(order.reference, trade_no="", out_trade_no=order.original)

        return done(given_back)

    def query(self, reference: str, kind: OrderKind, *, gateway_reference: str = "") -> Answer:
        match kind:
            case OrderKind.TOP_UP:
                return done(lambda: self._trade(reference), asking=True)
            case OrderKind.PAYOUT:
                return done(lambda: self._transfer(reference), asking=True)
            case OrderKind.REFUND if gateway_reference:
                return done(lambda: self._refund(reference, trade_no=gateway_reference, out_trade_no=""), asking=True)
        return unknown("payment_not_named")

    def cancel(self, order: Order) -> Answer:
        """Close the trade, if the member has begun to pay; of one that they have not, Alipay knows nothing yet."""

        def closed() -> Answer:
            found = self._line.ask("alipay.trade.close", {"out_trade_no": order.reference})
            if str(found["code"]) != words.DONE:
                return self._trade(order.reference)
            _ours(found, "out_trade_no", order.reference)
            return failed("closed_unpaid", gateway_reference=str(found.get("trade_no") or ""))

        return done(closed, asking=True)

    def read(self, headers: Mapping[str, str], body: bytes) -> Told:  # noqa: ARG002 - Alipay signs the body's fields
        found = notices.verified(body, signed=self._line.signed, app_id=self._app_id, seller_id=self._seller_id)
        return notices.told(found)

    def _code(self, content: dict[str, Any], order: Order) -> Answer:
        found = self._line.ask("alipay.trade.precreate", content, notify_url=order.notify_url)
        if answer := words.refusal(found, asking=False):
            return answer
        _ours(found, "out_trade_no", order.reference)
        return Answer(outcome=Outcome.REQUIRES_ACTION, action_code=str(found["qr_code"]))

    def _sent(self, content: dict[str, Any]) -> Answer:
        found = self._line.ask("alipay.fund.trans.uni.transfer", content)
        if answer := words.refusal(found, asking=False):
            return answer
        _ours(found, "out_biz_no", content["out_biz_no"])
        return words.transfer(found)

    def _trade(self, reference: str) -> Answer:
        found = self._line.ask("alipay.trade.query", {"out_trade_no": reference})
        if answer := words.refusal(found, asking=True):
            return answer
        _ours(found, "out_trade_no", reference)
        return words.trade(found)

    def _transfer(self, reference: str) -> Answer:
        found = self._line.ask("alipay.fund.trans.common.query", {**_TRANSFER, "out_biz_no": reference})
        if answer := words.refusal(found, asking=True):
            return answer
        _ours(found, "out_biz_no", reference)
        return words.transfer(found)

    def _refund(self, reference: str, *, trade_no: str, out_trade_no: str) -> Answer:
        of = {"trade_no": trade_no} if trade_no else {"out_trade_no": out_trade_no}
        found = self._line.ask("alipay.trade.fastpay.refund.query", {**of, "out_request_no": reference})
        if answer := words.refusal(found, asking=True):
            return answer
        if found.get("out_request_no"):
            _ours(found, "out_request_no", reference)
        return words.refund(found)


def _ours(found: Mapping[str, Any], name: str, reference: str) -> None:
    """A signed answer is to some question; that it is to ours only the reference in it says."""
    if found.get(name) != reference:
        raise ValueError("an answer about another order")
