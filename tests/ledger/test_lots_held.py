"""Holds on accounts with lots: what is set aside of which, and where it goes back to."""

import pytest

from paymentsite.core import clock
from paymentsite.ledger import queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account
from paymentsite.ledger.refusals import InsufficientFunds
from paymentsite.ledger.services import Capture, Increase, Move, Release, timers
from tests.factories import fund, hold, hot, points, pts
from tests.ledger.lots import at_noon, later, left, post, terms, uses

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon():
    with at_noon():
        yield


@pytest.fixture
def shop() -> Account:
    return hot(unit="PTS")


def test_hold_takes_what_expires_first_and_keeps_it_past_its_last_day(shop):
    account = points()
    fund(account, 5, terms("soon", last=0))
    fund(account, 5, terms("late"))
    held = hold(account, 7)
    assert left(account) == {"soon": 0, "late": 3}

    with later(3):
        timers.lapse_lots(today=clock.today())
        posted = post(Capture(pts(6), held, shop))

    assert uses(posted) == [("used", "soon", 5), ("used", "late", 1)]
    assert {lot.origin: (lot.used_minor, lot.expired_minor, lot.held_minor) for lot in account.lot_rows.all()} == {
        "soon": (5, 0, 0),
        "late": (1, 0, 1),
    }


def test_held_value_cannot_be_spent_by_others(shop):
    account = points()
    fund(account, 10, terms("x"))
    hold(account, 7)

    with pytest.raises(InsufficientFunds):
        ledger.post(Move(pts(4), account, shop), reference="r")
    assert post(Move(pts(3), account, shop)).balances == {account.pk: 7}


def test_release_gives_back_first_what_lasts_longest():
    account = points()
    fund(account, 5, terms("soon", last=1))
    fund(account, 5, terms("late"))
    held = hold(account, 8)

    assert uses(post(Release(held, pts(4)))) == [("unheld", "late", 3), ("unheld", "soon", 1)]
    assert left(account) == {"soon": 1, "late": 5}


def test_value_given_back_after_its_last_day_is_dead_and_lapses(shop):
    account = points()
    fund(account, 5, terms("x", last=0))
    held = hold(account, 5)

    with later(1):
        assert timers.lapse_lots(today=clock.today()) == 0
        post(Release(held))
        with pytest.raises(InsufficientFunds):
            ledger.post(Move(pts(1), account, shop), reference="r")
        assert timers.lapse_lots(today=clock.today()) == 1

    assert queries.standing(account).posted == pts(0)


def test_increase_sets_aside_from_what_is_alive_by_then():
    account = points()
    fund(account, 5, terms("soon", last=0))
    fund(account, 5, terms("late"))
    held = hold(account, 2)

    with later(1):
        assert uses(post(Increase(pts(4), held))) == [("held", "late", 4)]
        with pytest.raises(InsufficientFunds):
            ledger.post(Increase(pts(2), held), reference="r")


def test_capture_beyond_the_hold_takes_more_lots(shop):
    account = points()
    fund(account, 5, terms("soon", last=1))
    fund(account, 5, terms("late"))
    held = hold(account, 4)

    posted = post(Capture(pts(7), held, shop, tolerance=pts(3)))

    assert uses(posted) == [("held", "soon", 1), ("held", "late", 2), ("used", "soon", 5), ("used", "late", 2)]
    assert left(account) == {"soon": 0, "late": 3}


def test_final_capture_takes_the_soonest_and_gives_back_the_rest(shop):
    account = points()
    fund(account, 5, terms("soon", last=1))
    fund(account, 5, terms("late"))
    held = hold(account, 10)

    posted = post(Capture(pts(6), held, shop, final=True))

    assert uses(posted) == [("used", "soon", 5), ("used", "late", 1), ("unheld", "late", 4)]
    assert left(account) == {"soon": 0, "late": 4}


def test_captured_points_arrive_as_lots_of_their_own():
    giver, taker = points(), points()
    fund(giver, 10, terms("x"))
    held = hold(giver, 10)

    posted = post(Capture(pts(4), held, taker, terms=terms("y")), Capture(pts(3), held, taker, terms=terms("y")))

    assert left(taker) == {"y": 7}
    assert posted.balances == {giver.pk: 3, taker.pk: 7}
