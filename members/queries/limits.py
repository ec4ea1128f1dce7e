"""Which limits apply to a member, and how much of each is used: everything on one way to the database and back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from members.models import Limit, Member
from members.periods import Period, Window, begins, window
from paymentsite.core.asking import Question, Row, moment, together

Measure = Limit.Measure
# Zones lie up to 26 hours apart.
_APART: Final = timedelta(days=2)
_SPANS: Final = (Period.DAY, Period.WEEK, Period.MONTH, Period.YEAR)

_FIRST: Final = "SELECT member_id, kind, currency, amount_minor, given_back_at FROM members_limituse WHERE source = %s"
_TIER: Final = """
SELECT s.tier_id, s.kept_until IS NOT NULL AND s.kept_until <= %s AND t.rank <= k.rank
FROM members_membertier s JOIN members_tier t ON t.id = s.tier_id LEFT JOIN members_tier k ON k.id = s.kept_id
WHERE s.member_id = %s
"""
_LIMITS: Final = """
SELECT id, member_id, tier_id, level, kind, currency, measure, period, cap FROM members_limit
WHERE currency = %s AND starts_at <= %s AND (ends_at IS NULL OR ends_at > %s) AND kind IN (%s, 'any')
    AND (member_id = %s OR tier_id IS NOT NULL OR level = %s
        OR (member_id IS NULL AND tier_id IS NULL AND level IS NULL))
"""
_LAST: Final = """
SELECT at, zone, kind_minor, kind_count, joint_minor, joint_count FROM members_limituse
WHERE member_id = %s AND currency = %s{own} ORDER BY at DESC, id DESC LIMIT 1
"""
_MOVES: Final = """
SELECT at, moved_from FROM members_limituse
WHERE member_id = %s AND currency = %s AND at >= %s AND moved_from <> '' ORDER BY at
"""
# What was used before a period began; the latest use before it knows.
_BEFORE: Final = """
SELECT '{span}', '{scope}', {scope}_minor, {scope}_count FROM members_limituse WHERE id = (
    SELECT id FROM members_limituse WHERE member_id = %s AND currency = %s AND at < %s{own}
    ORDER BY at DESC, id DESC LIMIT 1
)
"""
# What was given back of what was used since: of all kinds, and of one.
_BACK: Final = """
SELECT '{span}', CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT), COUNT(*),
    CAST(COALESCE(SUM(CASE WHEN kind = %s THEN amount_minor END), 0) AS BIGINT), COUNT(CASE WHEN kind = %s THEN 1 END)
