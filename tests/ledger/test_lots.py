"""Lots: value that expires. What dies first is spent first, and what is dead is not spent at all."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.ledger import queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Lot
from paymentsite.ledger.models.lots import NEVER
from paymentsite.ledger.refusals import InsufficientFunds
from paymentsite.ledger.services import Lapse, Move, Place, Terms, timers
from tests.factories import fund, hot, points, pts, purse
from tests.ledger.lots import DAY, at_noon, later, left, post, terms, today, uses

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon():
    with at_noon():
        yield


@pytest.fixture
def shop() -> Account:
    return hot(unit="PTS")


def test_what_expires_first_is_spent_first(shop):
    account = points()
    fund(account, 10, terms("third", last=9))
    fund(account, 10, terms("first", last=1))
    fund(account, 10, terms("second", last=5))

    posted = post(Move(pts(25), account, shop))

    assert uses(posted) == [("used", "first", 10), ("used", "second", 10), ("used", "third", 5)]
    assert left(account) == {"first": 0, "second": 0, "third": 5}


def test_lots_of_one_last_day_are_spent_the_older_first_then_by_origin(shop):
    account = points()
    for origin, first in (("b", 0), ("a", 0), ("c", -1)):
        fund(account, 1, terms(origin, first=first))

    assert [origin for _, origin, _ in uses(post(Move(pts(3), account, shop)))] == ["c", "a", "b"]


def test_what_never_expires_is_spent_last(shop):
    account = points()
    fund(account, 10, Terms("gift"))
    fund(account, 10, terms("welcome", last=3_000))

    assert uses(post(Move(pts(11), account, shop))) == [("used", "welcome", 10), ("used", "gift", 1)]
    assert account.lot_rows.get(origin="gift").expires_on == NEVER


@pytest.mark.parametrize(("first", "last"), [(1, 9), (-9, -1)], ids=["pending", "dead"])
def test_lot_that_is_not_alive_cannot_be_spent_nor_held(first, last, shop):
    account = points()
    fund(account, 10, terms("x", first=first, last=last))
    assert queries.standing(account).posted == pts(10)

    for reference, entry in {"spend": Move(pts(1), account, shop), "hold": Place(pts(1), account)}.items():
        with pytest.raises(InsufficientFunds) as refusal:
            ledger.post(entry, reference=reference)
        assert refusal.value.facts["available"] == pts(0).to_wire()


@pytest.mark.parametrize("day", [0, 9])
def test_lot_is_alive_on_its_first_and_on_its_last_day(day, shop):
    account = points()
    fund(account, 10, terms("x", first=0, last=9))

    with later(day):
        assert post(Move(pts(10), account, shop)).balances == {account.pk: 0}


def test_day_of_a_lot_is_the_day_of_the_business(shop, settings):
    """At 23:30 in Shanghai it is still the day before in London, and a day later in Auckland."""
    account = points()
    fund(account, 10, terms("x", first=0, last=0))
    late = clock.now().replace(hour=15, minute=30)

    settings.BUSINESS_TIME_ZONE = "Pacific/Auckland"
    with clock.standing(late), pytest.raises(InsufficientFunds):
        ledger.post(Move(pts(1), account, shop), reference="there")
    settings.BUSINESS_TIME_ZONE = "Asia/Shanghai"
    with clock.standing(late):
        assert post(Move(pts(1), account, shop)).balances == {account.pk: 9}


def test_available_in_a_refusal_is_what_is_alive(shop):
    account = points()
    fund(account, 3, terms("dead", first=-9, last=-1))
    fund(account, 5, terms("alive"))
    fund(account, 7, terms("pending", first=1))

    with pytest.raises(InsufficientFunds) as refusal:
        ledger.post(Move(pts(6), account, shop), reference="r")

    assert {name: refusal.value.facts[name]["amount"] for name in ("available", "asked", "short")} == {
        "available": 5,
        "asked": 6,
        "short": 1,
    }


def test_value_of_one_origin_and_the_same_days_joins_one_row():
    account, other = points(), points()

    for _ in range(3):
        fund(account, 10, terms("purchase"))
    fund(account, 10, terms("purchase", last=8))
    fund(account, 10, terms("purchase", first=-1))
    fund(account, 10, terms("welcome"))
    fund(other, 10, terms("purchase"))

    assert sorted(account.lot_rows.values_list("issued_minor", flat=True)) == [10, 10, 10, 30]
    assert account.lot_rows.get(issued_minor=30).uses.count() == 3
    assert other.lot_rows.get().issued_minor == 10


def test_value_joins_a_row_that_was_spent_empty(shop):
    account = points()
    fund(account, 10, terms("x"))
    post(Move(pts(10), account, shop))

    fund(account, 5, terms("x"))

    lot = account.lot_rows.get()
    assert (lot.issued_minor, lot.used_minor, lot.left_minor) == (15, 10, 5)


def test_one_act_may_issue_and_spend_again(shop):
    account = points()

    posted = post(Move(pts(10), shop, account, terms("x")), Move(pts(4), account, shop))

    assert uses(posted) == [("issued", "x", 10), ("used", "x", 4)]
    assert posted.balances == {account.pk: 6}


def test_spending_before_issuing_in_one_act_finds_nothing(shop):
    account = points()

    with pytest.raises(InsufficientFunds):
        ledger.post(Move(pts(4), account, shop), Move(pts(10), shop, account, terms("x")), reference="r")


def test_points_pass_from_lots_to_lots_under_new_terms():
    giver, taker = points(), points()
    fund(giver, 10, terms("purchase"))

    posted = post(Move(pts(6), giver, taker, terms("gift", last=3)))

    assert uses(posted) == [("used", "purchase", 6), ("issued", "gift", 6)]
    assert (left(giver), left(taker)) == ({"purchase": 4}, {"gift": 6})


def test_what_is_dead_lapses_and_what_lives_or_is_pending_stays(shop):
    account = points()
    fund(account, 3, terms("dead", first=-9, last=-1))
    fund(account, 4, terms("longer dead", first=-9, last=-5))
    fund(account, 5, terms("alive", last=0))
    fund(account, 7, terms("pending", first=1))

    posted = post(Lapse(account, shop, today()))

    assert uses(posted) == [("expired", "longer dead", 4), ("expired", "dead", 3)]
    assert posted.balances == {account.pk: 12}
    assert left(account) == {"dead": 0, "longer dead": 0, "alive": 5, "pending": 7}


def test_lapse_of_an_earlier_day_leaves_what_died_later(shop):
    account = points()
    fund(account, 3, terms("dead", first=-9, last=-1))
    fund(account, 4, terms("longer dead", first=-9, last=-5))

    assert post(Lapse(account, shop, today() - 2 * DAY)).balances == {account.pk: 3}


def test_nightly_lapse_books_each_account_once():
    accounts = [points() for _ in range(3)]
    for account in accounts[:2]:
        fund(account, 5, terms("x", last=0))
    fund(accounts[2], 5, terms("x"))

    with later(1):
        assert timers.lapse_lots(today=clock.today()) == 2
        assert timers.lapse_lots(today=clock.today()) == 0

    assert queries.standing(ledger.house("breakage", "PTS")).posted == pts(10)
    assert [queries.standing(account).posted.minor for account in accounts] == [0, 0, 5]


def test_nightly_lapse_passes_an_account_that_is_frozen():
    frozen, other = points(), points()
    for account in (frozen, other):
        fund(account, 5, terms("x", last=0))
    ledger.set_status(account=frozen, status="frozen", by=SYSTEM, reason="test")

    with later(1):
        assert timers.lapse_lots(today=clock.today()) == 1
        assert queries.standing(frozen).posted == pts(5)

        ledger.set_status(account=frozen, status="open", by=SYSTEM, reason="test")
        assert timers.lapse_lots(today=clock.today()) == 1
    assert queries.standing(frozen).posted == pts(0)


def test_account_whose_lapse_fails_keeps_no_other_waiting(monkeypatch, caplog):
    accounts = [points() for _ in range(3)]
    for account in accounts:
        fund(account, 5, terms("x", last=0))
    broken = accounts[0]

    def sometimes(entry: Lapse, **fields: Any) -> ledger.Posted:
        if entry.source == broken:
            raise ZeroDivisionError
        return ledger.post(entry, **fields)

    monkeypatch.setattr(timers, "post", sometimes)

    with later(1):
        assert timers.lapse_lots(today=clock.today()) == 2
    assert [queries.standing(account).posted.minor for account in accounts] == [5, 0, 0]
    assert str(broken.public_id) in caplog.text


def test_floor_of_an_account_with_lots_holds_too(shop):
    account = points()
    fund(account, 10, terms("x"))
    ledger.set_floor(account=account, floor_minor=4, by=SYSTEM, reason="test")

    with pytest.raises(InsufficientFunds):
        ledger.post(Move(pts(7), account, shop), reference="r")
    assert post(Move(pts(6), account, shop)).balances == {account.pk: 4}


@pytest.mark.parametrize(
    "wrong",
    [
        {"used_minor": 11},
        {"used_minor": 5, "expired_minor": 3, "held_minor": 3},
        {"used_minor": -1},
        {"held_minor": -1},
        {"expired_minor": -1},
        {"active_on": date(2999, 1, 1)},
    ],
    ids=str,
)
def test_database_refuses_a_lot_that_does_not_add_up(wrong):
    account = points()
    fund(account, 10, terms("x"))

    with pytest.raises(IntegrityError), transaction.atomic():
        Lot.objects.filter(account=account).update(**wrong)


def test_lots_are_found_by_what_they_are():
    account = points()
    fund(account, 3, terms("dead", first=-9, last=-1))
    fund(account, 5, terms("alive"))
    fund(account, 7, terms("pending", first=1))
    fund(account, 2, terms("spent", last=0))
    post(Move(pts(2), account, purse(unit="PTS")))

    def origins(lots: object) -> set[str]:
        return {lot.origin for lot in lots}

    assert origins(Lot.objects.with_left()) == {"dead", "alive", "pending"}
    assert origins(Lot.objects.alive(today())) == {"alive"}
    assert origins(Lot.objects.dead(today())) == {"dead"}
    assert str(account.lot_rows.get(origin="alive")) == f"5 left of alive until {today() + 9 * DAY}"
