"""Setting limits: whatever lets members do more takes two people, lowering is done at once."""

from datetime import datetime
from typing import Any, Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import Limit, Member, Tier
from members.models.limits import CAP_MAX, Kind, limit_words, whom_words
from members.periods import Period
from members.services import limit_ends
from paymentsite.core import clock, versions
from paymentsite.core.actors import SYSTEM, Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.disclosure import clear
from paymentsite.core.effects import APPROVAL, Effect, Line, as_begin
from paymentsite.core.errors import Conflict, Invalid, as_moment
from paymentsite.core.services import approvals, audit, trail
from paymentsite.core.units import OWN_UNITS, SCALES

RIGHT: Final = "members.approve_limits"
Measure = Limit.Measure


class Field(TextChoices):
    KIND = "kind", _("kind")
    CURRENCY = "currency", _("currency")
    MEASURE = "measure", _("measure")
    PERIOD = "period", _("period")
    CAP = "cap", _("cap")
    LEVEL = "level", _("identity level")
    WHOM = "whom", _("circle of members")
    REASON = "reason", _("reason")
    ENDS_AT = "ends_at", _("end")


class InvalidLimit(Invalid, field=Field):
    code = "invalid_limit"
    sentence = gettext_noop("There is no such limit: the {field} cannot be {given}.")


class LimitNotInForce(Conflict):
    code = "limit_not_in_force"
    sentence = gettext_noop("That limit is no longer in force. Look at the one that replaced it.")


class LimitNotLower(Invalid):
    code = "limit_not_lower"
    sentence = gettext_noop(
        "{given} is not lower than {cap}; raising a limit is proposed, for somebody else to approve."
    )


_LINES: Final = {
    "limit": Line(_("limit"), limit_words),
    "whom": Line(_("for"), whom_words),
    "cap": Line(_("at most"), limit_ends.in_words),
    "then": Line(_("when it has ended")),
    "before": Line(_("before")),
    "begins": Line(_("in force from"), as_begin),
    "ends": Line(_("until"), as_moment),
}


