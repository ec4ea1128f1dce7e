"""The sample book."""

import pytest

from paymentsite.ledger import demo, queries
from paymentsite.ledger.models import Hold, Journal

pytestmark = pytest.mark.django_db


def test_demo_fills_once_and_balances():
    said = list(demo.fill())
    count = Journal.objects.count()

    assert list(demo.fill()) == said
    assert Journal.objects.count() == count == 52
    assert Journal.objects.refused().count() == 1
    assert sorted(Hold.objects.values_list("state", flat=True)) == ["captured", "open"]
    for unit in ("CNY", "USD", "PTS"):
        lines = [line for line in queries.trial_balance() if line.unit == unit]
        assert sum(line.debit.minor for line in lines) == sum(line.credit.minor for line in lines) > 0
