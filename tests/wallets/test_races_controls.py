"""The races of transfers again, each against the bug that it is there to find."""

from collections.abc import Iterable

import pytest

from members.models import Member
from members.models.members import MemberQuerySet
from tests.planting import turns_red
from tests.wallets import races
from wallets.models import MoneyRequest, Transfer
from wallets.services import gift_links, requests, transfers

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def disordered(monkeypatch) -> None:
    """Members are locked in the order in which they are named: the sender first."""

    def lock_as_named(members: MemberQuerySet, pks: Iterable[int]) -> dict[int, Member]:
        return {pk: members.lock(pk) for pk in pks}

    monkeypatch.setattr(MemberQuerySet, "lock_all", lock_as_named)


@pytest.mark.usefixtures("floorless")
def test_money_without_a_floor_is_spent_again(together, monkeypatch):
    """Nor does the wallet look whether it is covered, in the same turn."""
    monkeypatch.setattr(transfers, "check_covered", lambda _purse, _total: None)

    turns_red(races.money_for_some, together, 8)


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize(
    "race",
    [
        races.one_reference,
        races.one_request,
        races.one_gift,
        races.gift_or_return,
        races.one_due_day,
        races.leaving_or_receiving,
    ],
    ids=lambda race: race.__name__,
)
def test_without_a_lock_on_the_members_they_are_fought_for(together, race):
    turns_red(race, together, 8)


@pytest.mark.usefixtures("unlocked")
def test_request_without_locks_and_constraint_is_paid_twice(together, without, monkeypatch):
    without(Transfer, "wallets_transfer_occasion_once")
    # Nor is it asked whether it was still open.
    monkeypatch.setattr(
        requests,
        "_end",
        lambda request, state, transfer=None: MoneyRequest.objects.filter(pk=request.pk).update(
            state=state, transfer=transfer, ended_at=request.asked_at
        ),
    )
    turns_red(races.one_request, together, 8)


def test_gift_that_is_never_looked_at_again_is_fought_for(together, monkeypatch):
    """Only the hold in the books then keeps it from going out twice."""
    monkeypatch.setattr(gift_links, "_check_open", lambda _gift, _now: None)

    turns_red(races.one_gift, together, 8)


@pytest.mark.usefixtures("disordered", "quick_to_see_deadlocks")
def test_members_locked_out_of_order_wait_for_each_other(together):
    turns_red(races.crossing, together, 8, acts=2)
