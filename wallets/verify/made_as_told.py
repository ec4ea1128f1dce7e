"""Gifts, requests and standing orders are there, and are what the audit trail told when they were made."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django.db.models import CharField, Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from paymentsite.core.errors import plain
from paymentsite.core.models import AuditEntry
from paymentsite.core.verification import Fault, Run, check
from wallets.models import Gift, MoneyRequest, StandingOrder
from wallets.services import gift_links, requests

Row = Gift | MoneyRequest | StandingOrder

# Acts take their time once, and tell it a moment later: they may have waited for others in between.
_SLACK: Final = timedelta(minutes=10)
_KINDS: Final[tuple[tuple[str, type[Row], str], ...]] = (
    ("gift", Gift, "gift.made"),
    ("request", MoneyRequest, "request.asked"),
    ("standing order", StandingOrder, "standing_order.made"),
)


@check(
    "wallets.made_as_told",
    "Each gift, request and standing order is there, is what the audit trail told when it was made, and lasts as long.",
    whole=True,
)
def made_as_told(run: Run) -> Iterator[Fault]:
    del run
    for name, model, act in _KINDS:
        label = f"{model._meta.label_lower}:"
        entries = AuditEntry.objects.filter(act=act)
        own = entries.filter(subject=Concat(Value(label), Cast(OuterRef("pk"), CharField()))).order_by("pk")
        made: Any = QuerySet(model).annotate(
            told=Subquery(own.values("after")[:1]), told_at=Subquery(own.values("at")[:1])
        )
        known = 0
        for row in made.order_by("pk").iterator(chunk_size=2_000):
            known += row.told_at is not None
            yield from ((f"{name} {row.public_id}", what) for what in _faults(row))
        if entries.count() > known:
            there = QuerySet(model).annotate(label=Concat(Value(label), Cast("pk", CharField())))
            gone = entries.filter(~Exists(there.filter(label=OuterRef("subject")))).order_by("pk")
            yield from (
                (subject, "was made, by the audit trail, and is gone")
                for subject in gone.values_list("subject", flat=True)
            )


def _faults(row: Any) -> Iterator[str]:
    """What sets the row apart from what was told; ``told`` and ``told_at`` are that."""
    if row.told is None:
        yield "the audit trail does not tell how it was made"
        return
    for name, value in _terms(row).items():
        now = plain(value)
        # What is told in newer entries alone is compared where it is.
        if name in row.told and row.told[name] != now:
            yield f"its {name} is {now}, told was {row.told[name]}"
    begun = row.asked_at if isinstance(row, MoneyRequest) else row.made_at
    if not row.told_at - _SLACK <= begun <= row.told_at:
        yield f"it begins at {begun}, told was {row.told_at}"
    if not isinstance(row, StandingOrder):
        lasts = requests.OPEN_FOR if isinstance(row, MoneyRequest) else gift_links.OPEN_FOR
        if row.expires_at != begun + lasts:
            yield f"it is open until {row.expires_at}, which is not {lasts} after {begun}"


def _terms(row: Row) -> dict[str, Any]:
    """What of the row is told when it is made."""
    match row:
        case Gift():
            return {"amount": row.amount, "fee": row.fee, "sender": row.sender_id, "link": row.token_digest}
        case MoneyRequest():
            return {"amount": row.amount, "asker": row.asker_id, "payer": row.payer_id}
        case _:
            plan = {name: getattr(row, name) for name in ("every", "starts_on", "ends_on", "count")}
            return {"amount": row.amount, "member": row.member_id, "payee": row.payee_id, **plan}
