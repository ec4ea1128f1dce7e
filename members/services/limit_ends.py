"""What holds of members when a limit of theirs has ended: told to whoever decides that it does."""

from datetime import datetime
from typing import Any, Final

from django.db.models import Q, TextChoices
from django.utils.translation import gettext_lazy as _

from members.models import Limit
from members.services import tiers
from paymentsite.core import clock
from paymentsite.core.effects import Effect
from paymentsite.core.money import Money

Measure = Limit.Measure

_EVERYBODY: Final = Q(member=None, tier=None, level=None)
_LEVELS: Final = range(4)


class Without(TextChoices):
    """What holds where no other limit covers the same."""

    NOTHING = "nothing", _("nothing of it is allowed any more")
    OTHERS = "others", _("no more than other limits allow")


def in_words(cap: Any) -> str:
    """A cap that is no amount: a number of times, or what holds without one."""
    return str(Without(cap).label) if cap in Without.values else str(cap)


def then(limit: Limit, at: datetime) -> list[Effect]:
    """What holds from ``at`` on, when ``limit`` has ended: of a tier by identity levels, where they differ."""
    whom = limit.member or limit.tier or limit.whom
    if limit.tier is None:
        return [{"whom": whom, "cap": _cap(limit, _circle(limit), at)}]
    caps = {level: _cap(limit, _circle(limit) | Q(level=level), at) for level in _LEVELS}
    if len(set(caps.values())) == 1:
        return [{"whom": whom, "cap": caps[0]}]
    return [{"whom": f"level:{level}", "cap": cap} for level, cap in caps.items()]


def _circle(limit: Limit) -> Q:
    """Of whom limits are that hold of those of whom ``limit`` is."""
    if limit.member:
        tier = tiers.of(limit.member, clock.now())
        return _EVERYBODY | Q(member=limit.member) | Q(tier=tier) | Q(level=limit.member.kyc_level)
    if limit.tier:
        return _EVERYBODY | Q(tier=limit.tier)
    return _EVERYBODY if limit.level is None else _EVERYBODY | Q(level=limit.level)


def _cap(limit: Limit, circle: Q, at: datetime) -> Money | int | str:
    rows = list(Limit.objects.at(at).filter(circle, currency=limit.currency))
    if same := [row for row in rows if row.sort == limit.sort]:
        holds: Limit = max(same, key=lambda row: row.specificity)
        return holds.capped
    return Without.OTHERS if any(_allows(row, limit) for row in rows) else Without.NOTHING


def _allows(other: Limit, limit: Limit) -> bool:
    """Whether ``other`` allows something of what ``limit`` was about: see ``limits.take`` and ``check_balance``."""
    if Measure.BALANCE in {limit.measure, other.measure}:
        return False
    return other.measure == Measure.AMOUNT and (limit.kind == Limit.ANY or other.kind in {limit.kind, Limit.ANY})
