"""What a member was shown is what they pay, or nothing happens: of each price that can change in between."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from members.models import PointValue, TierChange
from members.services import points, tiers, upgrades
from members.services.upgrades import UpgradePriceChanged
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.errors import DomainError
from paymentsite.core.ids import EPOCH
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from tests.factories import fund, pts
from tests.members.factories import member
from tests.members.limiting import tier
from tests.terms import told
from tests.wallets.factories import holds
from tests.wallets.gateways import PIN, eur, wallet
from tests.wallets.saved import bank_account
from wallets.models import FeeRule, Instrument, PointsCredit, Wallet
from wallets.services import gift_links, points_credit, requests, top_ups, transfers, withdrawals
from wallets.services.fees import QuoteChanged
from wallets.services.points_credit import PointsWorthChanged

pytestmark = [pytest.mark.once, pytest.mark.django_db, pytest.mark.usefixtures("routed")]

FEE = eur(10)


def sent(purse: Wallet, fee: Money | None) -> object:
    return transfers.send(sender=purse.member, payee=member(), amount=eur(1_00), fee=fee, pin=PIN, **asked(purse))


def given(purse: Wallet, fee: Money | None) -> object:
    return gift_links.make(sender=purse.member, amount=eur(1_00), fee=fee, pin=PIN, **asked(purse))


def paid(purse: Wallet, fee: Money | None) -> object:
    asker = member()
    request = requests.ask(
        asker=asker, payer=purse.member, amount=eur(1_00), reference="r", by=Actor.of(asker.user), note=""
    )
    return requests.pay(request=request, payer=purse.member, fee=fee, pin=PIN, **asked(purse))


def withdrawn(purse: Wallet, fee: Money | None) -> object:
    known = Instrument.objects.filter(member=purse.member, kind="bank_account").first()
    account = known or bank_account(of=purse.member, verified=True)
    how = {"member": purse.member, "wallet": purse, "instrument": account, "fee": fee, "pin": PIN}
    return withdrawals.request(amount=eur(10_00), **how, **asked(purse))


def topped_up(purse: Wallet, fee: Money | None) -> object:
    return top_ups.begin(member=purse.member, wallet=purse, amount=eur(10_00), method="card", fee=fee, **asked(purse))


def asked(purse: Wallet) -> dict:
    return {"reference": "once", "by": Actor.of(purse.member.user)}


WAYS = {"transfer": sent, "gift": given, "request": paid, "withdrawal": withdrawn, "top_up": topped_up}


@pytest.fixture
def purse() -> Wallet:
    made = wallet(100_00)
    for kind in ("transfer", "withdrawal", "top_up"):
        rule = FeeRule(kind=kind, currency="EUR", fixed_minor=FEE.minor, starts_at=EPOCH, set_by="test:1")
        rule.save()
        told(rule)
    return made


@pytest.mark.parametrize("pay", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("shown", [eur(9), eur(11), Money(10, "USD")], ids=str)
def test_price_that_is_another_one_by_now_is_told_and_nothing_happens(purse, pay: Callable, shown):
    before = holds(purse)

    with pytest.raises(QuoteChanged) as refusal:
        pay(purse, shown)

    assert refusal.value.facts == {"quoted": shown.to_wire(), "fee": FEE.to_wire()}
    assert holds(purse) == before


@pytest.mark.parametrize("pay", WAYS.values(), ids=WAYS)
def test_price_that_was_shown_is_paid_under_the_same_reference(purse, pay: Callable):
    with pytest.raises(QuoteChanged):
        pay(purse, eur(0))

    done = pay(purse, FEE)

    fee = getattr(done, "fee", None) or done.gift.fee
    assert fee == FEE


@pytest.mark.parametrize("pay", [sent, given, withdrawn, topped_up])
def test_repeated_it_is_the_first_whatever_is_shown_by_then(purse, pay: Callable):
    first = pay(purse, FEE)
    if pay is sent:  # a payee of its own each time
        again = transfers.send(
            sender=purse.member, payee=first.receiver, amount=eur(1_00), fee=eur(1), pin=PIN, **asked(purse)
        )
    else:
        again = pay(purse, eur(1))

    assert getattr(again, "pk", None) == getattr(first, "pk", None)


def test_level_that_costs_otherwise_by_now_is_not_bought():
    ada = member()
    tiers.base()
    above = tier("silver", rank=5, threshold=1_000, upgrade_points=500)
    fund(points.of(ada).points, 1_000, ledger.Terms("test"))
    buy = {"member": ada, "tier": above, "reference": "r", "by": Actor.of(ada.user)}

    with pytest.raises(UpgradePriceChanged) as refusal:
        upgrades.buy(**buy, price=pts(400))
    assert refusal.value.facts["amount"] == pts(500).to_wire()
    assert not TierChange.objects.filter(reference="r").exists()

    assert upgrades.buy(**buy, price=pts(500)).after == above


def test_points_that_are_worth_something_else_by_now_stay_points():
    ada = member()
    fund(points.of(ada).points, 1_000, ledger.Terms("test"))
    told(PointValue.objects.create(currency="CNY", points=100, value_minor=100, starts_at=clock.now() - timedelta(1)))
    credit = {"member": ada, "count": 500, "reference": "r", "by": Actor.of(ada.user)}

    with pytest.raises(PointsWorthChanged):
        points_credit.credit(**credit, shown=Money(4_99, "CNY"))
    assert not PointsCredit.objects.exists()

    assert points_credit.credit(**credit, shown=Money(5_00, "CNY")).amount == Money(5_00, "CNY")


def test_what_was_refused_before_the_worth_changed_may_be_asked_again():
    ada = member()
    told(PointValue.objects.create(currency="CNY", points=100, value_minor=100, starts_at=clock.now() - timedelta(1)))
    credit = {"member": ada, "count": 500, "reference": "r", "by": Actor.of(ada.user)}
    with pytest.raises(DomainError, match="500 PTS short"):
        points_credit.credit(**credit)

    fund(points.of(ada).points, 1_000, ledger.Terms("test"))
    told(PointValue.objects.create(currency="CNY", points=200, value_minor=100, starts_at=clock.now()))

    assert points_credit.credit(**credit).amount == Money(2_50, "CNY")
