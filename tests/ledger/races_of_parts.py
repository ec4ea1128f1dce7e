"""The races for holds, reversals and lots; see ``races``."""

from collections import Counter
from datetime import date, timedelta

from paymentsite.core import clock
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Hold, HoldEvent, Lot, Posting
from tests.factories import hold, hot, points, purse
from tests.ledger import racers
from tests.ledger.races import Run, on, only, words
from tests.ledger.soundness import assert_sound


def whole_hold(run: Run, count: int, *, expires: bool) -> None:
    """Everybody takes or gives back all of a hold: one does."""
    expiry = clock.now() + timedelta(hours=1) if expires else None
    account, target = purse(100), purse()
    held = hold(account, 100, expires_at=expiry)

    told = run(
        count,
        racers.take,
        hold=str(held.pk),
        target=target.pk,
        minor=100,
        reference=f"whole {held.pk}",
        expiry=expiry,
    )

    assert words(told) == {"posted": 1, "hold_not_open": count - 1}
    held.refresh_from_db()
    assert {held.state: held.captured_minor} in ({"captured": 100}, {"released": 0}, {"expired": 0})
    assert HoldEvent.objects.filter(hold=held).count() == 2
    assert on(target) == held.captured_minor
    assert_sound()


def parts_of_a_hold(run: Run, count: int) -> None:
    """A hold for half of the captures: exactly they succeed."""
    enough = max(1, count // 2)
    account, target = purse(10 * enough), purse()
    held = hold(account, 10 * enough)

    told = run(count, racers.capture, hold=str(held.pk), target=target.pk, minor=10, reference=f"parts {held.pk}")

    assert words(told) == {"posted": enough, "hold_not_open": count - enough}
    held.refresh_from_db()
    assert (held.state, held.captured_minor, held.released_minor) == (Hold.State.CAPTURED, 10 * enough, 0)
    assert on(target) == 10 * enough
    assert_sound()


def captures_and_release(run: Run, count: int) -> None:
    """Captures of a part, releases of the rest: one release ends it, what came before it was captured."""
    account, target = purse(100), purse()
    held = hold(account, 100)

    told = run(count, racers.take, hold=str(held.pk), target=target.pk, minor=30, reference=f"mixed {held.pk}")

    captures = words(each for number, each in enumerate(told) if number % 3 < 2)
    releases = words(each for number, each in enumerate(told) if number % 3 == 2)
    assert captures.keys() <= {"posted", "hold_not_open", "hold_exceeded"}
    assert captures["posted"] <= 3
    assert releases == Counter({"posted": min(1, count // 3), "hold_not_open": max(0, count // 3 - 1)})
    held.refresh_from_db()
    captured = 30 * captures["posted"]
    assert (held.captured_minor, held.released_minor) == (captured, 100 - captured if count > 2 else 0)
    assert on(target) == captured
    assert_sound()


def reversals(run: Run, count: int, *, deferred: bool, minor: int | None) -> None:
    """All that is left of a posting, or tenths of it, taken back by everybody: never more than was moved."""
    source, target = (hot(), hot()) if deferred else (purse(100), purse())
    draft = racers.draft_of(f"original {source.pk}", racers.move(100, source.pk, target.pk))
    original = racers.send(draft, "post").journal_id

    told = run(count, racers.undo, journal=str(original), minor=minor, reference=f"undo {original}")

    enough = 1 if minor is None else min(count, 100 // minor)
    expected = Counter({"posted": enough, "reversal_exceeds": count - enough})
    assert words(told) == +expected
    assert [p.amount_minor for p in Posting.objects.filter(reverses__journal=original)] == [minor or 100] * enough
    assert_sound()


def last_points(run: Run, count: int) -> None:
    """Points for half of those that want them, in lots of several days: exactly they get them, each lot used up."""
    enough = max(1, count // 2)
    world, account = hot(code="points", unit="PTS"), points()
    today = clock.today()
    days = [today + timedelta(days=number % 5) for number in range(enough)]
    for number, day in enumerate(days):
        terms = ledger.Terms("purchase", expires_on=day)
        racers.send(
            racers.draft_of(f"earn {account.pk} {number}", racers.move(10, world.pk, account.pk, terms)), "post"
        )

    told = run(
        count, racers.spend, source=account.pk, target=world.pk, minor=10, reference=f"points {account.pk} {{number}}"
    )

    assert only(told) == enough
    assert [(lot.issued_minor, lot.used_minor) for lot in lots_of(account)] == [
        (10 * times, 10 * times) for _, times in sorted(Counter(days).items())
    ]
    assert_sound()


def same_day(run: Run, count: int) -> None:
    """Points of one origin that die on one day are one lot, though many are earned at once."""
    world, account = hot(code="points", unit="PTS"), points()
    terms = ledger.Terms("purchase", expires_on=date(2100, 1, 1))

    told = run(
        count, racers.issue, world=world.pk, account=account.pk, minor=5, terms=terms, reference=f"day {account.pk}"
    )

    assert words(told) == {"posted": count}
    assert [lot.issued_minor for lot in lots_of(account)] == [5 * count]
    assert_sound()


def lots_of(account: Account) -> list[Lot]:
    return list(Lot.objects.filter(account=account).order_by("expires_on"))
