"""Giving back what came: it may fail after it was done, or never be answered, and is decided by people then."""

from datetime import timedelta

import pytest
from django.test import override_settings

from members.models import Notice
from paymentsite.core import clock
from paymentsite.core.money import Money
from paymentsite.ledger.models import Journal
from tests.wallets.deciding import clean, decide, items, staff
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, gateway, let_time_pass, top_up, wallet
from wallets.gateways.base import Answer, OrderKind, Outcome
from wallets.models import TopUp
from wallets.services import conflicts, janitor, orders, outcomes, refunds
from wallets.services.conflicts import NothingToDecide
from wallets.services.orders import Origin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]


def returning(minor: int = 1_010) -> TopUp:
    """What is being given back; its gateway was not asked yet."""
    order = top_up(wallet(), minor)
    decide(conflicts.give_back(order=order, by_hand=False, by=staff(), reason="not ours"))
    order.refresh_from_db()
    return order


def hear(order: TopUp, outcome: Outcome, amount: Money | None = None, *, gateway: str = "sandbox") -> TopUp:
    told = Answer(outcome=outcome, amount=amount, reason="as told")
    refunds.settle(order=order, answer=told, origin=Origin.NOTIFICATION, gateway=gateway)
    order.refresh_from_db()
    return order


def last_event(order: TopUp) -> tuple[str, str]:
    event = orders.events(order).last()
    assert event is not None
    return event.state, event.outcome


@pytest.mark.parametrize("undone", [Outcome.FAILED, Outcome.RETURNED])
def test_refund_that_fails_after_it_was_done_is_decided_again(undone):
    order = hear(returning(), Outcome.SUCCEEDED)
    assert (order.state, items()) == ("returned", set())

    hear(order, undone)

    assert (order.state, items(), last_event(order)) == ("conflict", {"order_differs"}, ("conflict", undone))
    assert clean()


def test_given_back_again_it_goes_under_a_new_name():
    order = hear(hear(returning(), Outcome.SUCCEEDED), Outcome.FAILED)
    first = order.refund_id

    decide(conflicts.give_back(order=order, by_hand=False, by=staff(), reason="again"))
    let_time_pass(timedelta(minutes=10))

    order.refresh_from_db()
    assert (order.state, order.refund_id != first, items(), clean()) == ("returned", True, set(), True)
    assert gateway().query(order.refund_id.hex, OrderKind.REFUND).outcome == Outcome.SUCCEEDED
    assert Notice.objects.filter(kind="top_up_sent_back").count() == 1
    assert not Journal.objects.filter(source=order.source).exists()


def test_payment_keeps_its_name_at_the_gateway_whatever_its_refund_is_called_there():
    order = returning(1_021)
    let_time_pass(timedelta(minutes=1))
    let_time_pass(timedelta(hours=1), since=clock.now() + timedelta(minutes=1))

    order.refresh_from_db()
    assert (order.state, order.gateway_reference) == ("conflict", f"sb_{order.public_id.hex}")


def test_accepted_after_its_refund_failed_it_is_booked_and_counts():
    order = hear(hear(returning(), Outcome.SUCCEEDED), Outcome.FAILED)

    decide(conflicts.accept(order=order, by=staff(), reason="then it is theirs"))

    assert (holds(order.wallet), items(), clean()) == (eur(1_009), set(), True)


@pytest.mark.parametrize("said", [Outcome.SUCCEEDED, Outcome.PENDING])
def test_refund_told_again_changes_nothing(said):
    order = hear(returning(), Outcome.SUCCEEDED)

    hear(order, said)

    assert (order.state, items()) == ("returned", set())


def test_answer_about_an_earlier_refund_is_not_taken_for_the_one_under_way():
    order = returning()
    earlier = TopUp.objects.get(pk=order.pk)
    hear(order, Outcome.FAILED)
    decide(conflicts.give_back(order=order, by_hand=False, by=staff(), reason="again"))

    hear(earlier, Outcome.SUCCEEDED)

    order.refresh_from_db()
    assert order.state == "returning"


