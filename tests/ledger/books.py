"""Random books with every feature of the ledger in them, grown through its services alone."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.errors import Refused
from paymentsite.core.money import Money
from paymentsite.core.rates import Rate
from paymentsite.core.rounding import Rounding
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance, Hold, Posting
from tests.factories import cny

ANN = Actor("staff", "1")
LIABILITY = Account.Kind.LIABILITY


class NothingHeld(Exception):
    """There is no open hold to go on with."""


@dataclass
class Books:
    """What was built: the accounts by what they are for, and how often each kind of act was tried and refused."""

    chance: random.Random
    now: datetime
    cash: Account
    points: Account
    purses: list[Account]
    credit: Account
    free: Account
    dollars: Account
    lots: list[Account]
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    number: int = 0

    def reference(self) -> str:
        self.number += 1
        return f"r{self.number}"

    def do(self, act: Callable[["Books"], None]) -> None:
        self.attempt(act.__name__, lambda: act(self))

    def attempt(self, what: str, work: Callable[[], object]) -> None:
        """Do it; a refusal is part of a book's life."""
        try:
            with clock.standing(self.now):
                work()
            self.done[what] += 1
        except (Refused, NothingHeld):
            self.refused[what] += 1


def build(seed: int = 1, *, acts: int = 150) -> Books:
    """Books after ``acts`` random acts that follow from ``seed``, most of them sealed, the last ones not."""
    books = opened(seed)
    for what in _OPENING:
        books.do(what)
    for number in range(acts):
        books.do(books.chance.choices(list(_ACTS), list(_ACTS.values()))[0])
        if number % 10 == 0:
            books.now += timedelta(hours=books.chance.randrange(1, 20))
        if number % 25 == 0:
            books.attempt("close_blocks", lambda: ledger.close_blocks(size=7))
        if number % 40 == 39:
            books.attempt("take_snapshot", ledger.take_snapshot)
    for what in (deposit, place, refused_spend, hot_move):
        books.do(what)
    return books


def opened(seed: int) -> Books:
    """The accounts, of every kind, empty."""
    now = clock.now()

    def purse(code: str, unit: str = "CNY", floor: int | None = 0, *, lots: bool = False) -> Account:
        return ledger.open_account(
            owner=f"test:{seed}", code=code, unit=unit, kind=LIABILITY, floor_minor=floor, lots=lots
        )

    return Books(
        random.Random(seed),
        now,
        ledger.house("cash", "CNY"),
        ledger.house("points", "PTS"),
        [purse(f"wallet {number}") for number in range(4)],
        purse("credit", floor=-5_000),
        purse("free", floor=None),
        purse("wallet", "USD"),
        [purse(f"points {number}", "PTS", lots=True) for number in range(2)],
    )


def deposit(books: Books) -> None:
    target = books.chance.choice([*books.purses, books.credit, books.free])
    amount = cny(books.chance.randrange(1, 2_000))
    ledger.post(
        ledger.Move(amount, books.cash, target),
        reference=books.reference(),
        kind="deposit",
        details={"via": "bank", "n": books.number, "note": "多谢 ✓"},
    )


