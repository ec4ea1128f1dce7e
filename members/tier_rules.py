"""How a member goes up and down: what follows from where they stand and what they earned. Knows no rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

_STEP_MIN: Final = timedelta(days=1)


class Reason(TextChoices):
    """Why somebody's tier is another one, or is kept for another reason than before."""

    EARNED = "earned", _("earned")
    GRACE_OVER = "grace_over", _("grace over")
    GIVEN = "given", _("given")
    GIVEN_ENDED = "given_ended", _("what was given ended")
    BOUGHT = "bought", _("bought")
    BOUGHT_ENDED = "bought_ended", _("what was bought ended")
    PROGRAMME_CHANGED = "programme_changed", _("programme changed")


@dataclass(frozen=True, slots=True)
class Standing:
    """The rank somebody has; the one they keep whatever they earn, until when; when the grace ends that runs."""

    rank: int
    kept: int | None = None
    kept_until: datetime | None = None
    grace_until: datetime | None = None

    @property
    def lent(self) -> bool:
        """Whether the rank is what was given or bought, and not more."""
        return self.kept is not None and self.rank <= self.kept


@dataclass(frozen=True, slots=True)
class Floor:
    """A rank that was given or bought, and until when it is kept."""

    rank: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """All ranks, how long one stays after earning less, and whether one then goes down by one or straight."""

    ranks: Sequence[int]
    grace: timedelta
    one_step: bool

    def below(self, rank: int) -> int:
        return max((each for each in self.ranks if each < rank), default=rank)


def step(
    now_standing: Standing, *, earned: int, rules: Rules, now: datetime, beneath: Floor | None = None
) -> tuple[Standing, Reason | None]:
    """The next change that is due at ``now``, and why; without a reason nothing of it is left to do.

    What was given or bought ends on its moment, and what lies ``beneath`` it and still runs is kept from then on;
    grace is for what was earned.
    """
    standing = now_standing
    if standing.kept_until is not None and standing.kept_until <= now:
        falls_to = max(earned, beneath.rank) if beneath else earned
        left = Standing(
            min(standing.rank, falls_to) if standing.lent else standing.rank,
            kept=beneath.rank if beneath else None,
            kept_until=beneath.until if beneath else None,
            grace_until=None if standing.lent else standing.grace_until,
        )
        return left, Reason.GIVEN_ENDED

    target = earned if standing.kept is None else max(earned, standing.kept)
    if target > standing.rank:
        return replace(standing, rank=target, grace_until=None), Reason.EARNED
    if target == standing.rank:
        return replace(standing, grace_until=None), None

    grace_until = standing.grace_until or now + rules.grace
    if grace_until > now:
        return replace(standing, grace_until=grace_until), None
    rank = max(target, rules.below(standing.rank)) if rules.one_step else target
    next_end = now + max(rules.grace, _STEP_MIN) if rank > target else None
    return replace(standing, rank=rank, grace_until=next_end), Reason.GRACE_OVER
