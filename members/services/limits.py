"""Limits: how much a member may move, of what kind, how often, and how much hold.

Closed by default: what no limit covers is refused. See docs/decisions/110-no-limit-allows-nothing.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_noop

from members.models import Limit, LimitUse, Member
from members.models.limits import Kind, limit_words
from members.queries import limits as queries
from members.queries.limits import Facts, First, Reading
from members.services import tiers
from paymentsite.core import clock
from paymentsite.core.errors import Conflict, DomainError, Refused, as_moment
from paymentsite.core.money import AmountNegative, Money

__all__ = ["Kind", "Left", "LimitExceeded", "check_balance", "count_again", "give_back", "left", "take"]

Measure = Limit.Measure


class LimitExceeded(Refused, limit=limit_words, resets_at=as_moment):
    """``limit`` is the limit's name; in the sentence it is told in words."""

    code = "limit_exceeded"
    sentence = gettext_noop(
        "This is more than the limit allows ({limit}): {used} of {cap} is used, {left} is left until {resets_at}."
    )


class ActLimitExceeded(LimitExceeded):
    code = "limit_exceeded_at_once"
    sentence = gettext_noop("This is more than the limit allows ({limit}): {cap} at once.")


class BalanceLimitExceeded(LimitExceeded):
    code = "balance_limit_exceeded"
    sentence = gettext_noop("This would leave {after}, more than may be held ({limit}): {cap}.")


class LimitMissing(Refused):
    code = "limit_missing"
    sentence = gettext_noop("No limit for this in {currency} is set, so nothing of it is allowed.")


class LimitSourceConflict(Conflict):
    code = "limit_source_conflict"
    sentence = gettext_noop("{source} took of the limits already, and it was something else or is over.")


def take(*, member: Member, kind: Kind, amount: Money, source: str, now: datetime) -> None:
    """Count ``amount`` against every limit of ``kind``, once per ``source``; refused when one would be exceeded.

    Every limit that applies is looked at; of those exceeded the one that leaves least is told. The member's lock is
    taken here too, which is nothing where the caller holds it: what is read here cannot change before it is written.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(f"{source} takes of limits in the transaction that does it")
    if amount.minor < 0:
        raise AmountNegative(given=amount)
    member = Member.objects.lock(member.pk)
    facts = queries.known(member, kind=kind, currency=amount.unit, source=source, at=now)
    if facts.first:
        _check_same(facts.first, source, member, kind, amount)
        return
    verdict = judge(facts, amount)
    if refusal := verdict.refusal:
        raise refusal
    verdict.use.save(force_insert=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the limits say of an amount: how far each was used before, the refusal if there is one, and what is written
    down where it is done after all."""

    readings: list[Reading]
    refusal: DomainError | None
    use: LimitUse


def judge(facts: Facts, amount: Money, *, more_of: int = 0, takes: Money | None = None) -> Verdict:
    """Of ``amount``, for which the facts were asked; of one act that took ``more_of`` the same before, and ``takes`` no
    more than that of it where it may yet become so much. The member's lock is held since before."""
    asked = facts.asked
    tier = facts.tier if facts.tier is not None else tiers.of(asked.member, asked.at).pk
    sums = [limit for limit in facts.limits if limit.measure in {Measure.AMOUNT, Measure.COUNT}]
    readings = queries.readings(facts, queries.most_specific(sums, tier))
    refusal: DomainError | None = None
    if not any(reading.limit.measure == Measure.AMOUNT for reading in readings):
        refusal = LimitMissing(currency=asked.currency, kind=asked.kind)
    elif exceeded := [reading for reading in readings if _asked(reading, amount, more_of) > reading.left]:
        refusal = _refusal(asked.member, min(exceeded, key=_strictness))
    return Verdict(readings, refusal, _use(facts, amount if takes is None else takes, readings))


def record(facts: Facts, amount: Money) -> LimitUse:
    """What has happened without anybody having asked counts as well: no limit refuses it, and what may still be taken
    is less. Not written yet; the member's lock is held since before the facts were asked for."""
    use = _use(facts, amount, [])
    use.told = True
    return use


def moved(*, member: Member, kind: Kind, amount: Money, source: str, now: datetime) -> None:
    """The same at once, under a source of its own: once."""
    member = Member.objects.lock(member.pk)
    facts = queries.known(member, kind=kind, currency=amount.unit, source=source, at=now)
    if facts.first is None and amount.minor:
        record(facts, amount).save(force_insert=True)


def taken(sources: Iterable[str]) -> int:
    """What these took that counts still, in smallest parts."""
    counts = LimitUse.objects.filter(source__in=list(sources), given_back_at=None)
    return counts.aggregate(sum=Sum("amount_minor"))["sum"] or 0


def _check_same(first: First, source: str, member: Member, kind: Kind, amount: Money) -> None:
    same = (first.member, first.kind, first.currency, first.amount_minor) == (
        member.pk,
        kind,
        amount.unit,
        amount.minor,
    )
    if first.given_back or not same:
        raise LimitSourceConflict(source=source)


