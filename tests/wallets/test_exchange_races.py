"""One offer, accepted by many at once: posted once. And the same race red where what guards it is taken away."""

import pytest
from django.db import IntegrityError

from members.models import Member
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.money import Money
from tests.wallets.factories import holds, wallet
from tests.wallets.rates import told
from wallets.models import Exchange, ExchangeQuote
from wallets.services import exchanges, wallets

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

RACERS = 32


@pytest.fixture
def offer():
    told("CNY", "USD", "0.138517")
    purse = wallet(1_000_00)
    return exchanges.quote(member=purse.member, sell=Money(100_00, "CNY"), buy_currency="USD", now=clock.now())


def race(offer: ExchangeQuote, together, reference: str) -> list[str]:
    """How each racer ended."""
    by = Actor.of(offer.member.user)

    def accept(number: int) -> str:
        try:
            exchanges.accept(quote=offer, reference=reference.format(number=number), by=by)
        except exchanges.QuoteUsed as refusal:
            return refusal.code
        except IntegrityError:
            return "broken"
        return "accepted"

    return sorted(map(str, together(RACERS, accept)))


def moved(offer: ExchangeQuote) -> tuple[int, int]:
    return tuple(
        holds(wallets.of(member=offer.member, currency=unit)).minor for unit in (offer.sold_unit, offer.bought_unit)
    )


def test_many_accept_one_offer_and_one_does(offer, together):
    ends = race(offer, together, "r{number}")

    assert ends == ["accepted", *["quote_used"] * (RACERS - 1)]
    assert moved(offer) == (900_00, offer.bought_minor)


def test_many_repeat_one_reference_and_all_hear_of_one_exchange(offer, together):
    ends = race(offer, together, "same")

    assert ends == ["accepted"] * RACERS
    assert moved(offer) == (900_00, offer.bought_minor)
    assert Exchange.objects.count() == 1


def test_control_without_the_lock_racers_break_on_the_last_guard(offer, together, monkeypatch):
    """Unlocked, several pass the question whether it was used; what stops them then is the database, rudely."""
    monkeypatch.setattr(type(Member.objects), "lock", lambda members, pk: members.get(pk=pk))

    ends = race(offer, together, "r{number}")

    assert ends != ["accepted", *["quote_used"] * (RACERS - 1)]
    assert moved(offer) == (900_00, offer.bought_minor)
