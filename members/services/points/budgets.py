"""Campaign budgets: taking from one, and giving back."""

from collections.abc import Iterable

from django.db.models import F

from members.models import EarnBudget


def take(budget_id: int, wanted: int) -> int:
    """How many of ``wanted`` points the campaign may still give: all, what is left, or none. They are taken.

    The conditional UPDATE decides, whoever else takes at the same moment. Take in the order of ids: two acts that
    take from the same budgets then queue.
    """
    while (part := min(wanted, EarnBudget.objects.get(pk=budget_id).left)) > 0:
        room = EarnBudget.objects.filter(pk=budget_id, used__lte=F("total") - part)
        if room.update(used=F("used") + part):
            return part
    return 0


def give_back(taken: Iterable[tuple[int | None, int]]) -> None:
    """Points that came back to the house can be given by their campaign again; pairs of budget and points."""
    sums: dict[int, int] = {}
    for budget_id, points in taken:
        if budget_id is not None and points:
            sums[budget_id] = sums.get(budget_id, 0) + points
    for budget_id in sorted(sums):
        EarnBudget.objects.filter(pk=budget_id).update(used=F("used") - sums[budget_id])