def transfer(books: Books) -> None:
    source, target = books.chance.sample([*books.purses, books.credit, books.free], 2)
    amount = books.chance.randrange(1, 700)
    fee = ledger.Move(cny(1 + amount // 50), source, ledger.house("fees", "CNY"))
    entries = [ledger.Move(cny(amount), source, target), fee]
    books.chance.shuffle(entries)
    ledger.post(*entries, reference=books.reference(), by=ANN, source=f"payment:{books.number}")


def dip(books: Books) -> None:
    """Out of an account more than is on it, and in again within the same journal."""
    source, target = books.chance.sample(books.purses, 2)
    amount = cny(Balance.objects.get(account=source).posted_minor + 500)
    ledger.post(ledger.Move(amount, source, target), ledger.Move(amount, target, source), reference=books.reference())


def hot_move(books: Books) -> None:
    ledger.post(
        ledger.Move(cny(7), books.cash, ledger.house("suspense", "CNY")), reference=books.reference(), kind="sweep"
    )


def refused_spend(books: Books) -> None:
    source, target = books.chance.sample(books.purses, 2)
    ledger.post(ledger.Move(cny(10**9), source, target), reference=books.reference())


def batch(books: Books) -> None:
    drafts = []
    for _ in range(books.chance.randrange(2, 30)):
        source, target = books.chance.sample([books.cash, *books.purses], 2)
        entries = (ledger.Move(cny(books.chance.randrange(1, 400)), source, target),)
        drafts.append(ledger.Draft(entries=entries, reference=books.reference(), scope="batch"))
    ledger.post_many(drafts)


def exchange(books: Books) -> None:
    ledger.exchange(
        sold=cny(books.chance.randrange(10, 300)),
        source=books.chance.choice(books.purses),
        target=books.dollars,
        rate=Rate("CNY", "USD", Decimal("0.1391"), "test", books.now),
        rounding=Rounding.HALF_EVEN,
        reference=books.reference(),
    )


def issue(books: Books) -> None:
    today = clock.today()
    terms = ledger.Terms(
        books.chance.choice(["purchase", "gift"]),
        today + timedelta(days=books.chance.choice([0, 0, 1])),
        today + timedelta(days=books.chance.choice([1, 2, 30])),
    )
    amount = Money(books.chance.randrange(10, 500), "PTS")
    ledger.post(
        ledger.Move(amount, books.points, books.chance.choice(books.lots), terms),
        reference=books.reference(),
        kind="earn",
    )


def spend_points(books: Books) -> None:
    amount = Money(books.chance.randrange(1, 200), "PTS")
    ledger.post(ledger.Move(amount, books.chance.choice(books.lots), books.points), reference=books.reference())


def lapse(books: Books) -> None:
    ledger.lapse_lots(today=clock.today())


def place(books: Books) -> None:
    unit_account = books.chance.choice([*books.purses, books.credit, *books.lots])
    amount = Money(books.chance.randrange(1, 300), unit_account.unit)
    until = books.chance.choice([None, books.now + timedelta(hours=books.chance.randrange(1, 60))])
    ledger.post(ledger.Place(amount, unit_account, until), reference=books.reference(), kind="authorisation")


def _some_hold(books: Books) -> Hold:
    holds = list(Hold.objects.open().filter(events__kind="placed").select_related("account").order_by("events__pk"))
    if not holds:
        raise NothingHeld
    return books.chance.choice(holds)


def increase(books: Books) -> None:
    hold = _some_hold(books)
    ledger.post(ledger.Increase(Money(5, hold.unit), hold), reference=books.reference())


def extend(books: Books) -> None:
    hold = _some_hold(books)
    ledger.post(ledger.Extend(hold, books.now + timedelta(days=2)), reference=books.reference())


def capture(books: Books) -> None:
    hold = _some_hold(books)
    over = books.chance.choice([-1, 0, 3])
    amount = max(1, books.chance.choice([hold.left.minor + over, hold.left.minor // 2]))
    target = books.cash if hold.unit == "CNY" else books.points
    ledger.post(
        ledger.Capture(
            Money(amount, hold.unit),
            hold,
            target,
            final=books.chance.random() < 0.4,
            tolerance=Money(5, hold.unit),
        ),
        reference=books.reference(),
        kind="capture",
    )


def release(books: Books) -> None:
    hold = _some_hold(books)
    given = books.chance.choice([None, Money(1, hold.unit)])
    ledger.post(ledger.Release(hold, given), reference=books.reference())


def expire(books: Books) -> None:
    ledger.expire_holds(now=books.now)


def reverse(books: Books) -> None:
    one = books.chance.choice(list(Posting.objects.select_related("journal").order_by("pk")))
    part = {one.position: Money(max(1, one.amount_minor // 2), one.unit)}
    ledger.reverse(journal=one.journal, reference=books.reference(), amounts=books.chance.choice([None, part]), by=ANN)


def freeze_and_thaw(books: Books) -> None:
    account = books.chance.choice([*books.purses, *books.lots])
    for status in books.chance.choice(
        [(Balance.Status.FROZEN, Balance.Status.OPEN), (Balance.Status.NO_DEBIT, Balance.Status.OPEN)]
    ):
        ledger.set_status(account=account, status=status, by=ANN, reason="looked at")
        with suppress(Refused):
            ledger.post(
                ledger.Move(Money(1, account.unit), account, books.cash if account.unit == "CNY" else books.points),
                reference=books.reference(),
            )
        with suppress(Refused):
            if not account.lots:
                ledger.post(ledger.Move(cny(2), books.cash, account), reference=books.reference())


def move_floor(books: Books) -> None:
    account = books.chance.choice([books.credit, books.free, *books.purses])
    floor = books.chance.choice([-8_000, -5_000, -100, 0, 50, None])
    ledger.set_floor(account=account, floor_minor=floor, by=ANN, reason="agreed")


def open_and_close(books: Books) -> None:
    """An account that lives for three journals."""
    account = ledger.open_account(owner="test:short", code=books.reference(), unit="CNY", kind=LIABILITY)
    ledger.post(ledger.Move(cny(40), books.cash, account), reference=books.reference())
    ledger.post(ledger.Move(cny(40), account, books.cash), reference=books.reference())
    ledger.set_status(account=account, status=Balance.Status.CLOSED, by=ANN, reason="done with")
    ledger.post(ledger.Move(cny(40), books.cash, account), reference=books.reference())


_OPENING = (
    *[deposit] * 8,
    *[issue] * 3,
    transfer,
    dip,
    place,
    place,
    capture,
    spend_points,
    exchange,
    reverse,
    open_and_close,
    refused_spend,
    hot_move,
)
_ACTS: dict[Callable[[Books], None], int] = {
    deposit: 8,
    transfer: 8,
    dip: 2,
    hot_move: 2,
    refused_spend: 1,
    batch: 2,
    exchange: 3,
    issue: 5,
    spend_points: 5,
    lapse: 2,
    place: 8,
    increase: 3,
    extend: 2,
    capture: 6,
    release: 3,
    expire: 2,
    reverse: 5,
    freeze_and_thaw: 2,
    move_floor: 2,
    open_and_close: 1,
}
