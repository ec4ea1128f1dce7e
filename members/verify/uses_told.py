"""Uses of limits that nobody asked for: no limit judged them."""

from collections.abc import Iterator
from typing import Final

from members.models import LimitUse
from members.models.limits import Kind
from paymentsite.core.verification import Fault, Run, check

_TOLD: Final = {Kind.CARD, Kind.TOP_UP, Kind.WITHDRAWAL}


@check(
    "members.told_uses_were_not_judged",
    "A use that was told without a question is one of a card or an order, and no limit judged it.",
)
def told_uses_were_not_judged(run: Run) -> Iterator[Fault]:
    told = LimitUse.objects.filter(told=True).order_by("pk")
    run.seen["uses told"] = told.count()
    for use in told.iterator(chunk_size=2_000):
        if use.judged:
            yield f"use of limits {use.pk}", "is told, and was judged by limits"
        elif use.kind not in _TOLD:
            yield f"use of limits {use.pk}", f"is told, and no card's or order's but a {use.kind}"
