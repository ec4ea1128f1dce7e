"""What a card costs each month: taken once for each month, late when there is too little, not for ever."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest

from cards import tasks
from cards.models import Card, CardFee
from cards.services import ending, issuing, life, monthly_fees
from cards.services.life import Channel
from cards.services.monthly_fees import TRIES_MAX
from cards.verify import fees as checks
from members.models import Notice
from members.services import members, notices
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM
from paymentsite.core.models import OpenItem
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance, Journal, Posting
from tests.cards.factories import card, debit
from tests.factories import cny, fund
from tests.verified import clean
from tests.wallets.deciding import unsaved
from tests.wallets.factories import holds, wallet
from wallets.models import Wallet
from wallets.services import wallets

pytestmark = pytest.mark.django_db

ISSUED = date(2031, 1, 31)
DAY = timedelta(days=1)


@contextmanager
def at(day: date) -> Iterator[datetime]:
    """It is the hour of that day at which fees are taken."""
    moment = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    with clock.standing(moment):
        yield moment


def costly(minor: int, **terms: object) -> tuple[Wallet, Card]:
    with at(ISSUED):
        purse = wallet(minor)
        return purse, card(purse.member, debit(monthly_fee_minor=2_00, validity=2, validity_unit="years", **terms))


def night(day: date) -> None:
    with at(day) as now:
        tasks.take_monthly_fees(now=now)


def taken(found: Card) -> list[tuple[str, str]]:
    return [(fee.due_on.isoformat(), fee.state) for fee in CardFee.objects.filter(card=found).order_by("due_on")]


def test_it_is_taken_once_a_month_on_the_day_of_the_month_that_the_card_was_issued():
    purse, found = costly(100_00)

    day = ISSUED
    while day < date(2031, 5, 1):
        night(day)
        night(day)
        day += DAY

    assert taken(found) == [("2031-02-28", "paid"), ("2031-03-31", "paid"), ("2031-04-30", "paid")]
    assert (holds(purse), clean()) == (cny(94_00), True)


def test_months_that_nobody_took_are_taken_when_somebody_does():
    purse, found = costly(100_00)

    night(date(2031, 4, 10))

    assert taken(found) == [("2031-02-28", "paid"), ("2031-03-31", "paid")]
    assert (holds(purse), clean()) == (cny(96_00), True)


def test_where_there_is_too_little_it_is_told_once_and_tried_every_day():
    purse, found = costly(0)
    for days in range(3):
        night(date(2031, 2, 28) + days * DAY)
    fee = CardFee.objects.get()
    assert (fee.state, fee.tries) == ("waiting", 3)
    told = [notices.sentence(each) for each in Notice.objects.filter(member=purse.member, kind="card_fee_waits")]
    whose = f"your card ending in {found.last_four}"
    assert told == [f"There is too little for the monthly 2.00 CNY of {whose}. We try again every day."]

    fund(purse.account, 5_00)
    night(date(2031, 3, 3))
    assert (taken(found), holds(purse), clean()) == ([("2031-02-28", "paid")], cny(3_00), True)


def test_after_a_while_it_is_not_tried_any_more():
    purse, found = costly(0)
    for days in range(TRIES_MAX + 1):
        night(date(2031, 2, 28) + days * DAY)

    fund(purse.account, 5_00)
    night(date(2031, 4, 1))
    assert taken(found) == [("2031-02-28", "dropped"), ("2031-03-31", "paid")]
    assert (holds(purse), clean()) == (cny(3_00), True)


@pytest.mark.parametrize("stop", ["suspend", "freeze"])
def test_nothing_is_taken_of_who_is_suspended_or_of_a_frozen_wallet(stop):
    purse, found = costly(100_00)
    if stop == "suspend":
        members.suspend(member=purse.member, by=SYSTEM, reason="test")
    else:
        wallets.freeze(wallet=purse, by=SYSTEM, reason="test")

    night(date(2031, 2, 28))

    assert (taken(found), holds(purse), clean()) == ([("2031-02-28", "waiting")], cny(100_00), True)


def test_card_that_is_over_costs_nothing_more():
    purse, found = costly(0)
    night(date(2031, 2, 28))
    with at(date(2031, 3, 1)):
        ending.close(card=found, by=SYSTEM, channel=Channel.ADMIN, reason="test")
    fund(purse.account, 5_00)

    for days in range(40):
        night(date(2031, 3, 1) + days * DAY)

    assert (taken(found), holds(purse), clean()) == ([("2031-02-28", "dropped")], cny(5_00), True)


def test_card_in_the_place_of_another_goes_on_in_its_months():
    purse, found = costly(100_00)
    night(date(2031, 2, 28))
    with at(date(2031, 3, 10)):
        new = issuing.replace(card=found, why=issuing.Why.LOST, reference="new", by=SYSTEM, channel=Channel.ADMIN)
        life.activate(card=new, by=SYSTEM, channel=Channel.ADMIN)

    for days in range(60):
        night(date(2031, 3, 1) + days * DAY)

    assert taken(new) == [("2031-03-31", "paid")]
    assert (holds(purse), clean()) == (cny(96_00), True)


def test_fee_that_waits_is_owed_still_when_another_card_stands_in_the_place_of_its_own():
    purse, found = costly(0)
    night(date(2031, 2, 28))
    with at(date(2031, 3, 1)):
        issuing.replace(card=found, why=issuing.Why.LOST, reference="new", by=SYSTEM, channel=Channel.ADMIN)
    fund(purse.account, 5_00)

    night(date(2031, 3, 2))
    assert (taken(found), holds(purse), clean()) == ([("2031-02-28", "paid")], cny(3_00), True)


def test_fee_that_cannot_be_tried_again_keeps_no_other_waiting():
    (broken, first), (whole, second) = costly(0), costly(0)
    night(date(2031, 2, 28))
    for purse in (broken, whole):
        fund(purse.account, 5_00)

    with unsaved(first.fees.get()):
        night(date(2031, 3, 1))
    assert [holds(purse) for purse in (broken, whole)] == [cny(5_00), cny(3_00)]
    assert OpenItem.objects.open().get().kind == monthly_fees.WAITS_STUCK

    night(date(2031, 3, 2))
    assert (taken(first), taken(second)) == ([("2031-02-28", "paid")], [("2031-02-28", "paid")])
    assert (holds(broken), OpenItem.objects.open().count(), clean()) == (cny(3_00), 0, True)


def test_while_our_account_of_fees_takes_nothing_all_wait_and_are_taken_later():
    purses = [costly(100_00)[0] for _ in range(2)]
    house = ledger.house("fees", "CNY")
    ledger.set_status(account=house, status=Balance.Status.FROZEN, by=SYSTEM, reason="test")
    for days in range(2):
        night(date(2031, 2, 28) + days * DAY)
    assert list(CardFee.objects.values_list("state", "tries")) == [("waiting", 2)] * 2

    ledger.set_status(account=house, status=Balance.Status.OPEN, by=SYSTEM, reason="test")
    night(date(2031, 3, 2))
    assert [holds(purse) for purse in purses] == [cny(98_00)] * 2
    assert clean()


def test_card_that_costs_nothing_a_month_is_left_alone():
    purse = wallet(100_00)
    found = card(purse.member, debit())

    night(clock.today() + 40 * DAY)

    assert (found.next_fee_on, CardFee.objects.count(), holds(purse)) == (None, 0, cny(100_00))


def test_members_are_told_once_that_a_card_runs_out():
    with at(ISSUED):
        found = card(wallet().member, debit(validity=30))
    for days in range(21, 31):
        with at(ISSUED + days * DAY) as now:
            tasks.warn_of_expiry(now=now)

    [told] = Notice.objects.filter(member=found.member, kind="card_runs_out")
    assert found.last_four in notices.sentence(told)
    assert "Take its successor in time." in notices.sentence(told)


Plant = Callable[[Card], object]


def fee(**columns: object) -> Plant:
    return lambda found: CardFee.objects.filter(card=found, due_on="2031-02-28").update(**columns)


def of_posting(**columns: object) -> None:
    Posting.objects.filter(journal__scope=monthly_fees.SCOPE).update(**columns)


CORRUPTIONS: dict[str, tuple[str, Plant]] = {
    "another amount": ("monthly_fees_are_posted", lambda _: of_posting(amount_minor=1)),
    "out of another wallet": ("monthly_fees_are_posted", lambda _: of_posting(source=wallet().account)),
    "to elsewhere": ("monthly_fees_are_posted", lambda _: of_posting(target=ledger.house("losses", "CNY"))),
    "paid and said to wait": ("monthly_fees_are_posted", fee(state="waiting", journal=None)),
    "fee gone": ("monthly_fees_are_posted", lambda found: CardFee.objects.filter(card=found).delete()),
    "journal of another's": (
        "monthly_fees_are_posted",
        lambda _: Journal.objects.filter(scope=monthly_fees.SCOPE).update(scope="other"),
    ),
    "due on another day": ("monthly_fees_are_due", fee(due_on="2031-02-27")),
    "another price": ("monthly_fees_are_due", fee(amount_minor=1)),
    "a month passed over": (
        "monthly_fees_are_due",
        lambda found: Card.objects.filter(pk=found.pk).update(next_fee_on="2031-04-30"),
    ),
    "never due again": (
        "monthly_fees_are_due",
        lambda found: Card.objects.filter(pk=found.pk).update(next_fee_on=None),
    ),
}


@pytest.mark.parametrize(("check", "plant"), CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_corruption_is_found(unprotected, check, plant):
    _purse, found = costly(100_00)
    night(date(2031, 2, 28))
    look = getattr(checks, check)
    assert list(look(verification.Run())) == []

    with unprotected():
        plant(found)

    assert list(look(verification.Run())) != []
