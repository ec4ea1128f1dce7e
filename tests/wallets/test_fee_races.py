"""The last free withdrawal of a month is one, however many want it at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from members.models.members import MemberQuerySet
from paymentsite.core.ids import EPOCH
from tests.factories import cny
from tests.members.factories import member
from tests.members.limiting import NOON, tier
from tests.members.races import winners
from wallets.models import FeeRule, FeeUse
from wallets.services import fees
from wallets.services.fees import Kind, QuoteChanged

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def last_free_one(together: Callable[[int, Callable[[int], Any]], list[Any]], count: int) -> None:
    ada = member()
    quote = fees.quote(member=ada, kind=Kind.WITHDRAWAL, amount=cny(100), now=NOON)
    assert (quote.fee, quote.free_left) == (cny(0), 1)

    def work(number: int) -> fees.Quote:
        with transaction.atomic():
            return fees.take(quote=quote, source=f"race:{ada.pk}:{number}", now=NOON)

    won = winners(together(count, work), QuoteChanged)

    assert [each.fee for each in won] == [cny(0)]
    assert FeeUse.objects.filter(member=ada, free=True).count() == 1


@pytest.fixture
def priced() -> None:
    tier("free", rank=0, free_withdrawals=1)
    FeeRule.objects.create(kind="withdrawal", currency="CNY", fixed_minor=100, starts_at=EPOCH, set_by="test:1")


@pytest.mark.parametrize("count", [2, 8, 32])
def test_last_free_withdrawal_is_taken_once(together, priced, count):
    last_free_one(together, count)


def test_without_the_member_s_lock_it_turns_red(together, priced, monkeypatch):
    monkeypatch.setattr(MemberQuerySet, "lock", lambda self, pk: self.get(pk=pk))

    def rounds() -> None:
        for _ in range(30):
            last_free_one(together, 8)

    with pytest.raises(AssertionError):
        rounds()
