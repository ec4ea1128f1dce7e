"""Small amounts go without the payment PIN until together they are more than one may be."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection

from members.models import Member
from members.services import pins
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from tests.members.factories import member
from tests.wallets import races
from tests.wallets.factories import asked, given, holds, paid, sent, wallet
from wallets.models import Transfer, Unconfirmed, Wallet
from wallets.services import confirming, standing_runs, transfers

PIN = Secret("802751")


@pytest.fixture(autouse=True)
def threshold(settings) -> None:
    settings.TRANSFER_PIN_ABOVE = {"CNY": 100, "EUR": 100}


@pytest.fixture
def purse() -> Wallet:
    found = wallet(1_000)
    pins.set_pin(member=found.member, pin=PIN, by=SYSTEM)
    return found


@pytest.fixture
def ada() -> Member:
    return member()


@pytest.mark.django_db
class TestConfirming:
    def test_small_ones_add_up_until_the_pin_is_given(self, purse, ada):
        sent(60, sender=purse, to=ada, reference="a")
        sent(40, sender=purse, to=ada, reference="b")
        with pytest.raises(pins.PinMissing):
            sent(1, sender=purse, to=ada, reference="c")

        sent(1, sender=purse, to=ada, reference="c", pin=PIN)

        assert sent(100, sender=purse, to=ada, reference="d")
        assert holds(purse) == Money(799, "CNY")

    def test_every_way_out_counts(self, purse, ada):
        given(30, purse)
        paid(asked(30, of=purse.member, by=ada), purse)
        sent(30, sender=purse, to=ada)

        for more in (
            lambda: given(11, purse, "more"),
            lambda: paid(asked(11, of=purse.member, by=ada, reference="more"), purse, "more"),
            lambda: sent(11, sender=purse, to=ada, reference="more"),
        ):
            with pytest.raises(pins.PinMissing):
                more()
        assert given(10, purse, "rest")

    def test_what_is_refused_does_not_count(self, purse, ada):
        with pytest.raises(transfers.PayeeCannotReceive):
            sent(100, sender=purse, to=None)

        assert sent(100, sender=purse, to=ada)

    def test_repetition_counts_once_and_takes_no_pin(self, purse, ada):
        first = sent(100, sender=purse, to=ada)

        assert sent(100, sender=purse, to=ada) == first
        assert Unconfirmed.objects.get().amount == Money(100, "CNY")

    def test_other_currencies_and_other_people_have_their_own(self, purse, ada):
        euros = wallet(1_000, of=purse.member, currency="EUR")
        sent(100, sender=purse, to=ada, reference="a")

        assert sent(100, sender=euros, to=ada, reference="b")
        assert sent(100, sender=wallet(100), to=ada)

    def test_a_day_later_counting_begins_anew(self, purse, ada):
        sent(60, sender=purse, to=ada, reference="a")
        began = clock.now()
        with clock.standing(began + timedelta(hours=23)):
            sent(40, sender=purse, to=ada, reference="b")
            with pytest.raises(pins.PinMissing):
                sent(1, sender=purse, to=ada, reference="c")

        with clock.standing(began + timedelta(hours=24, seconds=1)):
            assert sent(100, sender=purse, to=ada, reference="c")
            with pytest.raises(pins.PinMissing):
                sent(1, sender=purse, to=ada, reference="d")

    def test_preview_says_whether_the_pin_will_be_asked_for(self, purse, ada):
        def asks(minor: int) -> bool:
            return transfers.preview(sender=purse.member, to=f"@{ada.handle}", amount=Money(minor, "CNY")).needs_pin

        before = asks(100)
        sent(60, sender=purse, to=ada)

        assert (before, asks(40), asks(41)) == (False, False, True)

    def test_standing_order_was_confirmed_when_it_was_set_up(self, purse, ada):
        races.due_order(purse.member, ada)
        sent(100, sender=purse, to=ada)

        assert standing_runs.carry_out(now=clock.now()) == 1
        assert Transfer.objects.count() == 2
        assert Unconfirmed.objects.get().amount == Money(100, "CNY")


if connection.vendor == "postgresql":
    MANY = 16

    def many_small_ones(together, purse: Wallet, ada: Member) -> Counter[str]:
        return races.told(together, MANY, lambda n: sent(10, sender=purse, to=ada, reference=f"r{n}"))

    @pytest.mark.race
    @pytest.mark.django_db(transaction=True)
    def test_many_at_once_are_no_more_than_may_go(together, purse, ada):
        assert many_small_ones(together, purse, ada) == {"done": 10, "pin_missing": MANY - 10}
        assert holds(purse) == Money(900, "CNY")

    @pytest.mark.race
    @pytest.mark.django_db(transaction=True)
    def test_many_at_once_that_are_asked_before_alone_are_more(together, purse, ada, monkeypatch):
        """The control: not counted under the lock, they all look at the same little."""
        monkeypatch.setattr(transfers, "count", lambda *_, **__: None)

        assert many_small_ones(together, purse, ada) == {"done": MANY}

    @pytest.mark.race
    @pytest.mark.django_db(transaction=True)
    def test_first_counts_of_a_currency_at_once_are_one(together, purse, ada):
        euros = wallet(1_000, of=purse.member, currency="EUR")

        told = races.told(together, 2, lambda n: sent(5, sender=(purse, euros)[n], to=ada, reference=f"r{n}"))

        assert told == {"done": 2}
        assert confirming.needs_pin(purse.member, Money(96, "EUR"), clock.now())
