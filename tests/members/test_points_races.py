"""Points on PostgreSQL, many at once: exactly what is allowed; each race also against the bug it is there to find."""

import pytest

from members.models import EarnBudget, Earning, Referral
from members.services.points import budgets
from tests.members import points_races as races
from tests.planting import turns_red

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("count", [8, 32])
def test_campaign_gives_exactly_its_budget(together, count):
    for _ in range(2):
        races.last_of_a_campaign(together, count)


@pytest.mark.parametrize("count", [2, 16])
def test_pending_points_are_given_once(together, count):
    for _ in range(2):
        races.maturing_at_once(together, count)


@pytest.mark.parametrize("count", [2, 16])
def test_refund_and_maturing_at_once_leave_nothing(together, count):
    for _ in range(3):
        races.refund_while_maturing(together, count)


@pytest.mark.parametrize("count", [2, 16])
def test_purchase_final_while_its_referral_is_found_to_wait_is_not_missed(together, count):
    for _ in range(3):
        races.final_while_rewarding(together, count)


def test_without_the_referral_s_lock_such_a_purchase_is_missed(together, monkeypatch):
    monkeypatch.setattr(Referral.objects, "select_for_update", Referral.objects.all)
    turns_red(races.final_while_rewarding, together, 16)


def test_campaign_whose_counter_is_read_and_written_is_overrun(together, without, monkeypatch):
    without(EarnBudget, "members_earn_budget_kept")

    def take(budget_id, wanted):
        found = EarnBudget.objects.get(pk=budget_id)
        part = min(wanted, found.left)
        if part > 0:
            found.used += part
            found.save(update_fields=["used"])
        return max(part, 0)

    monkeypatch.setattr(budgets, "take", take)
    turns_red(races.last_of_a_campaign, together, 32)


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize("race", [races.maturing_at_once, races.refund_while_maturing])
def test_without_the_members_lock_points_are_not_given_in_turn(together, race, monkeypatch):
    # Nor does the last look before giving: the conditional UPDATE alone would let one of two through.
    monkeypatch.setattr(Earning.objects.pending().__class__, "update", _any_way)
    turns_red(race, together, 16)


def _any_way(self, **values):
    """Change the row whatever it says meanwhile."""
    return super(type(self), Earning.objects.filter(pk__in=list(self.values_list("pk", flat=True)))).update(**values)
