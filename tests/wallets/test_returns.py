"""Money that came back, whole or in part, whenever that is heard: nobody has what is not there."""

import pytest

from members.models import LimitUse, Notice
from paymentsite.core.actors import SYSTEM
from paymentsite.core.ids import EPOCH
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance, Journal
from tests.terms import told
from tests.wallets.deciding import clean, decide, items, staff
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, top_up, wallet, withdraw
from wallets.gateways.base import Answer, Outcome
from wallets.models import FeeRule, FeeUse, GatewayOrder, TopUp, Withdrawal
from wallets.services import bookings, conflicts, outcomes, wallets
from wallets.services.orders import Origin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]

# Begun and left so: unknown for ever, under way, waiting for the member.
UNDECIDED = [1_016, 1_002, 1_004]


@pytest.fixture(autouse=True)
def priced() -> None:
    for kind in ("top_up", "withdrawal"):
        told(FeeRule.objects.create(kind=kind, currency="EUR", fixed_minor=30, starts_at=EPOCH, set_by="test:1"))


def hear(
    order: GatewayOrder, outcome: Outcome, amount: Money | None = None, *, origin: Origin = Origin.NOTIFICATION
) -> GatewayOrder:
    told = Answer(outcome=outcome, amount=amount)
    outcomes.settle(order=order, answer=told, origin=origin, gateway=order.gateway)
    order.refresh_from_db()
    return order


def cleared() -> Money:
    return -books.standing(bookings.clearing("sandbox", "EUR")).posted


def counted() -> tuple[int, int]:
    """How often limits and prices count what was taken."""
    return tuple(model.objects.filter(given_back_at=None).count() for model in (LimitUse, FeeUse))


def notices() -> set[str]:
    return set(Notice.objects.exclude(kind="pin_changed").values_list("kind", flat=True))


@pytest.mark.parametrize("minor", UNDECIDED)
@pytest.mark.parametrize("told", [None, "whole"])
def test_top_up_first_heard_of_as_returned_was_never_the_members(minor, told):
    purse = wallet()
    order = top_up(purse, minor)

    hear(order, Outcome.RETURNED, eur(minor) if told else None)

    assert (order.state, holds(purse), cleared(), counted()) == ("returned", eur(0), eur(0), (0, 0))
    assert (notices(), items(), clean()) == ({"top_up_sent_back"}, set(), True)
    assert not Journal.objects.filter(source=order.source).exists()


@pytest.mark.parametrize("late", [Outcome.SUCCEEDED, Outcome.FAILED, Outcome.RETURNED, Outcome.PENDING])
def test_nothing_that_is_heard_after_it_changes_that(late):
    purse = wallet()
    order = hear(top_up(purse, 1_016), Outcome.RETURNED)

    hear(order, late)

    assert (order.state, holds(purse), cleared(), counted(), clean()) == ("returned", eur(0), eur(0), (0, 0), True)


@pytest.mark.parametrize("minor", UNDECIDED)
def test_withdrawal_first_heard_of_as_returned_is_let_go_whole_and_once(minor):
    purse = wallet(5_000)
    order = withdraw(purse, minor)

    for outcome in (Outcome.RETURNED, Outcome.SUCCEEDED, Outcome.RETURNED, Outcome.FAILED):
        hear(order, outcome)

    assert (order.state, holds(purse), wallets.available(purse)) == ("returned", eur(5_000), eur(5_000))
    assert (cleared(), counted(), items(), clean()) == (eur(0), (0, 0), set(), True)


def test_top_up_that_failed_and_was_returned_is_nobodys_when_its_success_is_heard():
    purse = wallet()
    order = hear(hear(top_up(purse, 1_001), Outcome.RETURNED), Outcome.SUCCEEDED)

    assert (order.state, holds(purse), cleared(), counted()) == ("returned", eur(0), eur(0), (0, 0))
    assert (items(), clean()) == (set(), True)


@pytest.mark.parametrize("minor", [*UNDECIDED, 1_001])
def test_top_up_of_which_a_part_came_back_waits_for_staff_with_what_stayed(minor):
    purse = wallet()
    order = top_up(purse, minor)

    for outcome, amount in ((Outcome.RETURNED, eur(300)), (Outcome.SUCCEEDED, None), (Outcome.RETURNED, eur(300))):
        hear(order, outcome, amount)

    assert (order.state, order.moved, order.came_back) == ("conflict", eur(minor - 300), eur(300))
    assert (holds(purse), cleared(), items(), clean()) == (eur(0), eur(0), {"order_differs"}, True)


def test_what_stayed_of_a_top_up_is_booked_when_two_people_accept_it():
    purse = wallet()
    order = hear(top_up(purse, 1_016), Outcome.RETURNED, eur(300))

    decide(conflicts.accept(order=order, by=staff(), reason="seen on their console"))

    assert (holds(purse), cleared(), items(), clean()) == (eur(686), eur(716), set(), True)


@pytest.mark.parametrize(("again", "shown"), [(eur(300), set()), (eur(200), {"order_contradicts"})])
def test_part_that_is_told_again_after_the_decision_is_known(again, shown):
    purse = wallet()
    order = hear(top_up(purse, 1_016), Outcome.RETURNED, eur(300))
    decide(conflicts.accept(order=order, by=staff(), reason="seen on their console"))

    hear(order, Outcome.RETURNED, again)

    assert (order.moved, holds(purse), items()) == (eur(716), eur(686), shown)


