"""Rates: which one holds, and what is not taken."""

from datetime import timedelta
from decimal import Decimal

import pytest

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.rates import Rate
from paymentsite.core.services import approvals
from tests.members.factories import UserFactory
from tests.wallets.rates import told
from wallets.models import ExchangeRate
from wallets.services import rates
from wallets.services.rates import RateDiffers, RateFromFuture, RateJumps, RateMissing, RateStale, RateWrong

pytestmark = pytest.mark.django_db


def test_newest_moment_holds_whatever_was_recorded_last():
    now = clock.now()
    told("USD", "CNY", "7.1", at=now)
    told("USD", "CNY", "7.2", at=now - timedelta(hours=1))

    assert rates.current("USD", "CNY", now).value == Decimal("7.1")


def test_way_back_is_another_rate():
    told("USD", "CNY", "7.1")

    with pytest.raises(RateMissing):
        rates.current("CNY", "USD", clock.now())


def test_stale_rate_refuses_though_a_cross_would_be_fresh(settings):
    settings.EXCHANGE_RATE_MINUTES = 60
    now = clock.now()
    told("USD", "EUR", "0.9", at=now - timedelta(minutes=61))
    told("USD", "CNY", "7.1", at=now)
    told("CNY", "EUR", "0.13", at=now)

    with pytest.raises(RateStale):
        rates.current("USD", "EUR", now)


def test_where_nobody_gives_a_rate_it_goes_through_the_pivot():
    now = clock.now()
    told("USD", "CNY", "7.1", at=now - timedelta(minutes=5))
    told("CNY", "EUR", "0.13", at=now, source="bank")

    found = rates.current("USD", "EUR", now)

    assert (found.value, found.source, found.at) == (Decimal("0.923"), "test feed × bank", now - timedelta(minutes=5))


def test_same_rate_again_changes_nothing_and_another_for_the_moment_is_refused():
    now = clock.now()

    assert told("USD", "CNY", "7.10", at=now) == told("USD", "CNY", "7.1", at=now)
    with pytest.raises(RateDiffers):
        told("USD", "CNY", "7.11", at=now)


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity", "1E+13", "1E-13", "1.234567890123456789012345"])
def test_what_is_no_rate_is_refused(value):
    with pytest.raises((RateWrong, ValueError)):
        told("USD", "CNY", value)
    assert not ExchangeRate.objects.exists()


def test_points_have_no_rate():
    with pytest.raises(RateWrong):
        told("PTS", "CNY", "0.01")


def test_rate_of_tomorrow_is_refused():
    with pytest.raises(RateFromFuture):
        told("USD", "CNY", "7.1", at=clock.now() + timedelta(days=1))


def test_jump_is_refused_with_all_that_came_along():
    told("USD", "CNY", "7.1", at=clock.now() - timedelta(hours=1))
    rows = [
        Rate("EUR", "CNY", Decimal("7.8"), "test feed", clock.now()),
        Rate("USD", "CNY", Decimal(71), "test feed", clock.now()),
    ]

    with pytest.raises(RateJumps):
        rates.take_in(rates=rows, by=SYSTEM)

    assert ExchangeRate.objects.count() == 1


def test_rate_by_hand_takes_two_people():
    proposer, approver = (UserFactory(is_staff=True, is_superuser=True) for _ in range(2))
    told("USD", "CNY", "7.1", at=clock.now() - timedelta(hours=1))

    proposed = rates.set_by_hand(
        base="USD", quote="CNY", value=Decimal(71), at=clock.now(), by=Actor.of(proposer), reason="feed is late"
    )
    assert rates.current("USD", "CNY", clock.now()).value == Decimal("7.1")
    with pytest.raises(approvals.OwnProposal):
        approvals.approve(approval=proposed, by=Actor.of(proposer), shown=proposed.shown)
    approvals.approve(approval=proposed, by=Actor.of(approver), shown=proposed.shown)

    assert rates.current("USD", "CNY", clock.now()).value == Decimal(71)
