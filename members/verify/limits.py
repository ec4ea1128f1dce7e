"""Limits: one of each in force, and every use within those it was judged by."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from django.db import connection
from django.db.models import F

from members.models import Limit, LimitUse
from paymentsite.core.verification import Fault, Run, check

# An act may have read a limit just before the one that replaced it was committed.
_SLACK: Final = timedelta(minutes=1)

_TWICE: Final = """
SELECT source, COUNT(*) FROM members_limituse GROUP BY source HAVING COUNT(*) > 1 ORDER BY source
"""
_TOTALS: Final = """
SELECT id FROM (
    SELECT id, kind_minor, kind_count, joint_minor, joint_count, at,
        SUM(amount_minor) OVER own AS own_minor, COUNT(*) OVER own AS own_count,
        SUM(amount_minor) OVER every AS every_minor, COUNT(*) OVER every AS every_count,
        LAG(at) OVER every AS earlier
    FROM members_limituse
    WINDOW own AS (PARTITION BY member_id, currency, kind ORDER BY id),
        every AS (PARTITION BY member_id, currency ORDER BY id)
) AS told
WHERE kind_minor <> own_minor OR kind_count <> own_count OR joint_minor <> every_minor OR joint_count <> every_count
    OR earlier > at
ORDER BY id
"""


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


@check("members.limits_apart", "Of limits that say the same of the same members, one is in force at a time.")
def limits_apart(run: Run) -> Iterator[Fault]:
    run.seen["limits"] = Limit.objects.count()
    rows = Limit.objects.order_by(*Limit.KEY, "starts_at", "pk").exclude(ends_at=F("starts_at"))
    for _key, same in groupby(rows.iterator(), key=lambda row: [getattr(row, name) for name in Limit.KEY]):
        before: Limit | None = None
        for limit in same:
            if before is not None and (before.ends_at is None or before.ends_at > limit.starts_at):
                yield f"limit {limit.pk}", f"is in force while limit {before.pk} is"
            before = limit


@check("members.limit_source_once", "No source took of limits twice, so none can be given back twice.")
def limit_source_once(_: Run) -> Iterator[Fault]:
    for source, count in _rows(_TWICE):
        yield f"source {source}", f"took {count} times"


@check("members.limit_totals", "The running totals of each use are what the uses add up to, in the order of time.")
def limit_totals(run: Run) -> Iterator[Fault]:
    run.seen["uses of limits"] = LimitUse.objects.count()
    for (use,) in _rows(_TOTALS):
        yield f"use of limits {use}", "its totals or its moment do not follow from the uses before it"


@dataclass
class _Tally:
    """What counted for good so far, of one kind or of all, in one currency of one member."""

    at: list[datetime] = field(default_factory=list)
    minor: list[int] = field(default_factory=lambda: [0])
    count: list[int] = field(default_factory=lambda: [0])

    def add(self, at: datetime, minor: int) -> None:
        self.at.append(at)
        self.minor.append(self.minor[-1] + minor)
        self.count.append(self.count[-1] + 1)

    def since(self, moment: datetime, *, counting: bool) -> int:
        totals = self.count if counting else self.minor
        return totals[-1] - totals[bisect_left(self.at, moment)]


@dataclass(frozen=True, slots=True)
class _Lapse:
    """Between these moments ``use``, which counts, was given back: others could take its room."""

    use: LimitUse
    since: datetime
    until: datetime

    def gave_room(self, use: LimitUse, limit: Limit, begun: datetime) -> bool:
        # Who waited for the lock may have come with a moment from just before it was given back.
        meanwhile = self.use.pk != use.pk and self.since - _SLACK <= use.at <= self.until
        return meanwhile and limit.kind in {self.use.kind, Limit.ANY} and self.use.at >= begun


@check(
    "members.uses_within_limits", "Every use that counts was within the limits that were in force when it was taken."
)
def uses_within_limits(_: Run) -> Iterator[Fault]:
    limits = {limit.pk: limit for limit in Limit.objects.all()}
    uses = LimitUse.objects.order_by("member_id", "currency", "id").iterator(chunk_size=2_000)
    for _key, own in groupby(uses, key=lambda use: (use.member_id, use.currency)):
        tallies: dict[str, _Tally] = {}
        lapses: list[_Lapse] = []
        for use in own:
            if use.given_back_at is not None:
                continue
            for scope in (use.kind, Limit.ANY):
                tallies.setdefault(scope, _Tally()).add(use.at, use.amount_minor)
            if use.lapsed_at and use.counted_again_at:
                lapses.append(_Lapse(use, use.lapsed_at, use.counted_again_at))
            for what in _faults(use, limits, tallies, lapses):
                yield f"use of limits {use.pk}", what


def _faults(use: LimitUse, limits: dict[int, Limit], tallies: dict[str, _Tally], lapses: list[_Lapse]) -> Iterator[str]:
    if use.told:
        return
    judges = [(limits.get(pk), since) for pk, since in use.judged]
    if not any(limit and limit.measure == Limit.Measure.AMOUNT for limit, _since in judges):
        yield "no limit allowed it"
    for limit, since in judges:
        if limit is None or not _covers(limit, use):
            yield f"was judged by a limit that does not cover it: {limit.pk if limit else 'one that is gone'}"
            continue
        counting = limit.measure == Limit.Measure.COUNT
        begun = datetime.fromisoformat(since) if since else None
        used = use.amount_minor
        if begun:
            room = [each.use for each in lapses if each.gave_room(use, limit, begun)]
            used = tallies[limit.kind].since(begun, counting=counting)
            used -= len(room) if counting else sum(each.amount_minor for each in room)
        if used > limit.cap:
            yield f"{used} are used of {limit.cap} (limit {limit.pk}, {limit.name})"


def _covers(limit: Limit, use: LimitUse) -> bool:
    return (
        limit.currency == use.currency
        and limit.kind in {use.kind, Limit.ANY}
        and limit.member_id in {None, use.member_id}
        and limit.starts_at <= use.at
        and (limit.ends_at is None or limit.ends_at > use.at - _SLACK)
    )
