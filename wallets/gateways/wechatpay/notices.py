"""WeChat Pay's notifications: verified and decrypted, then told in the words of our protocol."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from wallets.gateways.base import Answer, NotAuthentic, OrderKind, Told
from wallets.gateways.network import UNREADABLE
from wallets.gateways.wechatpay import words
from wallets.gateways.wechatpay.line import Client, NotReadyError

SIGNED: Final = ("Signature", "Timestamp", "Nonce", "Serial", "Signature-Type")
_TOLD: Final[dict[str, tuple[OrderKind, str, Callable[[words.Json], Answer]]]] = {
    "TRANSACTION": (OrderKind.TOP_UP, "out_trade_no", words.transaction),
    "REFUND": (OrderKind.REFUND, "out_refund_no", words.refund),
    "MCHTRANSFER": (OrderKind.PAYOUT, "out_bill_no", words.transfer),
}


def verified(headers: Mapping[str, str], body: bytes, *, client: Callable[[], Client], mchid: str) -> dict[str, Any]:
    """The message with its content decrypted; ``NotAuthentic`` unless WeChat Pay signed it, for us, just now."""
    named = {f"Wechatpay-{name}": headers.get(f"wechatpay-{name.lower()}", "") for name in SIGNED}
    try:
        found = client().callback(named, body)
    except NotReadyError:
        raise NotAuthentic("there is nothing to verify it with now; WeChat Pay will tell it again") from None
    except Exception:  # noqa: BLE001 - the package raises Exception itself
        raise NotAuthentic("not signed by WeChat Pay, or no message") from None
    if not isinstance(found, dict):
        raise NotAuthentic("not signed by WeChat Pay, too old, or not encrypted for us")

    content = found["resource"]
    if not isinstance(content, dict) or (content.get("mchid") or content.get("mch_id")) != mchid:
        raise NotAuthentic("for somebody else")
    return found


def told(found: Mapping[str, Any]) -> Told:
    """What it says."""
    try:
        content = found["resource"]
        kind, name, tell = _TOLD.get(str(found["event_type"]).split(".")[0], (OrderKind.TOP_UP, "", None))
        about = str(content[name]) if tell else None
        return Told(
            event_id=str(found["id"]),
            kind=kind,
            about=about,
            answer=tell(content) if tell else None,
            at=datetime.fromisoformat(found["create_time"]),
            safe_body=_safe(found, about),
        )
    except UNREADABLE:
        raise NotAuthentic("nothing that we can read") from None


def _safe(found: Mapping[str, Any], about: str | None) -> str:
    """What may be kept: who, what and how much, and nothing of the payer."""
    names = ("trade_state", "refund_status", "state", "transaction_id", "refund_id", "transfer_bill_no")
    more = ("out_trade_no", "out_refund_no", "out_bill_no", "amount", "transfer_amount", "success_time")
    content = found["resource"]
    kept = {name: found.get(name) for name in ("id", "event_type", "create_time")}
    kept["resource"] = {name: content[name] for name in (*names, *more) if name in content}
    return json.dumps({**kept, "reference": about}, sort_keys=True)
