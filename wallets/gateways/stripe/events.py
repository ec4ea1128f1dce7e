"""Stripe's webhooks: verified by their signature, then told in the words of our protocol."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import stripe

from paymentsite.core.vault.secret import Secret
from wallets.gateways.base import Answer, NotAuthentic, OrderKind, Told
from wallets.gateways.network import UNREADABLE, failed
from wallets.gateways.stripe import objects

TOLERANCE_SECONDS: Final = 300
WITHDRAWN: Final = "charge.dispute.funds_withdrawn"

_TOLD: Final[dict[str, tuple[OrderKind, Callable[[objects.Json], Answer]]]] = {
    "payment_intent": (OrderKind.TOP_UP, objects.intent),
    "checkout.session": (OrderKind.TOP_UP, objects.session),
    "refund": (OrderKind.REFUND, objects.refund),
    "transfer": (OrderKind.PAYOUT, objects.transfer),
}


def verified(signature: str | None, body: bytes, *, secret: Secret, live: bool) -> dict[str, Any]:
    """The event in ``body``; raises ``NotAuthentic`` unless Stripe signed it for us within the last five minutes."""
    try:
        event = stripe.Webhook.construct_event(body, signature, secret.reveal(), tolerance=TOLERANCE_SECONDS).to_dict()
    except (stripe.SignatureVerificationError, *UNREADABLE):
        # Without its cause, which quotes the whole message.
        raise NotAuthentic("not signed by Stripe, or too old") from None
    if event.get("livemode") is not live:
        raise NotAuthentic("a test's event for a live account, or the other way round")
    return dict(event)


def told(event: Mapping[str, Any], *, reference_of: Callable[[str], str | None]) -> Told:
    """What ``event`` says. A charge-back names only the payment: ``reference_of`` asks Stripe whose that is."""
    try:
        about, kind, answer = _about(event, reference_of)
        found = event["data"]["object"]
        return Told(
            event_id=str(event["id"]),
            kind=kind,
            about=about,
            answer=answer,
            at=datetime.fromtimestamp(event["created"], UTC),
            safe_body=_safe(event, found, about),
        )
    except stripe.StripeError:
        raise NotAuthentic("whose payment it is cannot be asked now; Stripe will tell it again") from None
    except UNREADABLE:
        raise NotAuthentic("no event that we can read") from None


def _about(
    event: Mapping[str, Any], reference_of: Callable[[str], str | None]
) -> tuple[str | None, OrderKind, Answer | None]:
    found = event["data"]["object"]
    if event["type"] == WITHDRAWN and found.get("payment_intent"):
        return reference_of(str(found["payment_intent"])), OrderKind.TOP_UP, objects.dispute(found)
    if found["object"] not in _TOLD or objects.reference(found) is None:
        return None, OrderKind.TOP_UP, None

    kind, tell = _TOLD[found["object"]]
    if event["type"] == "checkout.session.async_payment_failed":
        return objects.reference(found), kind, failed("declined", gateway_reference=str(found["id"]))
    return objects.reference(found), kind, tell(found)


def _safe(event: Mapping[str, Any], found: Mapping[str, Any], about: str | None) -> str:
    """What may be kept: who, what and how much, and nothing of the payer."""
    kept = {name: event.get(name) for name in ("id", "type", "created", "livemode", "api_version")}
    names = ("id", "object", "status", "amount", "amount_received", "amount_total", "currency", "payment_intent")
    kept["object"] = {name: found[name] for name in names if name in found}
    return json.dumps({**kept, "reference": about}, sort_keys=True)