@pytest.mark.parametrize(
    ("said", "item"), [(Outcome.SUCCEEDED, {"order_contradicts"}), (Outcome.FAILED, set()), (Outcome.PENDING, set())]
)
def test_what_another_gateway_says_of_it_changes_nothing(said, item):
    order = returning()

    hear(order, said, gateway="another")

    assert (order.state, last_event(order), items()) == ("returning", ("returning", said), item)


def test_refund_of_a_part_leaves_the_rest_to_be_decided():
    order = hear(returning(), Outcome.SUCCEEDED, eur(400))

    assert (order.state, order.moved, order.came_back, items()) == ("conflict", eur(609), eur(400), {"order_differs"})


@pytest.mark.parametrize("strange", [eur(2_000), Money(1_009, "USD")])
def test_refund_of_something_else_leaves_all_of_it_to_be_decided(strange):
    order = hear(returning(), Outcome.SUCCEEDED, strange)

    assert (order.state, order.moved, items()) == ("conflict", eur(1_009), {"order_differs"})


def test_part_that_comes_back_by_itself_while_it_is_given_back_is_shown_to_a_person():
    order = returning()

    told = Answer(outcome=Outcome.RETURNED, amount=eur(300))
    outcomes.settle(order=order, answer=told, origin=Origin.NOTIFICATION, gateway="sandbox")

    order.refresh_from_db()
    assert (order.state, order.moved, items()) == ("returning", eur(709), {"order_contradicts"})
    hear(order, Outcome.FAILED)
    decide(conflicts.accept(order=order, by=staff(), reason="what stayed"))
    assert holds(order.wallet) == eur(709)


def test_what_its_gateway_never_answers_is_ended_by_two_people():
    order = stuck()
    assert (order.state, order.next_query_at, items()) == ("returning", None, {"order_stuck"})

    decide(conflicts.give_back(order=order, by_hand=True, by=staff(), reason="by transfer"))

    order.refresh_from_db()
    assert (order.state, last_event(order), items(), clean()) == ("returned", ("returned", ""), set(), True)
    assert Notice.objects.filter(kind="top_up_sent_back").count() == 1


def test_what_was_not_given_back_is_decided_again():
    order = stuck()

    decide(conflicts.not_given_back(order=order, by=staff(), reason="they know of no refund"))

    order.refresh_from_db()
    assert (order.state, items(), clean()) == ("conflict", {"order_differs"}, True)
    decide(conflicts.accept(order=order, by=staff(), reason="then it is theirs"))
    assert (holds(order.wallet), items()) == (eur(1_009), set())


def stuck() -> TopUp:
    """Being given back by a gateway that is not configured any more, all its questions asked."""
    order, moment = returning(), clock.now()
    with override_settings(GATEWAYS={}):
        for _ in range(orders.QUERIES_MAX):
            with clock.standing(moment := moment + timedelta(days=1, hours=1)):
                janitor.ask_due(now=moment)
    order.refresh_from_db()
    return order


def test_under_way_it_is_not_given_back_a_second_time():
    with pytest.raises(NothingToDecide):
        conflicts.give_back(order=returning(), by_hand=False, by=staff(), reason="again")


@pytest.mark.parametrize("minor", [1_000, 1_001, 1_002, 1_010])
def test_what_is_not_being_given_back_was_not_not_given_back(minor):
    with pytest.raises(NothingToDecide):
        conflicts.not_given_back(order=top_up(wallet(), minor), by=staff(), reason="x")


@pytest.mark.parametrize(("by_hand", "state"), [(True, "returned"), (False, "conflict")])
def test_refund_that_is_done_after_people_ended_it_is_shown_to_a_person(by_hand, state):
    order = returning()
    if by_hand:
        decide(conflicts.give_back(order=order, by_hand=True, by=staff(), reason="by transfer"))
    else:
        decide(conflicts.not_given_back(order=order, by=staff(), reason="they know of no refund"))

    hear(order, Outcome.SUCCEEDED)

    assert (order.state, last_event(order)) == (state, (state, "succeeded"))
    assert "order_contradicts" in items()


def test_refund_that_fails_after_it_was_given_back_by_hand_changes_nothing():
    order = returning()
    decide(conflicts.give_back(order=order, by_hand=True, by=staff(), reason="by transfer"))

    hear(order, Outcome.FAILED)

    assert (order.state, items()) == ("returned", set())
