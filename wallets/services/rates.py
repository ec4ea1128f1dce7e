"""Exchange rates: taking them in, and which one holds now."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.effects import Effect, Line
from paymentsite.core.errors import Conflict, Invalid, Refused, Unavailable, as_moment
from paymentsite.core.money import Unit
from paymentsite.core.rates import Rate
from paymentsite.core.services import approvals, audit, trail
from paymentsite.core.units import OWN_UNITS
from wallets import conversion
from wallets.models import ExchangeRate
from wallets.models.exchanges import BY_HAND

RIGHT: Final = "wallets.approve_rate"
# A source whose rate jumps by more than this at once is more often broken than right: two people look at it.
JUMP_MAX: Final = Decimal("0.2")
_LARGEST, _SMALLEST = Decimal(10) ** 12, Decimal(10) ** -12
_DIGITS_MAX: Final = 24
_SOURCE_MAX: Final = 60


class RateMissing(Unavailable):
    code = "rate_missing"
    sentence = gettext_noop("There is no rate from {base} to {quote}.")


class RateStale(Unavailable, at=as_moment):
    code = "rate_stale"
    sentence = gettext_noop("The rate from {base} to {quote} is of {at}, which is too old to exchange by.")


class RateWrong(Invalid):
    code = "rate_wrong"
    sentence = gettext_noop("“{given}” cannot be a rate from {base} to {quote}.")


class RateFromFuture(Invalid, at=as_moment):
    code = "rate_from_future"
    sentence = gettext_noop("A rate cannot be of {at}, which is later than now.")


class RateDiffers(Conflict):
    code = "rate_differs"
    sentence = gettext_noop("{source} gave another rate from {base} to {quote} for the same moment before: {value}.")


class RateJumps(Refused):
    code = "rate_jumps"
    sentence = gettext_noop(
        "From {base} to {quote} the rate would jump from {before} to {after}. Propose it by hand: two people decide."
    )


@act
def take_in(*, rates: Iterable[Rate], by: Actor) -> list[ExchangeRate]:
    """What a source says is recorded, all or none. The same again changes nothing; another value for the same moment
    is a conflict, and a jump is for two people."""
    return [_recorded(rate, by=by, jump=JUMP_MAX) for rate in rates]


@approvals.required(
    "wallets.set_rate",
    right=RIGHT,
    concerns=approvals.NOBODY,
    title=_("Set an exchange rate"),
    lines={"rate": Line(_("rate")), "at": Line(_("as of"), as_moment)},
)
def set_by_hand(*, base: str, quote: str, value: Decimal, at: datetime, by: Actor, reason: str) -> Effect:
    """A rate that one person proposes and another approves; it may jump."""
    row = _recorded(_rate(base, quote, value, BY_HAND, at), by=by, jump=None)
    trail.tell(row, by=by, reason=reason)
    audit.record(by=by, act="rate.set", subject=row, after=str(row), reason=reason)
    return {"rate": str(row), "at": row.at}


def current(base: str, quote: str, now: datetime) -> Rate:
    """The newest rate from ``base`` to ``quote``, or through the pivot where nobody gives a direct one.

    Never the way back of another rate. One that is too old refuses: it is not replaced by an older or a crossed one.
    """
    rate = newest(base, quote, now)
    if now - rate.at > timedelta(minutes=settings.EXCHANGE_RATE_MINUTES):
        raise RateStale(base=base, quote=quote, at=rate.at)
    return rate


def newest(base: str, quote: str, now: datetime) -> Rate:
    """The same however old it is: for what has happened, and must be counted by some rate."""
    rate = _latest(base, quote, now)
    pivot = settings.EXCHANGE_PIVOT
    if rate is None and pivot not in {base, quote}:
        first, second = _latest(base, pivot, now), _latest(pivot, quote, now)
        rate = conversion.crossed(first, second) if first and second else None
    if rate is None:
        raise RateMissing(base=base, quote=quote)
    return rate


def _latest(base: str, quote: str, now: datetime) -> Rate | None:
    row = ExchangeRate.objects.of(base, quote).filter(at__lte=now).newest_first().first()
    return row.rate if row else None


def _recorded(rate: Rate, *, by: Actor, jump: Decimal | None) -> ExchangeRate:
    rate = _rate(rate.base, rate.quote, rate.value, rate.source, rate.at)
    now = clock.now()
    if rate.at > now:
        raise RateFromFuture(at=rate.at)
    value = conversion.text(rate.value)
    row, made = ExchangeRate.objects.get_or_create(
        base=rate.base,
        quote=rate.quote,
        source=rate.source,
        at=rate.at,
        defaults={"value": value, "recorded_at": now, "actor": str(by)},
    )
    if row.value != value:
        raise RateDiffers(source=row.source, base=row.base, quote=row.quote, value=row.value)
    if made and jump is not None:
        _check_jump(row, jump)
    return row


def _check_jump(row: ExchangeRate, jump: Decimal) -> None:
    before = ExchangeRate.objects.of(row.base, row.quote).exclude(pk=row.pk).newest_first().first()
    if before is None:
        return
    old, new = Decimal(before.value), Decimal(row.value)
    if abs(new - old) > jump * old:
        raise RateJumps(base=row.base, quote=row.quote, before=before.value, after=row.value)


def _rate(base: str, quote: str, value: Decimal, source: str, at: datetime) -> Rate:
    for unit in (base, quote):
        if Unit.of(unit).code in OWN_UNITS:
            raise RateWrong(given=value, base=base, quote=quote)
    fits = value.is_finite() and _SMALLEST <= value <= _LARGEST
    if not fits or base == quote or len(value.normalize().as_tuple().digits) > _DIGITS_MAX:
        raise RateWrong(given=value, base=base, quote=quote)
    if not (1 <= len(source) <= _SOURCE_MAX and source.isprintable()):
        raise RateWrong(given=source, base=base, quote=quote)
    return Rate(base, quote, value, source, at)
