import pytest

from members import demo as people
from paymentsite.core import clock, verification
from paymentsite.ledger import services as ledger
from tests.members.factories import unlimited
from wallets import demo
from wallets.models import Exchange, ExchangeRate, Instrument

pytestmark = pytest.mark.django_db


def test_filling_twice_adds_nothing_and_leaves_everything_true():
    unlimited()
    # There are new rates every hour, and this takes seconds.
    with clock.standing(clock.now().replace(minute=0, second=1)):
        list(people.fill())
        first, second = list(demo.fill()), list(demo.fill())
    ledger.close_blocks()

    assert first == second
    assert (Exchange.objects.count(), ExchangeRate.objects.count()) == (1, 10)
    assert Instrument.objects.filter(kind__in=["card", "bank_account"]).count() == 3
    assert verification.discover().run().findings == []
