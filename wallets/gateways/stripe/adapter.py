"""Stripe: cards in (directly, or on Stripe's own page), refunds, and payouts to connected accounts.

Each request that does something carries our reference as its Idempotency-Key, so a repetition is answered with the
first answer, and in its metadata, so that it can be found again.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import stripe
from django.core.exceptions import ImproperlyConfigured

from paymentsite.core.vault.secret import Secret
from wallets.gateways.base import Answer, Capability, Order, OrderKind, Outcome, Receipt, Told
from wallets.gateways.network import ABSENT, CONNECT_SECONDS, READ_SECONDS, failed, unknown
from wallets.gateways.stripe import events, objects
from wallets.gateways.stripe.amounts import supported, to_stripe
from wallets.gateways.stripe.line import done

API_URL: Final = "https://api.stripe.com"
CARD: Final = "card"
CONNECTED_ACCOUNT: Final = "stripe_account"
_LOCALES: Final = {"en": "en", "zh-hans": "zh"}
_LISTED: Final = 100

Json = dict[str, Any]


class Stripe:
    """``raw_cards`` says that Stripe lets this account send card numbers; ``connect``, that it pays connected ones."""

    receipt: Final = Receipt()

    def __init__(
        self,
        *,
        name: str,
        key: Secret,
        webhook_secret: Secret,
        currencies: Collection[str] = ("EUR", "GBP", "USD"),
        connect: bool = False,
        raw_cards: bool = False,
        api_url: str = API_URL,
        timeouts: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
    ) -> None:
        self.name = name
        if not key.reveal().startswith(("sk_live_", "rk_live_", "sk_test_", "rk_test_")):
            raise ImproperlyConfigured(
                "STRIPE_SECRET_KEY is no secret key of Stripe's: sk_live_…, rk_live_…, sk_test_…."
            )
        if not webhook_secret.reveal().startswith("whsec_"):
            raise ImproperlyConfigured("STRIPE_WEBHOOK_SECRET is no signing secret of a webhook: whsec_….")
        if strange := sorted(unit for unit in currencies if not supported(unit)):
            raise ImproperlyConfigured(f"STRIPE_CURRENCIES names what Stripe does not know: {', '.join(strange)}.")

        self.live = key.reveal().startswith(("sk_live_", "rk_live_"))
        self.capabilities = frozenset(set(Capability) - (set() if connect else {Capability.PAYOUT}))
        self._currencies = frozenset(currencies)
        self._methods = {CARD, CONNECTED_ACCOUNT} if connect else {CARD}
        self._raw_cards = raw_cards
        self._webhook_secret = webhook_secret
        # It never repeats by itself: what is unknown is asked about, by the janitor.
        self._client = stripe.StripeClient(
            key.reveal(),
            base_addresses={"api": api_url},
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=timeouts),
        )

    def supports(self, *, method: str, currency: str) -> bool:
        return method in self._methods and currency in self._currencies

    def begin(self, order: Order) -> Answer:
        """Take money in: by a saved card or Stripe's token of one, else on Stripe's own page."""
        token = order.details.get("payment_method", "")
        if token or (order.card and self._raw_cards):
            return done(lambda: self._confirmed(order, token))
        return done(lambda: self._page(order)) if order.return_url else failed("return_url_missing")

    def pay_out(self, order: Order) -> Answer:
        """Move money into the connected account ``acct_…`` that ``order.account`` has for its number."""
        if Capability.PAYOUT not in self.capabilities or order.account is None:
            return failed("payout_not_supported")
        account = order.account.number.reveal()
        if not account.startswith("acct_"):
            return failed("no_connected_account")

        def moved() -> Answer:
            return objects.transfer(
                self._post(
                    self._client.v1.transfers.create,
                    order,
                    {"destination": account, "transfer_group": order.reference, **_amount(order)},
                )
            )

        return done(moved)

    def refund(self, order: Order) -> Answer:
        """Give back; Stripe takes the currency from the payment, so that is looked at first."""

        def given_back() -> Answer:
            intent = self._intent(order.original, order.gateway_reference)
            if intent is None:
                return failed("original_absent")
            amount = _amount(order)
            if intent["currency"] != amount["currency"]:
                return failed("currency_differs")
            asked = {"payment_intent": intent["id"], "amount": amount["amount"]}
            return objects.refund(self._post(self._client.v1.refunds.create, order, asked))

        return done(given_back)

    def query(self, reference: str, kind: OrderKind, *, gateway_reference: str = "") -> Answer:
        asked = {
            OrderKind.TOP_UP: self._top_up,
            OrderKind.REFUND: self._refund,
            OrderKind.PAYOUT: self._payout,
        }[kind]
        return _of_the_order(done(lambda: asked(reference, gateway_reference)))

    def cancel(self, order: Order) -> Answer:
        """Expire the page, or cancel the intent whose member was asked to act."""

        def taken_back() -> Answer:
            try:
                return self._taken_back(order)
            except stripe.InvalidRequestError:
                # It stands otherwise than it did a moment ago.
                return self._top_up(order.reference, order.gateway_reference)

        return _of_the_order(done(taken_back))

    def read(self, headers: Mapping[str, str], body: bytes) -> Told:
        event = events.verified(headers.get("stripe-signature"), body, secret=self._webhook_secret, live=self.live)
        return events.told(event, reference_of=self._reference_of)

    def _confirmed(self, order: Order, token: str) -> Answer:
        paid_by: Json = {"payment_method": token} if token else {"payment_method_data": _card(order)}
        asked = {
            "confirm": True,
            "payment_method_types": ["card"],
            "description": order.subject or order.reference,
            **({"return_url": order.return_url} if order.return_url else {}),
            **paid_by,
            **_amount(order),
        }
        return objects.intent(self._post(self._client.v1.payment_intents.create, order, asked))

    def _page(self, order: Order) -> Answer:
        amount = _amount(order)
        asked = {
            "mode": "payment",
            "client_reference_id": order.reference,
            "payment_method_types": ["card"],
            # Else Stripe may take another currency than ours.
            "adaptive_pricing": {"enabled": False},
            "payment_intent_data": {"metadata": {objects.REFERENCE: order.reference, objects.HOSTED: "1"}},
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": amount["currency"],
                        "unit_amount": amount["amount"],
                        "product_data": {"name": order.subject or order.reference},
                    },
                }
            ],
            "locale": _LOCALES.get(order.language, "auto"),
            "success_url": order.return_url,
            "cancel_url": order.return_url,
        }
        return objects.session(self._post(self._client.v1.checkout.sessions.create, order, asked))

    def _top_up(self, reference: str, gateway_reference: str) -> Answer:
        if gateway_reference.startswith("cs_"):
            return objects.session(_ours(self._client.v1.checkout.sessions.retrieve(gateway_reference), reference))
        intent = self._intent(reference, gateway_reference)
        return objects.intent(intent) if intent else ABSENT

    def _taken_back(self, order: Order) -> Answer:
        standing, page = self._top_up(order.reference, order.gateway_reference), order.gateway_reference
        if standing.outcome != Outcome.REQUIRES_ACTION:
            return standing
        if not page.startswith("cs_"):
            intent = self._intent(order.reference, page) or {}
            if not objects.hosted(intent):
                return objects.intent(_plain(self._client.v1.payment_intents.cancel(intent["id"])))
            # Stripe cancels no intent of a page: the page ends, and its intent with it.
            page = self._client.v1.checkout.sessions.list({"payment_intent": intent["id"], "limit": 1}).data[0].id
        return objects.session(_plain(self._client.v1.checkout.sessions.expire(page)))

    def _refund(self, reference: str, gateway_reference: str) -> Answer:
        """By its own name, else among the refunds of the payment, else among the latest of all."""
        if gateway_reference.startswith(("re_", "pyr_")):
            return objects.refund(_ours(self._client.v1.refunds.retrieve(gateway_reference), reference))
        among: Json = {"limit": _LISTED}
        if gateway_reference.startswith("cs_"):
            page = _plain(self._client.v1.checkout.sessions.retrieve(gateway_reference))
            gateway_reference = str(page.get("payment_intent") or "")
        if gateway_reference.startswith("pi_"):
            among["payment_intent"] = gateway_reference
        page = _plain(self._client.v1.refunds.list(among))  # type: ignore[arg-type]  # a TypedDict by its content
        for found in page["data"]:
            if objects.reference(found) == reference:
                return objects.refund(found)
        return unknown("not_among_the_latest") if page["has_more"] else ABSENT

    def _payout(self, reference: str, _gateway_reference: str) -> Answer:
        found = self._client.v1.transfers.list({"transfer_group": reference, "limit": 1}).data
        return objects.transfer(_ours(found[0], reference)) if found else ABSENT

    def _intent(self, reference: str, gateway_reference: str) -> Json | None:
        """The PaymentIntent of a top-up: by name, through the page that it was paid on, else by our reference."""
        if gateway_reference.startswith("cs_"):
            page = _plain(self._client.v1.checkout.sessions.retrieve(gateway_reference))
            gateway_reference = str(page.get("payment_intent") or "")
        if gateway_reference.startswith("pi_"):
            return _ours(self._client.v1.payment_intents.retrieve(gateway_reference), reference)
        by = f"metadata['{objects.REFERENCE}']:'{_bare(reference)}'"
        found = self._client.v1.payment_intents.search({"query": by, "limit": 1}).data
        return _ours(found[0], reference) if found else None

    def _reference_of(self, intent: str) -> str | None:
        return objects.reference(_plain(self._client.v1.payment_intents.retrieve(intent)))

    @staticmethod
    def _post(call: Callable[..., Any], order: Order, asked: Json) -> Json:
        return _plain(
            call(
                {**asked, "metadata": {objects.REFERENCE: order.reference}},
                {"idempotency_key": order.reference},
            )
        )


def _of_the_order(answer: Answer) -> Answer:
    """``answer`` to a question: that the question was refused says nothing about the order."""
    refused_to_say = answer.outcome == Outcome.FAILED and not answer.gateway_reference
    return unknown(answer.reason) if refused_to_say else answer


def _amount(order: Order) -> Json:
    return {"amount": to_stripe(order.amount), "currency": order.amount.unit.lower()}


def _card(order: Order) -> Json:
    if order.card is None:
        raise ValueError("no card")
    return {
        "type": "card",
        "card": {
            "number": order.card.number.reveal(),
            "exp_month": order.card.expires_on.month,
            "exp_year": order.card.expires_on.year,
        },
        "billing_details": {"name": order.card.holder},
    }


def _bare(reference: str) -> str:
    """``reference``, which goes into a question between quotes."""
    if not (reference.isascii() and reference.isalnum()):
        raise ValueError("a reference is letters and digits")
    return reference


def _ours(found: Any, reference: str) -> Json:
    """What Stripe has found, when it is the order's under ``reference``."""
    if objects.reference(_plain(found)) != reference:
        raise ValueError("it belongs to another order")
    return _plain(found)


def _plain(found: Any) -> Json:
    """Stripe's object as the JSON that it came in."""
    return dict(found.to_dict())
