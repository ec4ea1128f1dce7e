"""What Alipay's answers say, in the words of our protocol. Pure: from JSON to ``Answer``."""

from collections.abc import Mapping
from typing import Any, Final

from paymentsite.core.money import Money
from paymentsite.core.units import decimal_text
from wallets.gateways.base import Answer, Outcome
from wallets.gateways.network import ABSENT, code, failed, unknown

UNIT: Final = "CNY"
DONE: Final = "10000"
UNDER_WAY: Final = "10003"
# Refused at the door: a missing right, a missing or a wrong parameter. 20000, "not available now", is none of these.
AT_THE_DOOR: Final = {"20001", "40001", "40002", "40003", "40006"}
# Of "business failed" (40004) only these surely did nothing: many others mean "ask", and so do unheard-of ones.
DID_NOTHING: Final = {
    "ACQ.ACCESS_FORBIDDEN",
    "ACQ.BUYER_SELLER_EQUAL",
    "ACQ.EXIST_FORBIDDEN_WORD",
    "ACQ.INVALID_PARAMETER",
    "ACQ.NOT_ALLOW_PARTIAL_REFUND",
    "ACQ.PARTNER_ERROR",
    "ACQ.REASON_TRADE_BEEN_FREEZEN",
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
    "ACQ.SELLER_BALANCE_NOT_ENOUGH",
    "ACQ.TOTAL_FEE_EXCEED",
    "ACQ.TRADE_NOT_ALLOW_REFUND",
    "ACQ.TRADE_NOT_EXIST",
    "ACQ.TRADE_STATUS_ERROR",
    "EXCEED_LIMIT_DM_MAX_AMOUNT",
    "EXCEED_LIMIT_MM_MAX_AMOUNT",
    "EXCEED_LIMIT_SM_AMOUNT",
    "EXCEED_LIMIT_SM_MIN_AMOUNT",
    "INVALID_PARAMETER",
    "PAYEE_ACCOUNT_STATUS_ERROR",
    "PAYEE_NOT_EXIST",
    "PAYEE_USER_INFO_ERROR",
    "PAYER_BALANCE_NOT_ENOUGH",
    "PERMIT_CHECK_PERM_LIMITED",
}
NOT_EXISTING: Final = {"ACQ.TRADE_NOT_EXIST", "ORDER_NOT_EXIST"}

Json = Mapping[str, Any]


def text(money: Money) -> str:
    """The amount as Alipay writes it: yuan with a point and two decimals."""
    if money.unit != UNIT or money.minor <= 0:
        raise ValueError("Alipay moves yuan")
    return decimal_text(money.minor, 2)


def amount(found: Json, name: str, *, currency: str = "trans_currency") -> Money:
    return Money.parse(found[name], str(found.get(currency) or UNIT))


def refusal(found: Json, *, asking: bool) -> Answer | None:
    """What an answer without the thing asked for says; None where it has it. Asking about an order never fails it."""
    given, detail = str(found["code"]), str(found.get("sub_code") or found["code"])
    if given == DONE:
        return None
    if given == UNDER_WAY:
        return Answer(outcome=Outcome.PENDING)
    if asking:
        return ABSENT if detail in NOT_EXISTING else unknown(detail)
    if detail.startswith(("isp.", "aop.")):  # "unknown error, try again"
        return unknown(detail)
    return failed(detail) if given in AT_THE_DOOR or detail in DID_NOTHING else unknown(detail)


def trade(found: Json) -> Answer:
    """How a payment to us stands, in an answer or in a notification."""
    name = str(found.get("trade_no") or "")
    match found["trade_status"]:
        case "TRADE_SUCCESS" | "TRADE_FINISHED":
            return Answer(outcome=Outcome.SUCCEEDED, gateway_reference=name, amount=amount(found, "total_amount"))
        case "WAIT_BUYER_PAY":
            return Answer(outcome=Outcome.REQUIRES_ACTION, gateway_reference=name)
        case "TRADE_CLOSED" if found.get("send_pay_date") or found.get("gmt_payment"):
            return Answer(
                outcome=Outcome.RETURNED,
                gateway_reference=name,
                amount=amount(found, "total_amount"),
                reason="refunded_whole",
            )
        case "TRADE_CLOSED":
            return failed("closed_unpaid", gateway_reference=name)
    return unknown("strange_status", gateway_reference=name)


def refund(found: Json) -> Answer:
    """How a refund stands. Without its number in the answer Alipay has not heard of it."""
    if not found.get("out_request_no"):
        return ABSENT
    name = str(found.get("trade_no") or "")
    if found.get("refund_status") != "REFUND_SUCCESS":
        return Answer(outcome=Outcome.PENDING, gateway_reference=name)
    return Answer(outcome=Outcome.SUCCEEDED, gateway_reference=name, amount=amount(found, "refund_amount"))


def transfer(found: Json) -> Answer:
    """How a payout stands."""
    name = str(found.get("order_id") or "")
    moved = amount(found, "trans_amount") if found.get("trans_amount") else None
    match found["status"]:
        case "SUCCESS":
            return Answer(outcome=Outcome.SUCCEEDED, gateway_reference=name, amount=moved)
        case "REFUND":
            return Answer(outcome=Outcome.RETURNED, gateway_reference=name, amount=moved, reason="returned")
        case "FAIL" | "CLOSED":
            return failed(str(found.get("error_code") or "failed"), gateway_reference=name)
        case "DEALING" | "WAIT_PAY" | "INIT":
            return Answer(outcome=Outcome.PENDING, gateway_reference=name)
    return unknown(code(found["status"]), gateway_reference=name)
