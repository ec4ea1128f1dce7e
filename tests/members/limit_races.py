"""A race for what is left of a joint limit."""

from collections.abc import Callable
from typing import Any

from members.models import LimitUse
from members.services.limits import Kind, LimitExceeded
from tests.members.limiting import NOON, cap, someone, take, used
from tests.members.races import winners

KINDS = list(Kind)


def joint_limit(together: Callable[[int, Callable[[int], Any]], list[Any]], count: int) -> None:
    """There is room for half of those who want it, each by another kind of act: exactly they get it."""
    enough = max(1, count // 2)
    ada = someone()
    limit = cap(10 * enough, member=ada)

    told = together(
        count, lambda number: take(ada, 10, f"race:{ada.pk}:{number}", kind=KINDS[number % len(KINDS)]) or "taken"
    )

    assert len(winners(told, LimitExceeded)) == enough
    assert LimitUse.objects.filter(member=ada).count() == enough
    assert used(ada, NOON)[limit.name] == limit.cap


def one_source(together: Callable[[int, Callable[[int], Any]], list[Any]], count: int) -> None:
    """However often one source takes at once, it counts once and nobody hears of it."""
    ada = someone()
    limit = cap(10, member=ada)

    told = together(count, lambda _number: take(ada, 10, f"race:{ada.pk}") or "taken")

    assert told == ["taken"] * count
    assert used(ada, NOON)[limit.name] == 10
