"""A small sample book: a few weeks of three sample people and a sample shop, with one of everything."""

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Final

from paymentsite.core import clock
from paymentsite.core.errors import DomainError
from paymentsite.core.money import Money
from paymentsite.core.rates import Rate
from paymentsite.core.rounding import Rounding
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Hold, Journal

_SCOPE: Final = "sample"
_PEOPLE: Final = ("sample:ada", "sample:bo", "sample:chen")
_DAYS: Final = 21


def fill() -> Iterator[str]:
    """Sample accounts and journals exist, sealed; run again, nothing is added."""
    if not Journal.objects.filter(scope=_SCOPE).exists():
        _fill()
    yield f"  ledger    {Journal.objects.filter(scope=_SCOPE).count()} sample journals in the back office"


def _fill() -> None:
    chance = random.Random(7)  # noqa: S311  sample data, the same each time
    wallets = [_wallet(person, "CNY") for person in _PEOPLE]
    shop = ledger.open_account(
        owner="sample:shop", code="receivable", unit="CNY", kind=Account.Kind.LIABILITY, mode=Account.Mode.DEFERRED
    )
    for number, wallet in enumerate(wallets):
        _post(f"top-up {number}", "top_up", ledger.Move(_cny(500_00), ledger.house("cash", "CNY"), wallet))
    for day in range(_DAYS):
        payer, payee = chance.sample(wallets, 2)
        price = chance.randrange(8_00, 60_00)
        fee = Money(price, "CNY").basis_points(60, rounding=Rounding.HALF_UP)
        _post(
            f"payment {day}",
            "payment",
            ledger.Move(_cny(price), payer, shop),
            ledger.Move(fee, shop, ledger.house("fees", "CNY")),
            ledger.Move(Money(price // 100, "PTS"), ledger.house("points", "PTS"), _points(payer), _this_year()),
        )
        _post(f"transfer {day}", "transfer", ledger.Move(_cny(chance.randrange(1_00, 25_00)), payer, payee))
    _one_of_each(wallets, shop)
    ledger.take_snapshot()


def _one_of_each(wallets: list[Account], shop: Account) -> None:
    """A hold captured and one that stands, a refund, an exchange, points spent, a refusal."""
    ada, bo, chen = wallets
    until = clock.now() + timedelta(days=7)
    _post("hotel", "authorisation", ledger.Place(_cny(80_00), ada, until))
    _post("fuel", "authorisation", ledger.Place(_cny(60_00), bo, until))
    fuel = Hold.objects.get(events__journal__scope=_SCOPE, events__journal__reference="fuel")
    _post("fuel taken", "capture", ledger.Capture(_cny(43_20), fuel, shop, final=True))
    ledger.reverse(
        journal=Journal.objects.get(scope=_SCOPE, reference="payment 3"),
        reference="refund of payment 3",
        scope=_SCOPE,
        kind="refund",
    )
    ledger.exchange(
        sold=_cny(100_00),
        source=chen,
        target=_wallet("sample:chen", "USD"),
        rate=Rate("CNY", "USD", Decimal("0.1385"), "sample", clock.now()),
        rounding=Rounding.DOWN,
        reference="exchange",
        scope=_SCOPE,
    )
    _post(
        "coffee for points", "redemption", ledger.Move(Money(20, "PTS"), _points(ada), ledger.house("rewards", "PTS"))
    )
    _post("too much", "transfer", ledger.Move(_cny(9_999_00), bo, chen))


def _post(reference: str, kind: str, *entries: ledger.Entry) -> None:
    try:
        ledger.post(*entries, kind=kind, scope=_SCOPE, reference=reference)
    except DomainError:
        return  # refused, and kept as that: a book has those too


def _wallet(owner: str, unit: str) -> Account:
    return ledger.open_account(owner=owner, code="wallet", unit=unit, kind=Account.Kind.LIABILITY)


def _points(wallet: Account) -> Account:
    return ledger.open_account(owner=wallet.owner, code="points", unit="PTS", kind=Account.Kind.LIABILITY, lots=True)


def _this_year() -> ledger.Terms:
    return ledger.Terms("payments", clock.today(), clock.today() + timedelta(days=365))


def _cny(minor: int) -> Money:
    return Money(minor, "CNY")