FROM members_limituse WHERE member_id = %s AND currency = %s AND given_back_at IS NOT NULL AND at >= %s
"""
_OWN: Final = " AND kind = %s"


class Totals(NamedTuple):
    """What was taken, in money and in number."""

    minor: int = 0
    number: int = 0

    def less(self, other: "Totals") -> "Totals":
        return Totals(self.minor - other.minor, self.number - other.number)


class First(NamedTuple):
    """What a source took already."""

    member: int
    kind: str
    currency: str
    amount_minor: int
    given_back: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about one kind of act of a member's in one currency, at a moment."""

    member: Member
    kind: str
    currency: str
    source: str
    at: datetime
    windows: dict[Period, Window]

    @property
    def questions(self) -> list[Question]:
        own = (self.member.pk, self.currency)
        since = [(span, self.windows[span].since) for span in _SPANS]
        before = [
            (_BEFORE.format(span=span, scope=scope, own=_OWN if scope == "kind" else ""), begun, scope == "kind")
            for span, begun in since
            for scope in ("joint", "kind")
        ]
        return [
            Question(_FIRST, (self.source,)),
            Question(_TIER, (self.at, self.member.pk)),
            Question("SELECT id FROM members_tier ORDER BY rank LIMIT 1"),
            Question(_LIMITS, (self.currency, self.at, self.at, self.kind, self.member.pk, self.member.kyc_level)),
            Question(_LAST.format(own=""), own),
            Question(_LAST.format(own=_OWN), (*own, self.kind)),
            Question(_MOVES, (*own, begins(Period.YEAR, self.at, self.member.zone) - _APART)),
            Question(
                " UNION ALL ".join(statement for statement, _begun, _kind in before),
                [value for _, begun, kind in before for value in (*own, begun, *([self.kind] if kind else []))],
            ),
            Question(
                " UNION ALL ".join(_BACK.format(span=span) for span, _begun in since),
                [value for _, begun in since for value in (self.kind, self.kind, *own, begun)],
            ),
        ]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows. ``tier`` is None where time has changed it and nobody has looked since, or nobody has
    one; ``since`` holds what counts from the beginning of each period on, of all kinds and of this one."""

    asked: Asked
    first: First | None
    tier: int | None
    limits: list[Limit]
    last_at: datetime | None
    last_zone: str
    joint: Totals
    kind: Totals
    since: dict[tuple[str, str], Totals]


def ask(member: Member, *, kind: str, currency: str, source: str, at: datetime) -> Asked:
    """What to ask before ``source`` takes of the limits, as if the member had never lived in another zone."""
    windows = {span: window(span, at, member.zone) for span in _SPANS}
    return Asked(member, kind, currency, source, at, windows)


def read(asked: Asked, answers: Sequence[list[Row]]) -> Facts:
    """What the answers say; where they say that something else should have been asked, that is asked."""
    again = _should_ask(asked, answers)
    while again:
        asked = again
        answers = together(*asked.questions)
        again = _should_ask(asked, answers)
    first, tier, base, limits, last, own, _moves, before, back = answers
    joint, kind = _totals(last, 4), _totals(own, 2)
    return Facts(
        asked=asked,
        first=_first(first),
        tier=_tier(tier, base),
        limits=[_limit(row) for row in limits],
        last_at=moment(last[0][0]) if last else None,
        last_zone=last[0][1] if last else "",
        joint=joint,
        kind=kind,
        since=_since(joint, kind, before, back),
    )


def known(member: Member, *, kind: str, currency: str, source: str = "", at: datetime) -> Facts:
    """The same, asked and answered."""
    asked = ask(member, kind=kind, currency=currency, source=source, at=at)
    return read(asked, together(*asked.questions))


def _should_ask(asked: Asked, answers: Sequence[list[Row]]) -> Asked | None:
    """Whoever waited for the lock may come with an earlier moment than who went first; totals rise with time. And what
    was used in another zone counts until the period is over there, too."""
    last, moves = answers[4], answers[6]
    if not last:
        return None
    at = max(asked.at, moment(last[0][0]) or asked.at)
    left = [(moment(when) or at, ZoneInfo(name)) for when, name in moves]
    if last[0][1] != asked.member.time_zone:
        left.append((at, ZoneInfo(last[0][1])))
    windows = {span: window(span, at, asked.member.zone, left) for span in _SPANS}
    return None if (at, windows) == (asked.at, asked.windows) else replace(asked, at=at, windows=windows)


def _first(rows: list[Row]) -> First | None:
    for member, kind, currency, amount_minor, given_back_at in rows:
        return First(member, kind, currency, amount_minor, given_back_at is not None)
    return None


def _totals(rows: list[Row], column: int) -> Totals:
    return Totals(*rows[0][column : column + 2]) if rows else Totals()


def _tier(standing: list[Row], base: list[Row]) -> int | None:
    if not standing:
        return base[0][0] if base else None
    tier, over = standing[0]
    return None if over else tier


def _limit(row: Row) -> Limit:
    names = ("id", "member_id", "tier_id", "level", "kind", "currency", "measure", "period", "cap")
    return Limit(**dict(zip(names, row, strict=True)))


def _since(joint: Totals, kind: Totals, before: list[Row], back: list[Row]) -> dict[tuple[str, str], Totals]:
    earlier = {(span, scope): Totals(minor, count) for span, scope, minor, count in before}
    found: dict[tuple[str, str], Totals] = {}
    for span, *given in back:
        for scope, whole, gone in (("joint", joint, Totals(*given[:2])), ("kind", kind, Totals(*given[2:]))):
            found[span, scope] = whole.less(earlier.get((span, scope), Totals())).less(gone)
    return found


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a limit is used. ``window`` is None where each act is judged for itself."""

    limit: Limit
    used: int
    window: Window | None

    @property
    def left(self) -> int:
        return max(0, self.limit.cap - self.used)


def readings(facts: Facts, limits: Iterable[Limit]) -> list[Reading]:
    """How far each of ``limits`` is used."""
    return [_reading(facts, limit) for limit in limits]


def _reading(facts: Facts, limit: Limit) -> Reading:
    if limit.period in {Period.ACT, Period.ALWAYS}:
        return Reading(limit, 0, None)
    totals = facts.since[limit.period, "joint" if limit.kind == Limit.ANY else "kind"]
    used = totals.number if limit.measure == Measure.COUNT else totals.minor
    return Reading(limit, used, facts.asked.windows[Period(limit.period)])


def most_specific(limits: Iterable[Limit], tier: int) -> list[Limit]:
    """Of each sort the one that applies to a member of ``tier``."""
    chosen: dict[Any, Limit] = {}
    for limit in limits:
        if limit.tier_id not in {None, tier}:
            continue
        best = chosen.setdefault(limit.sort, limit)
        if limit.specificity > best.specificity:
            chosen[limit.sort] = limit
    return sorted(chosen.values(), key=lambda limit: limit.sort)


def applying(member: Member, *, tier: int, at: datetime, **sorts: Any) -> list[Limit]:
    """The limits in force on ``member`` at ``at``: of each sort the most specific. ``sorts`` filters."""
    rows = Limit.objects.at(at).covering(member=member.pk, tier=tier, level=member.kyc_level).filter(**sorts)
    return most_specific(rows, tier)
