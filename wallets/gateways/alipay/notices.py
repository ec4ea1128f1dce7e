"""Alipay's asynchronous notifications: verified by their signature, then told in the words of our protocol."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from wallets.gateways.alipay import words
from wallets.gateways.alipay.line import BEIJING
from wallets.gateways.base import Answer, NotAuthentic, OrderKind, Outcome, Told
from wallets.gateways.network import UNREADABLE

# It repeats one for 25 hours, with the time of its sending as it was or anew; what is older, somebody kept.
AGE_MAX: Final = timedelta(hours=48)
CHANGED: Final = "alipay.fund.trans.order.changed"

Found = Mapping[str, str]


def verified(body: bytes, *, signed: Callable[[Found, str], bool], app_id: str, seller_id: str) -> Found:
    """The fields of ``body``; raises ``NotAuthentic`` unless Alipay signed them, for us, within the last two days."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise NotAuthentic("no form") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotAuthentic("a field is there twice")
    signature = found.pop("sign", "")
    if not signature or found.get("sign_type") != "RSA2" or not signed(found, signature):
        raise NotAuthentic("not signed by Alipay")

    if found.get("app_id") != app_id or found.get("seller_id", seller_id) != seller_id:
        raise NotAuthentic("for somebody else")
    if not found.get("notify_id") or _age(found) > AGE_MAX:
        raise NotAuthentic("too old, or without a name")
    return found


def told(found: Found) -> Told:
    """What it says."""
    try:
        kind, about, answer = _about(found)
        return Told(
            event_id=found["notify_id"],
            kind=kind,
            about=about,
            answer=answer,
            at=_sent(found),
            safe_body=_safe(found, about),
        )
    except UNREADABLE:
        raise NotAuthentic("nothing that we can read") from None


def _about(found: Found) -> tuple[OrderKind, str | None, Answer | None]:
    if found.get("msg_method") == CHANGED:
        content: dict[str, Any] = json.loads(found["biz_content"])
        return OrderKind.PAYOUT, str(content["out_biz_no"]), words.transfer(content)
    if "trade_status" not in found:
        return OrderKind.TOP_UP, None, None
    if found.get("gmt_refund"):
        # ``refund_fee`` is what all refunds of the payment come to, so how much this one moved is not said.
        done = Answer(outcome=Outcome.SUCCEEDED, gateway_reference=found["trade_no"])
        return OrderKind.REFUND, found.get("out_biz_no") or None, done
    return OrderKind.TOP_UP, found["out_trade_no"], words.trade(found)


def _sent(found: Found) -> datetime:
    if "utc_timestamp" in found:  # messages of the newer kind: milliseconds
        return datetime.fromtimestamp(int(found["utc_timestamp"]) // 1000, BEIJING)
    return datetime.strptime(found["notify_time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)


def _age(found: Found) -> timedelta:
    try:
        return datetime.now(BEIJING) - _sent(found)
    except UNREADABLE:
        raise NotAuthentic("without a time") from None


def _safe(found: Found, about: str | None) -> str:
    """What may be kept: who, what and how much, and nothing of the payer."""
    names = ("notify_id", "notify_type", "notify_time", "msg_method", "trade_no", "out_trade_no", "out_biz_no")
    more = ("trade_status", "total_amount", "refund_fee", "gmt_payment", "gmt_refund", "trans_currency")
    return json.dumps({**{n: found[n] for n in (*names, *more) if n in found}, "reference": about}, sort_keys=True)
