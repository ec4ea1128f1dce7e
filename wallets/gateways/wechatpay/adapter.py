"""WeChat Pay: payments by QR code, in a browser or inside WeChat; refunds; transfers to WeChat. Yuan only."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from wechatpayv3 import WeChatPayType

from paymentsite.core.vault.secret import Secret
from wallets.gateways.base import Answer, Capability, Order, OrderKind, Outcome, Receipt, Told
from wallets.gateways.network import CONNECT_SECONDS, READ_SECONDS, failed
from wallets.gateways.wechatpay import notices, words
from wallets.gateways.wechatpay.line import Client, Line, done

URL: Final = "https://api.mch.weixin.qq.com"
NATIVE, H5, JSAPI, ACCOUNT = "wechat_pay", "wechat_pay_h5", "wechat_pay_jsapi", "wechat_pay_account"
_TYPES: Final = {NATIVE: WeChatPayType.NATIVE, H5: WeChatPayType.H5, JSAPI: WeChatPayType.JSAPI}
# Without which WeChat Pay takes no such order, from ``order.details``.
_NEEDED: Final = {H5: "client_ip", JSAPI: "openid"}
_DESCRIPTION_MAX: Final = 42  # of 127 bytes, at three for a character
_REMARK_MAX: Final = 32

Json = dict[str, Any]
Answered = tuple[int, Any]


class WeChatPay:
    """With ``public_key`` its answers are verified by that, else by certificates that it is asked for.

    It pays out where there is a ``transfer_scene``, with what that scene wants reported: pairs of a kind and a text.
    """

    # Told by its HTTP status alone.
    receipt: Final = Receipt(body='{"code": "SUCCESS"}', content_type="application/json")
    # There is no trial of it: whatever is configured moves money.
    live: Final = True

    def __init__(  # noqa: PLR0913 - what WeChat Pay hands out
        self,
        *,
        name: str,
        mchid: str,
        appid: str,
        private_key: Secret,
        cert_serial: str,
        apiv3_key: Secret,
        public_key: str = "",
        public_key_id: str = "",
        transfer_scene: str = "",
        transfer_report: Mapping[str, str] | None = None,
        url: str = URL,
        timeouts: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
    ) -> None:
        self.name = name
        self.capabilities = frozenset(set(Capability) - (set() if transfer_scene else {Capability.PAYOUT}))
        self._mchid, self._appid = mchid, appid
        self._methods = {*_TYPES, *([ACCOUNT] if transfer_scene else [])}
        self._scene = transfer_scene
        self._report = [{"info_type": kind, "info_content": text} for kind, text in (transfer_report or {}).items()]
        self._line = Line(
            mchid=mchid,
            appid=appid,
            private_key=private_key,
            cert_serial=cert_serial,
            apiv3_key=apiv3_key,
            public_key=public_key,
            public_key_id=public_key_id,
            url=url,
            timeouts=timeouts,
        )

    def supports(self, *, method: str, currency: str) -> bool:
        return method in self._methods and currency == words.UNIT

    def begin(self, order: Order) -> Answer:
        """Order a payment. ``order.details`` has the payer's ``client_ip`` in a browser, ``openid`` inside WeChat."""
        if reason := _lacking(order):
            return failed(reason)
        known = order.details.get(_NEEDED.get(order.method, ""), "")
        more: Json = {}
        if order.method == H5:
            more = {"scene_info": {"payer_client_ip": known, "h5_info": {"type": "Wap"}}}
        elif order.method == JSAPI:
            more = {"payer": {"openid": known}}

        def ordered() -> Answer:
            client = self._line.client
            status, found = _read(
                client.pay(
                    pay_type=_TYPES[order.method],
                    description=(order.subject or order.reference)[:_DESCRIPTION_MAX],
                    out_trade_no=order.reference,
                    amount={"total": words.fen(order.amount), "currency": words.UNIT},
                    notify_url=order.notify_url,
                    **more,
                )
            )
            return words.refusal(status, found) or self._where(client, order.method, found)

        return done(ordered)

    def pay_out(self, order: Order) -> Answer:
        """Transfer to the openid that is ``order.account``'s number; the member confirms it in WeChat."""
        if Capability.PAYOUT not in self.capabilities or order.account is None:
            return failed("payout_not_supported")
        if order.amount.unit != words.UNIT:
            return failed("currency_not_supported")
        account = order.account

        def sent() -> Answer:
            status, found = _read(
                self._line.client.mch_transfer_bills(
                    out_bill_no=order.reference,
                    transfer_scene_id=self._scene,
                    openid=account.number.reveal(),
                    transfer_amount=words.fen(order.amount),
                    transfer_remark=(order.subject or order.reference)[:_REMARK_MAX],
                    user_name=account.holder or None,
                    transfer_scene_report_infos=self._report,
                    notify_url=order.notify_url or None,
                )
            )
            if answer := words.refusal(status, found, transfer=True):
                return answer
            _ours(found, "out_bill_no", order.reference)
            return words.transfer(found)

        return done(sent)

    def refund(self, order: Order) -> Answer:
        """Give back; WeChat Pay wants to hear how much the payment was, so that is asked first."""
        if order.amount.unit != words.UNIT:
            return failed("currency_not_supported")

        def given_back() -> Answer:
            client = self._line.client
            status, payment = _read(client.query(out_trade_no=order.original))
            if answer := words.refusal(status, payment):
                return answer
            _ours(payment, "out_trade_no", order.original)
            status, found = _read(
                client.refund(
                    out_refund_no=order.reference,
                    out_trade_no=order.original,
                    amount={
                        "refund": words.fen(order.amount),
                        "total": words.amount(payment["amount"], "total").minor,
                        "currency": words.UNIT,
                    },
                    notify_url=order.notify_url or None,
                )
            )
            if answer := words.refusal(status, found):
                return answer
            _ours(found, "out_refund_no", order.reference)
            return words.refund(found)

        return done(given_back)

    def query(self, reference: str, kind: OrderKind, *, gateway_reference: str = "") -> Answer:  # noqa: ARG002 - ours is enough
        return done(lambda: self._standing(reference, kind), asking=True)

    def cancel(self, order: Order) -> Answer:
        """Close the order, which WeChat Pay does while it is unpaid."""

        def closed() -> Answer:
            status, found = _read(self._line.client.close(_bare(order.reference)))
            if words.refusal(status, found) is None:
                return failed("closed")
            return self._standing(order.reference, OrderKind.TOP_UP)

        return done(closed, asking=True)

    def read(self, headers: Mapping[str, str], body: bytes) -> Told:
        return notices.told(notices.verified(headers, body, client=lambda: self._line.client, mchid=self._mchid))

    def _standing(self, reference: str, kind: OrderKind) -> Answer:
        ask, name, tell = self._questions()[kind]
        status, found = _read(ask(_bare(reference)))
        if answer := words.refusal(status, found, asking=True):
            return answer
        _ours(found, name, reference)
        return tell(found)

    def _questions(self) -> dict[OrderKind, tuple[Callable[[str], Answered], str, Callable[[Json], Answer]]]:
        return {
            OrderKind.TOP_UP: (
                lambda one: self._line.client.query(out_trade_no=one),
                "out_trade_no",
                words.transaction,
            ),
            OrderKind.REFUND: (
                lambda one: self._line.client.query_refund(out_refund_no=one),
                "out_refund_no",
                words.refund,
            ),
            OrderKind.PAYOUT: (
                lambda one: self._line.client.mch_transfer_bills_query(out_bill_no=one),
                "out_bill_no",
                words.transfer,
            ),
        }

    def _where(self, client: Client, method: str, found: Json) -> Answer:
        """Where the member pays what has been ordered."""
        if method == NATIVE:
            return Answer(outcome=Outcome.REQUIRES_ACTION, action_code=str(found["code_url"]))
        if method == H5:
            return Answer(outcome=Outcome.REQUIRES_ACTION, action_url=str(found["h5_url"]))
        return Answer(outcome=Outcome.REQUIRES_ACTION, action_code=self._call(client, str(found["prepay_id"])))

    def _call(self, client: Client, prepay_id: str) -> str:
        """What a page inside WeChat passes to ``WeixinJSBridge``, signed."""
        stamp, nonce, package = str(int(time.time())), uuid.uuid4().hex, f"prepay_id={prepay_id}"
        signature = client.sign([self._appid, stamp, nonce, package])
        call = {"appId": self._appid, "timeStamp": stamp, "nonceStr": nonce, "package": package}
        return json.dumps({**call, "signType": "RSA", "paySign": signature})


def _lacking(order: Order) -> str:
    """Why such an order is not even sent; nothing where it is."""
    if order.amount.unit != words.UNIT:
        return "currency_not_supported"
    if order.method not in _TYPES:
        return "method_not_supported"
    if not order.notify_url:
        return "notify_url_missing"
    needed = _NEEDED.get(order.method)
    return f"{needed}_missing" if needed and not order.details.get(needed) else ""


def _read(answered: Answered) -> tuple[int, Json]:
    status, text = answered
    try:
        found = json.loads(text)
    except ValueError:
        found = {}
    return status, found if isinstance(found, dict) else {}


def _bare(reference: str) -> str:
    """``reference``, which goes into an address."""
    if not (reference.isascii() and reference.isalnum()):
        raise ValueError("a reference is letters and digits")
    return reference


def _ours(found: Mapping[str, Any], name: str, reference: str) -> None:
    """A signed answer is to some question; that it is to ours only the reference in it says."""
    if found.get(name) != reference:
        raise ValueError("an answer about another order")
