"""The sample of transfers."""

import pytest

from tests.members.factories import member
from wallets.demo import transfers
from wallets.models import Gift, MoneyRequest, Transfer

pytestmark = pytest.mark.django_db


def test_filling_twice_adds_nothing():
    ada = member()

    first, second = list(transfers.fill(ada)), list(transfers.fill(ada))

    assert first == second == ["  between   transfers: 1, requests to pay: 1, gifts: 1"]
    assert [model.objects.count() for model in (Transfer, MoneyRequest, Gift)] == [1, 1, 1]
