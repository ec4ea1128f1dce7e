"""Holds: set aside, more or less of it, taken or given back, and over when their time is."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.ids import microseconds
from paymentsite.core.money import Money
from paymentsite.ledger import queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Entry
from paymentsite.ledger.models import Account, Hold, HoldEvent, Journal
from paymentsite.ledger.refusals import HoldNotOpen, InsufficientFunds, InvalidEntry
from paymentsite.ledger.services import Capture, Expire, Extend, Increase, Move, Place, Release, timers
from tests.factories import cny, fund, hold, hot, purse

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def post(*entries: Entry) -> ledger.Posted:
    return ledger.post(*entries, reference=f"{HoldEvent.objects.count()}")


def stand(account: Account) -> tuple[int, int, int]:
    """What is on it, held on it, available on it."""
    found = queries.standing(account)
    assert found.available is not None
    return found.posted.minor, found.held.minor, found.available.minor


def figures(held: Hold) -> tuple[int, int, int, str]:
    held.refresh_from_db()
    return held.authorised_minor, held.captured_minor, held.released_minor, held.state


def events(held: Hold) -> list[tuple[str, int, datetime | None]]:
    return list(held.events.order_by("pk").values_list("kind", "amount_minor", "expires_at"))


def test_whole_life_from_placing_to_the_last_capture():
    payer, merchant = purse(100), purse()
    until = clock.now() + HOUR
    held = hold(payer, 50, expires_at=until)
    assert stand(payer) == (100, 50, 50)

    post(Increase(cny(20), held))
    assert (stand(payer), figures(held)) == ((100, 70, 30), (70, 0, 0, "open"))
    post(Extend(held, until + HOUR))
    post(Release(held, cny(10)))
    assert (stand(payer), figures(held)) == ((100, 60, 40), (70, 0, 10, "open"))
    first = post(Capture(cny(15), held, merchant))
    assert (stand(payer), figures(held)) == ((85, 45, 40), (70, 15, 10, "open"))
    last = post(Capture(cny(30), held, merchant, final=True))

    assert (stand(payer), figures(held)) == ((55, 0, 55), (70, 45, 25, "captured"))
    assert (first.balances, last.balances) == (
        {payer.pk: 85, merchant.pk: 15},
        {payer.pk: 55, merchant.pk: 45},
    )
    assert events(held) == [
        ("placed", 50, until),
        ("increased", 20, until),
        ("extended", 0, until + HOUR),
        ("released", 10, None),
        ("captured", 15, None),
        ("captured", 30, None),
        ("released", 15, None),
    ]


def test_placing_tells_the_new_hold_and_moves_nothing():
    payer = purse(100)
    now, until = clock.now(), clock.now() + HOUR

    with clock.standing(now):
        placed = post(Place(cny(30), payer, until), Place(cny(20), payer))

    one, other = (Hold.objects.get(pk=key) for key in placed.holds)
    assert placed.balances == {}
    assert (one.left, one.placed_at, one.expires_at) == (cny(30), now, until)
    assert (other.left, other.placed_at, other.expires_at) == (cny(20), now, None)
    assert stand(payer) == (100, 50, 50)


def test_many_partial_captures_take_all_of_it():
    payer, merchant = purse(100), purse()
    held = hold(payer, 100)

    for _ in range(20):
        post(Capture(cny(5), held, merchant))

    assert figures(held) == (100, 100, 0, "captured")
    assert (stand(payer), stand(merchant)) == ((0, 0, 0), (100, 0, 100))
    with pytest.raises(HoldNotOpen):
        post(Capture(cny(1), held, merchant))


@pytest.mark.parametrize(("amount", "tolerance"), [(50, 0), (51, 1), (60, 10), (55, 10)])
def test_capture_beyond_the_hold_stays_within_its_tolerance(amount, tolerance):
    payer, merchant = purse(100), purse()
    held = hold(payer, 50)

    post(Capture(cny(amount), held, merchant, tolerance=cny(tolerance)))

    assert figures(held) == (amount, amount, 0, "captured")
    assert stand(payer) == (100 - amount, 0, 100 - amount)
    beyond = [("increased", amount - 50, None)] if amount > 50 else []
    assert events(held) == [("placed", 50, None), *beyond, ("captured", amount, None)]


def test_tolerance_counts_from_what_is_left():
    payer, merchant = purse(100), purse()
    held = hold(payer, 50)
    post(Capture(cny(45), held, merchant))

    post(Capture(cny(7), held, merchant, tolerance=cny(2)))

    assert figures(held) == (52, 52, 0, "captured")


def test_capture_beyond_the_hold_needs_the_funds_for_it():
    payer, merchant = purse(50), purse()
    held = hold(payer, 50)

    with pytest.raises(InsufficientFunds) as refusal:
        ledger.post(Capture(cny(51), held, merchant, tolerance=cny(10)), reference="r")

    assert refusal.value.facts["short"] == cny(1).to_wire()
    assert figures(held) == (50, 0, 0, "open")


def test_final_capture_of_everything_gives_nothing_back():
    held = hold(purse(50), 50)

    post(Capture(cny(50), held, hot(), final=True))

    assert events(held) == [("placed", 50, None), ("captured", 50, None)]


def test_captured_value_can_be_spent_within_the_same_act():
    payer, merchant, fees = purse(50), purse(), hot()
    held = hold(payer, 50)

    posted = post(Capture(cny(50), held, merchant), Move(cny(2), merchant, fees))

    assert posted.balances == {payer.pk: 0, merchant.pk: 48}


@pytest.mark.parametrize("parts", [[None], [50], [20, None], [20, 30], [1, 1, 48]])
def test_release_gives_back_in_parts_or_whole(parts):
    payer = purse(100)
    held = hold(payer, 50)

    for part in parts:
        post(Release(held, None if part is None else cny(part)))

    assert figures(held) == (50, 0, 50, "released")
    assert stand(payer) == (100, 0, 100)


def test_hold_partly_captured_and_then_released_ends_released():
    payer = purse(100)
    held = hold(payer, 50)

    post(Capture(cny(20), held, hot()))
    post(Release(held))

    assert figures(held) == (50, 20, 30, "released")
    assert stand(payer) == (80, 0, 80)


def test_hold_keeps_its_claim_when_the_account_may_pay_nothing_more_out():
    payer, merchant = purse(100), purse()
    held = hold(payer, 50)
    ledger.set_status(account=payer, status="no_debit", by=SYSTEM, reason="test")

    assert post(Capture(cny(50), held, merchant)).balances == {payer.pk: 50, merchant.pk: 50}


def test_credit_line_can_be_held_down_to_its_floor():
    line = purse(floor_minor=-100)

    held = hold(line, 100)

    assert stand(line) == (0, 100, 0)
    assert post(Capture(cny(100), held, hot())).balances == {line.pk: -100}


def test_several_entries_of_one_act_work_on_one_hold():
    payer, merchant = purse(100), purse()
    held = hold(payer, 50)

    post(
        Increase(cny(10), held),
        Capture(cny(30), held, merchant),
        Release(held, cny(10)),
        Capture(cny(20), held, merchant),
    )

    assert figures(held) == (60, 50, 10, "captured")
    assert stand(payer) == (50, 0, 50)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=1)])
@pytest.mark.parametrize("many", [False, True])
def test_hold_whose_time_is_over_is_not_placed(book, late, many):
    payer, now = purse(100), clock.now()
    entries = (Place(cny(10), payer), Place(cny(10), payer, now - late))
    before = book()

    with clock.standing(now), pytest.raises(InvalidEntry, match="its time would be over already") as refusal:
        ledger.post_many([ledger.Draft(entries=entries, reference="r")]) if many else ledger.post(
            *entries, reference="r"
        )

    assert refusal.value.facts == {"position": 2, "why": "past"}
    assert book() == before


@pytest.mark.parametrize("many", [False, True])
def test_hold_that_was_placed_in_time_is_answered_again_when_its_time_is_over(many):
    payer, until = purse(100), clock.now() + HOUR
    placing = Place(cny(10), payer, until)
    first = ledger.post(placing, reference="r")

    with clock.standing(until + HOUR):
        [again] = (
            ledger.post_many([ledger.Draft(entries=(placing,), reference="r")])
            if many
            else [ledger.post(placing, reference="r")]
        )

    assert isinstance(again, ledger.Posted)
    assert (again.journal_id, again.holds, again.replayed) == (first.journal_id, first.holds, True)


def test_hold_expires_when_its_time_is_over_and_not_before():
    payer = purse(100)
    until = clock.now() + HOUR
    held = hold(payer, 50, expires_at=until)

    assert timers.expire_holds(now=until - timedelta(microseconds=1)) == 0
    with clock.standing(until):
        assert timers.expire_holds(now=until) == 1
        assert timers.expire_holds(now=until) == 0

    assert figures(held) == (50, 0, 50, "expired")
    assert stand(payer) == (100, 0, 100)
    assert events(held)[-1] == ("expired", 50, None)


def test_hold_that_was_not_quite_due_expires_when_it_is():
    payer = purse(100)
    until = clock.now() + HOUR
    held = hold(payer, 50, expires_at=until)

    with clock.standing(until - timedelta(microseconds=1)):  # the machine's clock was set back after the tick
        assert timers.expire_holds(now=until) == 0
    assert not Journal.objects.refused().exists()
    with clock.standing(until + HOUR):
        assert timers.expire_holds(now=until + HOUR) == 1

    assert figures(held) == (50, 0, 50, "expired")
    assert stand(payer) == (100, 0, 100)


@pytest.mark.parametrize("chunk", [1, 2, 3, 1_000])
def test_holds_that_cannot_expire_keep_no_other_waiting(chunk, monkeypatch, caplog):
    monkeypatch.setattr(timers, "_CHUNK", chunk)
    payer, until = purse(100), clock.now() + HOUR
    moments = [until, until, until, until, until + HOUR, until + HOUR, until + 2 * HOUR]
    held = [hold(payer, 10, expires_at=at) for at in moments]
    taken, broken = sorted(held[:4], key=lambda each: each.pk)[:3], held[4]
    for each in taken:
        reference = f"{each.pk}:{microseconds(each.expires_at)}"
        ledger.post(Move(cny(1), hot(), hot()), scope="ledger.expiry", reference=reference)
    post = timers.post

    def sometimes(entry: Expire, **fields: Any) -> ledger.Posted:
        if entry.hold == broken:
            raise ZeroDivisionError
        return post(entry, **fields)

    monkeypatch.setattr(timers, "post", sometimes)

    with clock.standing(until + 3 * HOUR):
        assert timers.expire_holds(now=until + 3 * HOUR) == 3
        assert timers.expire_holds(now=until + 3 * HOUR) == 0
    assert set(Hold.objects.open()) == {*taken, broken}
    assert all(str(each.pk) in caplog.text for each in [*taken, broken])
    assert stand(payer) == (100, 40, 60)


def test_extended_hold_expires_at_its_new_time():
    until = clock.now() + HOUR
    held = hold(purse(100), 50, expires_at=until)
    post(Extend(held, until + HOUR))

    with clock.standing(until + HOUR):
        assert timers.expire_holds(now=until) == 0
        assert timers.expire_holds(now=until + HOUR) == 1


def test_increase_can_move_the_end_too():
    until = clock.now() + HOUR
    held = hold(purse(100), 50, expires_at=until)

    post(Increase(cny(1), held, until + HOUR))

    held.refresh_from_db()
    assert held.expires_at == until + HOUR


def test_partly_captured_hold_expires_with_what_is_left():
    payer = purse(100)
    until = clock.now() + HOUR
    held = hold(payer, 50, expires_at=until)
    post(Capture(cny(20), held, hot()))

    with clock.standing(until):
        post(Expire(held))

    assert figures(held) == (50, 20, 30, "expired")
    assert stand(payer) == (80, 0, 80)


def test_hold_whose_time_is_over_can_still_be_given_back():
    until = clock.now() + HOUR
    held = hold(purse(100), 50, expires_at=until)

    with clock.standing(until + HOUR):
        post(Release(held))

    assert figures(held) == (50, 0, 50, "released")


def test_due_holds_are_found_soonest_first():
    payer, now = purse(100), clock.now()
    hold(payer, 1)
    later, sooner = hold(payer, 1, expires_at=now + 2 * HOUR), hold(payer, 1, expires_at=now + HOUR)

    assert timers.next_expiry(now) == now + HOUR
    assert timers.next_expiry(now + HOUR) == now + 2 * HOUR
    assert timers.next_expiry(now + 2 * HOUR) is None
    assert set(Hold.objects.due(now + HOUR)) == {sooner}
    assert set(Hold.objects.due(now + 2 * HOUR)) == {sooner, later}


@pytest.mark.parametrize(
    "wrong",
    [
        {"captured_minor": 30, "released_minor": 21},
        {"captured_minor": -1},
        {"released_minor": -1},
        {"authorised_minor": 0},
        {"state": "captured"},
        {"state": "released", "released_minor": 49},
        {"state": "open", "captured_minor": 50},
        {"state": "lost"},
    ],
    ids=str,
)
def test_database_refuses_a_hold_that_does_not_add_up(wrong):
    held = hold(purse(100), 50)

    with pytest.raises(IntegrityError), transaction.atomic():
        Hold.objects.filter(pk=held.pk).update(**wrong)


def test_database_refuses_to_forget_what_happened_to_a_hold():
    held = hold(purse(100), 50)

    with pytest.raises(Exception, match="written once"), transaction.atomic():
        held.events.update(amount_minor=1)


def test_hold_says_what_is_left_of_it():
    held = hold(purse(100), 50)
    post(Capture(cny(20), held, hot()))
    held.refresh_from_db()

    assert held.left == Money(30, "CNY")
    assert str(held) == f"0.30 CNY held on {held.account_id}"


def test_funds_that_arrive_make_room_for_a_larger_hold():
    payer = purse(10)
    held = hold(payer, 10)
    fund(payer, 5)

    post(Increase(cny(5), held))

    assert stand(payer) == (15, 15, 0)
