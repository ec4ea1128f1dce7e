"""Acts of every kind to be asked for again, in both ways."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from paymentsite.core import clock
from paymentsite.core.errors import DomainError
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Draft, Entry, Posted
from paymentsite.ledger.models import Account, Hold, Posting
from paymentsite.ledger.services import Capture, Expire, Extend, Increase, Lapse, Move, Place, Release, Terms, Undo
from tests.factories import cny, fund, hold, hot, points, postings_of, pts, purse

SOON = timedelta(hours=1)


@dataclass
class World:
    """Accounts, holds and postings with something on them, for entries of every kind."""

    now: datetime
    one: Account
    two: Account
    warm: Account
    lots: Account
    dead: Account
    held: Hold
    other: Hold
    over: Hold
    held_lots: Hold
    posting: Posting
    other_posting: Posting

    def terms(self, origin: str = "x", last: int = 9) -> Terms:
        today = clock.day_of(self.now)
        return Terms(origin, today - timedelta(9), today + timedelta(last))


def new_world() -> World:
    now, one = clock.now(), purse(1_000)
    postings = postings_of(ledger.post(*[Move(cny(20), one, purse())] * 2, reference="two moves"))
    lots, dead = points(), points()
    fund(lots, 100, Terms("x"))
    fund(dead, 5, Terms("x", expires_on=clock.day_of(now) - timedelta(1)))
    with clock.standing(now - SOON):
        over = hold(one, 50, expires_at=now)
    return World(
        now=now,
        one=one,
        two=purse(1_000),
        warm=hot(),
        lots=lots,
        dead=dead,
        held=hold(one, 50),
        other=hold(one, 50),
        over=over,
        held_lots=hold(lots, 20),
        posting=postings[0],
        other_posting=postings[1],
    )


def entries(world: World) -> dict[str, Entry]:
    """One of each kind and sort."""
    w = world
    return {
        "move": Move(cny(10), w.one, w.two),
        "move of lots": Move(pts(10), w.lots, points(), w.terms()),
        "undo": Undo(w.posting, cny(5)),
        "undo the rest": Undo(w.posting),
        "lapse": Lapse(w.dead, hot(unit="PTS"), clock.day_of(w.now)),
        "place": Place(cny(10), w.one, w.now + SOON),
        "place on lots": Place(pts(10), w.lots),
        "increase": Increase(cny(10), w.held),
        "increase and extend": Increase(cny(10), w.held, w.now + SOON),
        "extend": Extend(w.held, w.now + SOON),
        "capture": Capture(cny(10), w.held, w.two),
        "last capture": Capture(cny(10), w.held, w.two, final=True),
        "capture beyond": Capture(cny(60), w.held, w.two, tolerance=cny(10)),
        "capture of lots": Capture(pts(10), w.held_lots, points(), terms=w.terms()),
        "release": Release(w.held, cny(10)),
        "release all": Release(w.held),
        "expire": Expire(w.over),
    }


SORTS = [
    "move",
    "move of lots",
    "undo",
    "undo the rest",
    "lapse",
    "place",
    "place on lots",
    "increase",
    "increase and extend",
    "extend",
    "capture",
    "last capture",
    "capture beyond",
    "capture of lots",
    "release",
    "release all",
    "expire",
]
every_sort = pytest.mark.parametrize("sort", SORTS)
Ask = Callable[[Draft], Posted | DomainError]


def singly(draft: Draft) -> Posted | DomainError:
    fields = {
        name: getattr(draft, name) for name in ("scope", "kind", "occurred_at", "by", "parent", "source", "details")
    }
    try:
        return ledger.post(*draft.entries, reference=draft.reference, **fields)
    except DomainError as refusal:
        return refusal


def in_bulk(draft: Draft) -> Posted | DomainError:
    return ledger.post_many([draft])[0]


WAYS: dict[str, Ask] = {"post": singly, "post_many": in_bulk}
first_way = pytest.mark.parametrize("first", WAYS)
second_way = pytest.mark.parametrize("second", WAYS)
