"""What WeChat Pay's answers say, in the words of our protocol. Pure: from JSON to ``Answer``."""

from collections.abc import Mapping
from typing import Any, Final

from paymentsite.core.money import Money
from wallets.gateways.base import Answer, Outcome
from wallets.gateways.network import ABSENT, code, failed, refused, unknown

UNIT: Final = "CNY"
# Though they come with a 4xx: the order stands already, or may.
DOUBTFUL: Final = {
    "ALREADY_EXISTS",
    "BANK_ERROR",
    "FREQUENCY_LIMITED",
    "FREQUENCY_LIMIT_EXCEED",
    "ORDERPAID",
    "ORDER_PAID",
    "OUT_TRADE_NO_USED",
    "RATELIMIT_EXCEEDED",
    "SYSTEM_ERROR",
    "TRADE_ERROR",
    "USERPAYING",
    "USER_PAYING",
}
# Of a transfer WeChat Pay says that an error tells of the request, not of the order; only these came before any order.
BEFORE_A_TRANSFER: Final = {"APPID_MCHID_NOT_MATCH", "MCH_NOT_EXISTS", "NO_AUTH", "PARAM_ERROR", "SIGN_ERROR"}
NOT_EXISTING: Final = {"NOT_FOUND", "ORDERNOTEXIST", "ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS"}
_OK: Final = range(200, 300)
_MISSING: Final = 404

Json = Mapping[str, Any]


def fen(money: Money) -> int:
    if money.unit != UNIT or money.minor <= 0:
        raise ValueError("WeChat Pay moves yuan")
    return money.minor


def amount(found: Json, name: str) -> Money:
    """``found[name]`` in the currency beside it; fen where there is none."""
    if type(found[name]) is not int:
        raise ValueError("an amount is a whole number")
    return Money(found[name], str(found.get("currency") or UNIT))


def refusal(status: int, found: Json, *, asking: bool = False, transfer: bool = False) -> Answer | None:
    """What an answer other than a success says; None for a success. Asking about an order never fails it."""
    if status in _OK:
        return None
    reason = code(found.get("code") or f"http_{status}")
    if asking:
        return ABSENT if status == _MISSING and reason in NOT_EXISTING else unknown(reason)
    sure = reason in BEFORE_A_TRANSFER if transfer else reason not in DOUBTFUL
    return failed(reason) if refused(status) and sure else unknown(reason)


def transaction(found: Json) -> Answer:
    """How a payment to us stands, in an answer or in a notification."""
    name = str(found.get("transaction_id") or "")
    match found["trade_state"]:
        case "SUCCESS":
            return Answer(outcome=Outcome.SUCCEEDED, gateway_reference=name, amount=amount(found["amount"], "total"))
        case "NOTPAY":
            return Answer(outcome=Outcome.REQUIRES_ACTION, gateway_reference=name)
        case "USERPAYING" | "ACCEPT":
            return Answer(outcome=Outcome.PENDING, gateway_reference=name)
        case "CLOSED" | "REVOKED" | "PAYERROR":
            return failed(found["trade_state"].lower(), gateway_reference=name)
        case "REFUND":
            # Paid, and something was given back since, though we gave back nothing of a payment that we did not know.
            return unknown("refunded_since", gateway_reference=name)
    return unknown("strange_status", gateway_reference=name)


def refund(found: Json) -> Answer:
    """How a refund stands; an answer and a notification name the status differently."""
    name = str(found.get("refund_id") or "")
    match found.get("status") or found["refund_status"]:
        case "SUCCESS":
            return Answer(outcome=Outcome.SUCCEEDED, gateway_reference=name, amount=amount(found["amount"], "refund"))
        case "PROCESSING":
            return Answer(outcome=Outcome.PENDING, gateway_reference=name)
        case "CLOSED":
            return failed("closed", gateway_reference=name)
        case "ABNORMAL":
            # The member's bank would not take it: it waits at WeChat Pay for somebody to say where it goes.
            return unknown("abnormal", gateway_reference=name)
    return unknown("strange_status", gateway_reference=name)


def transfer(found: Json) -> Answer:
    """How a payout stands. Before it moves, the member confirms in WeChat, by what ``package_info`` carries."""
    name = str(found.get("transfer_bill_no") or "")
    moved = amount(found, "transfer_amount") if "transfer_amount" in found else None
    match found["state"]:
        case "SUCCESS":
            return Answer(outcome=Outcome.SUCCEEDED, gateway_reference=name, amount=moved)
        case "WAIT_USER_CONFIRM":
            return Answer(
                outcome=Outcome.REQUIRES_ACTION,
                gateway_reference=name,
                action_code=str(found.get("package_info") or ""),
            )
        case "ACCEPTED" | "PROCESSING" | "TRANSFERING" | "CANCELING":
            return Answer(outcome=Outcome.PENDING, gateway_reference=name)
        case "FAIL" | "CANCELLED":
            return failed(str(found.get("fail_reason") or found["state"].lower()), gateway_reference=name)
    return unknown("strange_status", gateway_reference=name)