@approvals.required("members.set_limit", right=RIGHT, concerns=("member",), title=_("Set a limit"), lines=_LINES)
def propose(  # noqa: PLR0913  a limit has that many sides
    *,
    kind: str,
    currency: str,
    measure: str,
    period: str,
    cap: int,
    by: Actor,
    reason: str,
    member: Member | None = None,
    tier: Tier | None = None,
    level: int | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Effect:
    """A limit for one member, a tier, a level or everybody: from ``starts_at``, but not before it is approved.

    One like it gives way for that time.
    """
    now = clock.now()
    limit = Limit(
        member=member,
        tier=tier,
        level=level,
        kind=kind,
        currency=currency,
        measure=measure,
        period=period,
        cap=cap,
        starts_at=max(now, starts_at or now),
        ends_at=ends_at,
        set_by=str(by),
        reason=clear(reason),
    )
    _check(limit)
    with versions.one_at_a_time():
        old = Limit.objects.like(limit).at(limit.starts_at).first()
        trail.tell(*versions.put(limit, Limit.objects.like(limit)), by=by, reason=reason)
    return {
        "limit": limit.name,
        "whom": _whom(limit),
        "cap": limit.capped,
        "before": old.capped if old else None,
        "begins": starts_at or APPROVAL,
        "ends": ends_at,
    }


@approvals.required(
    "members.end_limit", right=RIGHT, concerns=("limit.member_id",), title=_("End a limit"), lines=_LINES
)
def end(*, limit: Limit, by: Actor, reason: str) -> Effect:
    """The limit is over: one that is less specific holds where it covers the same, else what other limits allow.

    Where no limit of amounts is left for it, or none of balances, nothing of it is allowed any more.
    """
    with versions.one_at_a_time():
        limit = _in_force(limit)
        at = max(clock.now(), limit.starts_at)
        versions.end(limit, at=at)
        trail.tell(limit, by=by, reason=reason)
    return {"limit": limit.name, "whom": _whom(limit), "cap": limit.capped, "then": limit_ends.then(limit, at)}


@act
def lower(*, limit: Limit, cap: int, by: Actor, reason: str) -> Limit:
    """The limit is ``cap`` from now on, for as long as it was to be in force. Refused where that is no less."""
    check_not_own(by, limit.member_id)
    with versions.one_at_a_time():
        old = _in_force(limit)
        new = _again(old, cap=cap, by=by, reason=reason)
        _check(new)
        if cap >= old.cap:
            raise LimitNotLower(given=new.capped, cap=old.capped)
        trail.tell(*versions.put(new, Limit.objects.like(old)), by=by, reason=reason)
    audit.record(by=by, act="limit.lowered", subject=new, before=_told(old), after=_told(new), reason=reason)
    return new


def _in_force(limit: Limit) -> Limit:
    found = Limit.objects.get(pk=limit.pk)
    over = found.ends_at is not None and (found.ends_at <= clock.now() or found.ends_at == found.starts_at)
    if over:
        raise LimitNotInForce
    return found


def _again(old: Limit, *, cap: int, by: Actor, reason: str) -> Limit:
    same = {name: getattr(old, name) for name in Limit.KEY}
    return Limit(
        **same,
        cap=cap,
        starts_at=max(clock.now(), old.starts_at),
        ends_at=old.ends_at,
        set_by=str(by),
        reason=clear(reason).strip(),
    )


def _whom(limit: Limit) -> Member | Tier | str:
    return limit.member or limit.tier or limit.whom


def _told(limit: Limit) -> dict[str, Any]:
    return {"limit": limit.name, "whom": limit.whom, "cap": limit.capped}


def _check(limit: Limit) -> None:
    balance = limit.measure == Measure.BALANCE
    allowed: dict[str, bool] = {
        "kind": limit.kind == Limit.ANY or (limit.kind in Kind.values and not balance),
        "currency": limit.currency in SCALES and limit.currency not in OWN_UNITS,
        "measure": limit.measure in Measure.values,
        "period": limit.period in Period.values
        and balance == (limit.period == Period.ALWAYS)
        and (limit.measure, limit.period) != (Measure.COUNT, Period.ACT),
        "cap": 0 <= limit.cap <= CAP_MAX,
        "level": limit.level is None or 0 <= limit.level <= 3,  # noqa: PLR2004  identity levels
        "whom": sum(each is not None for each in (limit.member_id, limit.tier_id, limit.level)) <= 1,
        "reason": 1 <= len(limit.reason) <= 255,  # noqa: PLR2004  the column's width
        "ends_at": limit.ends_at is None or limit.ends_at > limit.starts_at,
    }
    for field, fine in allowed.items():
        if not fine:
            given = limit.whom if field == "whom" else getattr(limit, field)
            raise InvalidLimit(field=field, given=given)


# Per currency, in whole units: level → (balance, joint amount a day, a month, a year, each withdrawal).
_DEFAULTS: Final = {
    0: (1_000, 500, 2_000, 10_000, 0),
    1: (10_000, 5_000, 20_000, 100_000, 2_000),
    2: (100_000, 50_000, 200_000, 1_000_000, 20_000),
    3: (1_000_000, 200_000, 2_000_000, 10_000_000, 100_000),
}
# What a unit of each is about worth in euros or dollars.
_WORTH: Final = {"CNY": 10, "EUR": 1, "JPY": 100, "USD": 1}
_TRANSFERS_A_DAY: Final = {0: 10, 1: 50, 2: 200, 3: 1_000}


@act
def set_defaults(*, currencies: tuple[str, ...] = tuple(_WORTH), by: Actor = SYSTEM) -> int:
    """Each identity level has limits to begin with in ``currencies``; how many rows that took.

    For a new site. A currency in which any limit was ever set stays as operators left it.
    """
    with versions.one_at_a_time():
        known = set(Limit.objects.filter(currency__in=currencies).values_list("currency", flat=True))
        rows = [row for currency in currencies if currency not in known for row in _defaults(currency, by)]
        for row in rows:
            _check(row)
            row.save(force_insert=True)
    if rows:
        new = sorted({row.currency for row in rows})
        trail.tell(*rows, by=by)
        audit.record(by=by, act="limit.defaults", subject="limits", after={"currencies": new, "rows": len(rows)})
    return len(rows)


def _defaults(currency: str, by: Actor) -> list[Limit]:
    if currency not in _WORTH:
        raise InvalidLimit(field="currency", given=currency)
    now, unit = clock.now(), _WORTH[currency] * 10 ** SCALES[currency]

    def limit(level: int, kind: str, measure: str, period: str, cap: int) -> Limit:
        return Limit(
            level=level,
            kind=kind,
            currency=currency,
            measure=measure,
            period=period,
            cap=cap,
            starts_at=now,
            set_by=str(by),
            reason="to begin with",
        )

    return [
        made
        for level, (balance, day, month, year, withdrawal) in _DEFAULTS.items()
        for made in (
            limit(level, Limit.ANY, Measure.BALANCE, Period.ALWAYS, balance * unit),
            limit(level, Limit.ANY, Measure.AMOUNT, Period.DAY, day * unit),
            limit(level, Limit.ANY, Measure.AMOUNT, Period.MONTH, month * unit),
            limit(level, Limit.ANY, Measure.AMOUNT, Period.YEAR, year * unit),
            limit(level, Kind.WITHDRAWAL, Measure.AMOUNT, Period.ACT, withdrawal * unit),
            limit(level, Kind.TRANSFER, Measure.COUNT, Period.DAY, _TRANSFERS_A_DAY[level]),
        )
    ]
