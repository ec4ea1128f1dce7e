"""What may come of a request to Stripe over its package."""

import logging
from collections.abc import Callable

import stripe
from requests.exceptions import ConnectTimeout
from urllib3.exceptions import NewConnectionError

from wallets.gateways.base import Answer
from wallets.gateways.network import UNREADABLE, code, failed, nothing_sent, refused, unknown
from wallets.gateways.stripe.amounts import NotRepresentable

# At INFO and below it logs what it sends and receives.
logging.getLogger("stripe").setLevel(logging.WARNING)
stripe.enable_telemetry = False


def done(act: Callable[[], Answer]) -> Answer:  # noqa: PLR0911 - one line for each end
    """What ``act`` answers; what it raises says whether Stripe may have done something."""
    try:
        return act()
    except NotRepresentable:
        return failed("amount_not_representable")
    except stripe.CardError as error:
        return failed(_declined(error))
    except stripe.IdempotencyError:
        # Something else was asked under this reference before, and may have been done.
        return unknown("reference_conflict")
    except stripe.APIConnectionError as error:
        return (
            failed("not_reached") if nothing_sent(error, ConnectTimeout, NewConnectionError) else unknown("no_answer")
        )
    except stripe.StripeError as error:
        reason = code(error.code or f"http_{error.http_status}")
        return failed(reason) if refused(error.http_status) else unknown(reason)
    except UNREADABLE:
        return unknown("unreadable")


def _declined(error: stripe.CardError) -> str:
    body = error.json_body if isinstance(error.json_body, dict) else {}
    return str(body.get("error", {}).get("decline_code") or error.code or "declined")
