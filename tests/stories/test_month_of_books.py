"""A month in the books of a small house, told on the sandbox clock: everything the ledger can do, and the proof."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from paymentsite.core import clock
from paymentsite.core.money import Money
from paymentsite.core.rates import Rate
from paymentsite.core.rounding import Rounding
from paymentsite.ledger import queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Block, Hold, Journal, Lot, Snapshot
from paymentsite.ledger.refusals import HoldNotOpen, InsufficientFunds

pytestmark = [pytest.mark.story, pytest.mark.django_db(transaction=True)]


def cny(minor):
    return Money(minor, "CNY")


def usd(minor):
    return Money(minor, "USD")


def points(minor):
    return Money(minor, "PTS")


class House:
    """The accounts of the story."""

    def __init__(self):
        self.cash = ledger.house("cash", "CNY")
        self.fees = ledger.house("fees", "CNY")
        self.issued = ledger.house("points", "PTS")
        self.shop = ledger.open_account(
            owner="merchant:shop",
            code="receivable",
            unit="CNY",
            kind=Account.Kind.LIABILITY,
            mode=Account.Mode.DEFERRED,
        )
        self.ada = self.wallet("sample:ada", "CNY")
        self.bo = self.wallet("sample:bo", "CNY")
        self.ada_usd = self.wallet("sample:ada", "USD")
        self.ada_points = ledger.open_account(
            owner="sample:ada", code="points", unit="PTS", kind=Account.Kind.LIABILITY, lots=True
        )

    @staticmethod
    def wallet(owner, unit):
        return ledger.open_account(owner=owner, code="wallet", unit=unit, kind=Account.Kind.LIABILITY)

    def figures(self):
        """What stands on each account, in minor units."""
        accounts = (self.cash, self.fees, self.shop, self.ada, self.bo, self.ada_usd, self.ada_points)
        return [queries.standing(account).posted.minor for account in accounts]


def test_month_of_books():
    house = House()
    begin = clock.now()

    # The first day: money comes in, and is spent at the shop with a fee and points in the same act.
    ledger.post(ledger.Move(cny(500_00), house.cash, house.ada), kind="top_up", reference="top-up 1")
    ledger.post(
        ledger.Move(cny(120_00), house.ada, house.shop),
        ledger.Move(cny(72), house.shop, house.fees),
        ledger.Move(
            points(120),
            house.issued,
            house.ada_points,
            ledger.Terms("payment 1", clock.today(), clock.today() + timedelta(days=10)),
        ),
        kind="payment",
        reference="payment 1",
    )
    assert house.figures() == [-500_00, 72, 119_28, 380_00, 0, 0, 120]

    # A hotel sets an amount aside for seven days and takes less; another hold is forgotten and expires by itself.
    week = clock.now() + timedelta(days=7)
    hotel = ledger.post(ledger.Place(cny(200_00), house.ada, week), kind="authorisation", reference="hotel").holds[0]
    forgotten = ledger.post(ledger.Place(cny(100_00), house.ada, week), reference="forgotten").holds[0]
    assert queries.standing(house.ada).available == cny(80_00)
    with pytest.raises(InsufficientFunds):
        ledger.post(ledger.Move(cny(80_01), house.ada, house.bo), reference="too much")

    clock.advance(by=timedelta(days=3))
    ledger.post(
        ledger.Capture(cny(180_00), Hold.objects.get(pk=hotel), house.shop, final=True),
        kind="capture",
        reference="hotel takes",
    )
    clock.advance(by=timedelta(days=5))
    expired = Hold.objects.get(pk=forgotten)
    assert (expired.state, expired.released_minor) == ("expired", 100_00)
    assert Journal.objects.get(hold_events__hold=expired, hold_events__kind="expired").recorded_at == week
    with pytest.raises(HoldNotOpen):
        ledger.post(ledger.Capture(cny(1), expired, house.shop), reference="too late")
    assert queries.standing(house.ada).available == cny(200_00)

    # The first payment is half refunded: money and points go back by their shares.
    payment = Journal.objects.get(reference="payment 1")
    ledger.reverse(
        journal=payment, reference="refund 1", kind="refund", amounts={1: cny(60_00), 2: cny(36), 3: points(60)}
    )
    assert house.figures() == [-500_00, 36, 239_64, 260_00, 0, 0, 60]

    # Dollars are bought at a rate that is kept; what the house is long and short of can be read.
    rate = Rate("CNY", "USD", Decimal("0.1385"), "story", clock.now())
    ledger.exchange(
        sold=cny(100_00),
        source=house.ada,
        target=house.ada_usd,
        rate=rate,
        rounding=Rounding.DOWN,
        reference="exchange",
    )
    assert queries.standing(house.ada_usd).posted == usd(13_85)
    assert queries.standing(ledger.house("position", "USD")).posted == usd(-13_85)

    # The points that were not spent lapse on the night after their last day.
    clock.advance(to=begin + timedelta(days=14))
    assert queries.standing(house.ada_points).posted == points(0)
    assert Lot.objects.get(account=house.ada_points).expired_minor == 60
    assert queries.standing(ledger.house("breakage", "PTS")).posted == points(60)

    # The month ends: nights left snapshots, a statement adds up, every unit is even, and the proof finds nothing.
    clock.advance(to=begin + timedelta(days=30))
    assert Block.objects.exists()
    assert Snapshot.objects.filter(account=house.ada).count() >= 3
    month = queries.statement_between(house.ada, since=begin, until=clock.now())
    assert month.opening == cny(0)
    assert sum(line.amount.minor for line in month.lines) == month.closing.minor == 160_00
    assert queries.balance_at(house.ada, begin + timedelta(days=1)) == cny(380_00)
    for line in queries.trial_balance():
        assert line.debit.minor >= 0
    for unit in ("CNY", "USD", "PTS"):
        lines = [line for line in queries.trial_balance() if line.unit == unit]
        assert sum(line.debit.minor for line in lines) == sum(line.credit.minor for line in lines)
    report = StringIO()
    call_command("verify", stdout=report)
