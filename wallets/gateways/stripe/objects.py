"""What Stripe's objects say, in the words of our protocol. Pure: from JSON to ``Answer``."""

from collections.abc import Mapping
from typing import Any, Final

from wallets.gateways.base import Answer, Outcome
from wallets.gateways.network import code, failed, unknown
from wallets.gateways.stripe.amounts import from_stripe

# The key of metadata under which each object carries our reference.
REFERENCE: Final = "reference"
# Set on an intent whose member pays on Stripe's page: there a declined card is not the end.
HOSTED: Final = "hosted"

Json = Mapping[str, Any]


def reference(found: Json) -> str | None:
    """Our reference, where the object is one of ours."""
    given = (found.get("metadata") or {}).get(REFERENCE)
    return given if isinstance(given, str) and given else None


def intent(found: Json) -> Answer:  # noqa: PLR0911 - one line for each state
    """How a PaymentIntent stands."""
    name = str(found["id"])
    match found["status"]:
        case "succeeded":
            return Answer(
                outcome=Outcome.SUCCEEDED,
                gateway_reference=name,
                amount=from_stripe(found["amount_received"], found["currency"]),
            )
        case "requires_action":
            return Answer(outcome=Outcome.REQUIRES_ACTION, gateway_reference=name, action_url=_redirect(found))
        case "canceled":
            return failed(str(found.get("cancellation_reason") or "canceled"), gateway_reference=name)
        case "requires_payment_method" if hosted(found):
            return Answer(outcome=Outcome.REQUIRES_ACTION, gateway_reference=name)
        case "requires_payment_method":
            return failed(_why(found), gateway_reference=name)
        case "processing" | "requires_capture" | "requires_confirmation":
            return Answer(outcome=Outcome.PENDING, gateway_reference=name)
    return unknown("strange_status", gateway_reference=name)


def session(found: Json) -> Answer:
    """How a Checkout Session, Stripe's own payment page, stands."""
    name = str(found.get("payment_intent") or found["id"])
    match found["status"], found["payment_status"]:
        case "complete", "paid":
            return Answer(
                outcome=Outcome.SUCCEEDED,
                gateway_reference=name,
                amount=from_stripe(found["amount_total"], found["currency"]),
            )
        case "complete", _:
            return Answer(outcome=Outcome.PENDING, gateway_reference=name)
        case "expired", _:
            return failed("expired", gateway_reference=name)
        case "open", _:
            return Answer(outcome=Outcome.REQUIRES_ACTION, gateway_reference=name, action_url=str(found["url"]))
    return unknown("strange_status", gateway_reference=name)


def refund(found: Json) -> Answer:
    """How a Refund stands. One that failed after it had succeeded gave nothing back in the end."""
    name = str(found["id"])
    match found["status"]:
        case "succeeded":
            return Answer(
                outcome=Outcome.SUCCEEDED,
                gateway_reference=name,
                amount=from_stripe(found["amount"], found["currency"]),
            )
        case "pending" | "requires_action":
            return Answer(outcome=Outcome.PENDING, gateway_reference=name)
        case "failed" | "canceled":
            return failed(str(found.get("failure_reason") or found["status"]), gateway_reference=name)
    return unknown("strange_status", gateway_reference=name)


def transfer(found: Json) -> Answer:
    """How a Transfer to a connected account stands: done at once, unless it was reversed since."""
    name, amount = str(found["id"]), from_stripe(found["amount"], found["currency"])
    if found["reversed"]:
        return Answer(outcome=Outcome.RETURNED, gateway_reference=name, amount=amount, reason="reversed")
    if found.get("amount_reversed"):
        return unknown("partly_reversed", gateway_reference=name)
    return Answer(outcome=Outcome.SUCCEEDED, gateway_reference=name, amount=amount)


def dispute(found: Json) -> Answer:
    """A charge-back for which Stripe has taken the money."""
    return Answer(
        outcome=Outcome.RETURNED,
        gateway_reference=str(found["payment_intent"]),
        amount=from_stripe(found["amount"], found["currency"]),
        reason=code(found.get("reason")),
    )


def hosted(found: Json) -> bool:
    """Whether the member pays it on Stripe's page."""
    return bool((found.get("metadata") or {}).get(HOSTED))


def _redirect(found: Json) -> str:
    action = found.get("next_action") or {}
    return str((action.get("redirect_to_url") or {}).get("url") or "")


def _why(found: Json) -> str:
    error = found.get("last_payment_error") or {}
    return str(error.get("decline_code") or error.get("code") or "declined")
