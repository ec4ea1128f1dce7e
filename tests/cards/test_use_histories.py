"""In whatever order a use's messages come, and however often, it comes to the same in the end."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cards.messages import Merchant
from cards.models import Card, CardAuthorisation, CardMessage
from paymentsite.core import verification
from paymentsite.core.money import Money
from paymentsite.ledger.models import Balance
from tests.cards import using
from tests.cards.using import DINER, HOTEL, PUMP, SHOP, ask, more, rate, spending, tell
from tests.examples import some

pytestmark = pytest.mark.django_db

FEW, MANY = some(40), 2_000
WHATS = (
    *("ask", "more", "advise", "decline", "reverse", "reverse all"),
    *("capture", "capture last", "refund", "reverse_refund"),
)
messages = st.lists(
    st.tuples(st.sampled_from(WHATS), st.integers(1, 40)),
    min_size=1,
    max_size=7,
)


@contextmanager
def undone() -> Iterator[None]:
    """So that each order begins with the same books."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# Fees by the part and once, and the margin of another currency: of merchants that give what is like cash, and abroad.
COSTLY = {"cash_fee_minor": 3, "cash_fee_bp": 150, "fx_margin_bp": 250}
SENDER = Merchant(id="sender-1", name="Money Sender", category="4829", country="CN")
ABROAD = Merchant(id="port-1", name="Librairie du Port", category="5942", country="FR")
MERCHANTS = st.sampled_from([SHOP, HOTEL, PUMP, DINER, SENDER, ABROAD])


def say(card: Card, number: int, what: str, minor: int, merchant: Merchant) -> None:
    amount = Money(minor, "EUR" if merchant.country == "FR" else "CNY")
    about: dict[str, Any] = {"reference": "chain", "message_id": f"say {number}", "merchant": merchant}
    if what == "ask":
        ask(card, amount, **about)
    elif what == "more":
        more(card, amount, **about)
    else:
        word, _space, how = what.partition(" ")
        tell(word, card, None if how == "all" else amount, **about, final=how == "last")


def came_to(card: Card, told: list[tuple[int, str, int]], merchant: Merchant) -> Any:
    """What is left of it in the end. What was approved is not: nobody approves what was cancelled before."""
    for number, what, minor in told:
        say(card, number, what, minor, merchant)
    use = CardAuthorisation.objects.get()
    found = Card.objects.get(pk=card.pk)
    balances = Balance.objects.exclude(account__owner__startswith="house").order_by("account_id")
    return (
        (use.state, use.figures.held, use.captured_minor, use.refunded_minor, use.over, use.counted_minor, use.ended),
        (found.counted_minor, found.counted, found.state),
        sorted(CardMessage.objects.values_list("message_id", "kind")),
        sorted(balances.values_list("account__owner", "account__code", "posted_minor", "held_minor")),
    )


def examples(test: Callable[..., None], count: int) -> None:
    check = list(HealthCheck)
    settings(max_examples=count, deadline=None, database=None, suppress_health_check=check)(test)()


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_order_and_repetition_change_nothing(count):
    examples(order_and_repetition_change_nothing, count)


@given(told=messages, seed=st.integers(0, 2**32), merchant=MERCHANTS)
@example(told=[("ask", 1), ("ask", 8), ("ask", 28), ("advise", 1), ("capture", 1)], seed=0, merchant=SENDER)
def order_and_repetition_change_nothing(told, seed, merchant):
    """With enough for all of it, so that every question is answered in the same way whenever it comes."""
    chance = random.Random(seed)
    said = [(number, what, minor) for number, (what, minor) in enumerate(told)]
    another = said + chance.choices(said, k=chance.randint(0, 4))
    chance.shuffle(another)
    ends = []
    with undone():
        card = spending(10_000_000, **COSTLY)
        rate("EUR", "CNY", "7.9")
        for order in (said, another):
            with undone():
                ends.append(came_to(card, order, merchant))
                if order is another:
                    assert verification.discover().run(only=["cards", "ledger"]).findings == []
    assert ends[0] == ends[1]


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_no_floor_is_broken_and_nothing_is_lost_however_little_there_is(count):
    examples(no_floor_is_broken_and_nothing_is_lost, count)


@given(told=messages, has=st.integers(1, 60), merchant=MERCHANTS)
def no_floor_is_broken_and_nothing_is_lost(told, has, merchant):
    """What a merchant takes without being let is the member's debt: with it the books say what was taken and given."""
    with undone():
        card = spending(has, **COSTLY)
        rate("EUR", "CNY", "7.9")
        for number, (what, minor) in enumerate(told):
            say(card, number, what, minor, merchant)
        use = CardAuthorisation.objects.get()
        posted, held = using.stands(card)
        owed = using.debt(card)
        assert posted >= held >= 0
        assert posted - owed == has - use.captured_minor + use.refunded_minor
        assert not (owed and posted - held), "what is there pays a debt first"
        assert held <= use.figures.held
        assert verification.discover().run(only=["cards", "ledger"]).findings == []


def test_same_id_that_says_something_else_is_refused():
    card = spending()
    ask(card, Money(10, "CNY"), message_id="m", reference="r")

    with pytest.raises(using.MessageDiffers):
        ask(card, Money(11, "CNY"), message_id="m", reference="r")
    with pytest.raises(using.MessageDiffers):
        tell("capture", card, Money(10, "CNY"), message_id="m", reference="r")