def _asked(reading: Reading, amount: Money, more_of: int) -> int:
    if reading.limit.measure == Measure.COUNT:
        return 1
    return amount.minor if reading.window else amount.minor + more_of


def _strictness(reading: Reading) -> tuple[int, float]:
    """Least first: what leaves less money; where that is equal, what stays exhausted longer."""
    left = 0 if reading.limit.measure == Measure.COUNT else reading.left
    return left, -reading.window.resets_at.timestamp() if reading.window else float("-inf")


def _refusal(member: Member, reading: Reading) -> LimitExceeded:
    limit = reading.limit
    if reading.window is None:
        return ActLimitExceeded(limit=limit.name, cap=limit.capped, left=limit.capped, used=None, resets_at=None)
    return LimitExceeded(
        limit=limit.name,
        cap=limit.capped,
        used=_counted(limit, reading.used),
        left=_counted(limit, reading.left),
        resets_at=member.local(reading.window.resets_at),
    )


def _counted(limit: Limit, number: int) -> Money | int:
    return number if limit.measure == Measure.COUNT else Money(number, limit.currency)


def _use(facts: Facts, amount: Money, readings: list[Reading]) -> LimitUse:
    asked = facts.asked
    moved = facts.last_zone not in {"", asked.member.time_zone}
    return LimitUse(
        member=asked.member,
        source=asked.source,
        kind=asked.kind,
        currency=amount.unit,
        amount_minor=amount.minor,
        at=asked.at,
        zone=asked.member.time_zone,
        moved_from=facts.last_zone if moved else "",
        kind_minor=facts.kind.minor + amount.minor,
        kind_count=facts.kind.number + 1,
        joint_minor=facts.joint.minor + amount.minor,
        joint_count=facts.joint.number + 1,
        judged=[
            [reading.limit.pk, reading.window.since.isoformat() if reading.window else None] for reading in readings
        ],
    )


def give_back(*, source: str, now: datetime) -> None:
    """What ``source`` took counts no more: it did not happen. Repeated, or where it took nothing, this does nothing."""
    LimitUse.objects.filter(source=source, given_back_at=None).update(given_back_at=now)


def count_again(*, source: str, now: datetime) -> bool:
    """What ``source`` took and was given back counts after all, as of when it was taken: it did happen.

    No limit refuses it, also where others took its room meanwhile; what they may still take is less. Whether it had
    been given back; repeated, or where it took nothing, this does nothing.
    """
    use = LimitUse.objects.filter(source=source).first()
    if use is None:
        return False
    Member.objects.lock(use.member_id)
    changed = LimitUse.objects.filter(source=source, given_back_at__isnull=False).update(
        lapsed_at=Coalesce("lapsed_at", F("given_back_at")), counted_again_at=now, given_back_at=None
    )
    return changed == 1


def check_balance(*, member: Member, after: Money) -> None:
    """Refuse what would leave more than such a member may hold in one currency."""
    now = clock.now()
    limits = queries.applying(
        member, tier=tiers.of(member, now).pk, at=now, currency=after.unit, measure=Measure.BALANCE
    )
    if not limits:
        raise LimitMissing(currency=after.unit, kind=Measure.BALANCE)
    for limit in limits:
        if after.minor > limit.cap:
            raise BalanceLimitExceeded(limit=limit.name, cap=limit.capped, after=after)


@dataclass(frozen=True, slots=True)
class Left:
    """What a limit leaves at a moment. ``used`` and ``resets_at`` are None where each act, or a balance, is judged."""

    limit: Limit
    used: int | None
    left: int
    resets_at: datetime | None

    @property
    def kind(self) -> str:
        return self.limit.kind

    @property
    def currency(self) -> str:
        return self.limit.currency

    @property
    def measure(self) -> str:
        return self.limit.measure

    @property
    def period(self) -> str:
        return self.limit.period

    @property
    def cap(self) -> int:
        return self.limit.cap


def left(member: Member, now: datetime) -> list[Left]:
    """What each limit in force on the member leaves, by kind, currency, measure and period."""
    limits = queries.applying(member, tier=tiers.of(member, now).pk, at=now)
    found: list[Left] = []
    sorts = {(limit.currency, limit.kind if limit.kind != Limit.ANY else Kind.TRANSFER) for limit in limits}
    known = {sort: queries.known(member, kind=sort[1], currency=sort[0], at=now) for sort in sorted(sorts)}
    for limit in limits:
        facts = known[limit.currency, limit.kind if limit.kind != Limit.ANY else Kind.TRANSFER]
        found += [_left(member, reading) for reading in queries.readings(facts, [limit])]
    return sorted(found, key=lambda each: each.limit.sort)


def _left(member: Member, reading: Reading) -> Left:
    if reading.window is None:
        return Left(reading.limit, None, reading.limit.cap, None)
    return Left(reading.limit, reading.used, reading.left, member.local(reading.window.resets_at))