def test_rest_that_comes_back_after_the_decision_is_missing_in_suspense():
    purse = wallet()
    order = hear(top_up(purse, 1_016), Outcome.RETURNED, eur(300))
    decide(conflicts.accept(order=order, by=staff(), reason="seen on their console"))

    hear(order, Outcome.RETURNED, eur(1_016))

    suspended = books.standing(bookings.suspense("EUR")).posted
    assert (order.state, suspended, cleared(), items()) == ("returned", eur(-716), eur(0), {"order_charged_back"})
    assert clean()


def test_what_stayed_of_a_withdrawal_leaves_the_hold_when_two_people_accept_it():
    purse = wallet(5_000)
    order = hear(withdraw(purse, 1_016), Outcome.RETURNED, eur(300))
    assert (order.state, wallets.available(purse)) == ("conflict", eur(3_954))

    decide(conflicts.accept(order=order, by=staff(), reason="on the bank's statement"))

    assert (holds(purse), wallets.available(purse), cleared()) == (eur(4_254), eur(4_254), eur(-716))
    assert (items(), clean()) == (set(), True)


def test_part_of_a_failed_withdrawal_is_believed_when_the_gateway_was_asked():
    purse = wallet(5_000)
    order = hear(withdraw(purse, 1_001), Outcome.RETURNED, eur(300))
    assert order.state == "failed"

    hear(order, Outcome.RETURNED, eur(300), origin=Origin.QUERY)

    assert (order.state, order.moved, items()) == ("conflict", eur(701), {"order_differs"})


@pytest.mark.parametrize("kind", [TopUp, Withdrawal])
def test_more_that_comes_back_while_staff_decides_is_less_to_decide_about(kind):
    purse = wallet(5_000)
    order = top_up(purse, 1_010) if kind is TopUp else withdraw(purse, 1_010)
    assert (order.state, order.moved) == ("conflict", eur(1_009))

    for _ in range(2):
        hear(order, Outcome.RETURNED, eur(300))
    assert (order.state, order.moved, order.came_back) == ("conflict", eur(709), eur(300))

    hear(order, Outcome.RETURNED, eur(1_009))
    assert (order.state, holds(purse), wallets.available(purse)) == ("returned", eur(5_000), eur(5_000))
    assert (cleared(), items(), clean()) == (eur(0), set(), True)


@pytest.mark.parametrize("strange", [Money(1_016, "USD"), eur(2_000)])
def test_return_of_what_never_moved_is_believed_by_nobody(strange):
    purse = wallet()
    order = hear(top_up(purse, 1_016), Outcome.RETURNED, strange)

    assert (order.state, holds(purse), items()) == ("unknown", eur(0), {"order_contradicts"})


def test_part_of_what_is_booked_books_nothing_and_is_shown_to_a_person():
    purse = wallet()
    order = hear(top_up(purse, 1_000), Outcome.RETURNED, eur(300))

    assert (order.state, holds(purse), items()) == ("succeeded", eur(970), {"order_contradicts"})


def test_withdrawal_that_came_back_before_its_frozen_account_thawed_is_let_go():
    purse = wallet(5_000)
    order = withdraw(purse, 1_002)
    ledger.set_status(account=purse.account, status=Balance.Status.FROZEN, by=SYSTEM, reason="order of a court")
    hear(order, Outcome.SUCCEEDED)
    assert (order.state, items()) == ("pending", {"order_not_bookable"})

    hear(order, Outcome.RETURNED)

    ledger.set_status(account=purse.account, status=Balance.Status.OPEN, by=SYSTEM, reason="over")
    assert (order.state, wallets.available(purse), items(), clean()) == ("returned", eur(5_000), set(), True)


@pytest.mark.parametrize("origin", [Origin.NOTIFICATION, Origin.QUERY])
def test_withdrawal_that_differs_and_is_then_said_to_have_failed_is_not_decided_unseen(origin):
    order = withdraw(wallet(5_000), 1_010)
    assert order.state == "conflict"

    hear(order, Outcome.FAILED, origin=origin)

    assert (order.state, items()) == ("conflict", {"order_differs", "order_contradicts"})
    assert order.events.latest("pk").outcome == "failed"


@pytest.mark.parametrize("state", ["conflict", "succeeded"])
def test_success_of_another_amount_than_was_said_before_is_seen(state):
    order = top_up(wallet(), 1_010 if state == "conflict" else 1_000)
    assert order.state == state
    before = (order.moved, items())

    hear(order, Outcome.SUCCEEDED, order.moved)
    hear(order, Outcome.SUCCEEDED)
    assert (order.moved, items()) == before

    hear(order, Outcome.SUCCEEDED, eur(999))
    assert (order.state, order.moved) == (state, before[0])
    assert items() == before[1] | {"order_contradicts"}


def test_less_that_came_back_before_anything_was_booked_is_seen():
    order = hear(top_up(wallet(), 1_002), Outcome.RETURNED, eur(300))
    before = items()

    hear(order, Outcome.RETURNED, eur(300))
    assert items() == before

    hear(order, Outcome.RETURNED, eur(200))
    assert (order.moved, items()) == (eur(702), before | {"order_contradicts"})
