"""Which limits apply to a member, and how much of each is used."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, Count, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from members.models import Limit, LimitUse, Member
from members.models.limits import LimitUseQuerySet
from members.periods import Period, Window, begins, window

Measure = Limit.Measure
# Zones lie up to 26 hours apart.
_APART: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a limit is used. ``window`` is None where each act is judged for itself."""

    limit: Limit
    used: int
    window: Window | None

    @property
    def left(self) -> int:
        return max(0, self.limit.cap - self.used)


@dataclass(frozen=True, slots=True)
class Past:
    """What a member took in one currency: the latest of it, and which zones they left when."""

    last: LimitUse | None
    left: tuple[tuple[datetime, ZoneInfo], ...]


def applying(member: Member, *, tier: int, at: datetime, **sorts: Any) -> list[Limit]:
    """The limits in force on ``member`` at ``at``: of each sort the most specific. ``sorts`` filters."""
    rows = Limit.objects.at(at).covering(member=member.pk, tier=tier, level=member.kyc_level).filter(**sorts)
    chosen: dict[Any, Limit] = {}
    for limit in rows:
        best = chosen.setdefault(limit.sort, limit)
        if limit.specificity > best.specificity:
            chosen[limit.sort] = limit
    return sorted(chosen.values(), key=lambda limit: limit.sort)


def past(member: Member, *, currency: str, at: datetime) -> Past:
    uses = LimitUse.objects.of(member.pk, currency)
    last = uses.order_by("-at", "-id").first()
    if last is None:
        return Past(None, ())
    earliest = begins(Period.YEAR, at, member.zone) - _APART
    moves = uses.since(earliest).exclude(moved_from="").order_by("at").values_list("at", "moved_from")
    left = [(moment, ZoneInfo(name)) for moment, name in moves]
    if last.zone != member.time_zone:
        left.append((max(at, last.at), ZoneInfo(last.zone)))
    return Past(last, tuple(left))


def readings(member: Member, limits: Iterable[Limit], *, past: Past, at: datetime) -> list[Reading]:
    """How far each of ``limits``, all of the currency of ``past``, is used at ``at``: one query for all."""
    limits = list(limits)
    windows = {
        limit.pk: window(Period(limit.period), at, member.zone, past.left)
        for limit in limits
        if limit.period not in {Period.ACT, Period.ALWAYS}
    }
    used: dict[str, Any] = {}
    if past.last is not None and windows:
        asked = {str(limit.pk): _used(limit, windows[limit.pk], past.last) for limit in limits if limit.pk in windows}
        columns = {f"limit_{name}": expression for name, expression in asked.items()}
        used = dict(Member.objects.filter(pk=member.pk).values(**columns).get())
    return [Reading(limit, int(used.get(f"limit_{limit.pk}", 0)), windows.get(limit.pk)) for limit in limits]


def _used(limit: Limit, window: Window, last: LimitUse) -> Any:
    """The difference of two running totals, without what was given back in between."""
    uses = LimitUse.objects.of(last.member_id, last.currency)
    scope = "joint"
    if limit.kind != Limit.ANY:
        uses, scope = uses.filter(kind=limit.kind), "kind"
    counting = limit.measure == Measure.COUNT
    total = f"{scope}_count" if counting else f"{scope}_minor"
    back = uses.given_back().since(window.since).order_by().values("member")
    summed = back.annotate(given=Count("pk") if counting else Sum("amount_minor")).values("given")
    return (
        _or_zero(_latest(uses, total)) - _or_zero(_latest(uses.filter(at__lt=window.since), total)) - _or_zero(summed)
    )


def _latest(uses: LimitUseQuerySet, total: str) -> QuerySet[Any, Any]:
    rows: QuerySet[Any, Any] = uses.order_by("-at", "-id").values(total)[:1]
    return rows


def _or_zero(rows: QuerySet[Any, Any]) -> Coalesce:
    return Coalesce(Subquery(rows, output_field=BigIntegerField()), Value(0), output_field=BigIntegerField())


def running(past: Past, kind: str) -> tuple[int, int, int, int]:
    """The totals up to now: of this kind and of all, each in money and in number."""
    if past.last is None:
        return 0, 0, 0, 0
    own = past.last if past.last.kind == kind else _last_of(past.last, kind)
    return (
        own.kind_minor if own else 0,
        own.kind_count if own else 0,
        past.last.joint_minor,
        past.last.joint_count,
    )


def _last_of(last: LimitUse, kind: str) -> LimitUse | None:
    return LimitUse.objects.of(last.member_id, last.currency).filter(kind=kind).order_by("-at", "-id").first()
