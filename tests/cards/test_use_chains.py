"""Chains of messages, one table: what each sequence leaves of the use, set aside, and on the account."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from cards.models import Card, CardAuthorisation
from cards.services import issuing, lapsing, life
from cards.services.life import Channel
from paymentsite.core import clock, verification
from paymentsite.core.actors import Actor
from paymentsite.core.money import Money
from tests.cards.using import DINER, HOTEL, PUMP, SHOP, ask, loaded, more, rate, spending, stands, tell

pytestmark = pytest.mark.django_db

# What a word of the table does with 100.00 on the account. "a50" asks for 50.00, and so on; "!" after a capture means
# that it is the last, "*" that the message is said twice.
WORDS: Final = {
    "a": "ask",
    "i": "more",
    "v": "advise",
    "d": "decline",
    "r": "reverse",
    "c": "capture",
    "f": "refund",
    "u": "reverse_refund",
}
T = tuple[str, str, int, int]

AT_A_SHOP: Final[tuple[T, ...]] = (
    # what is said, how it stands, what is set aside, what is on the account; in yuan
    ("a50", "open", 50, 100),
    ("a50*", "open", 50, 100),
    ("a0", "checked", 0, 100),
    ("a100", "open", 100, 100),
    ("a101", "declined", 0, 100),
    ("a50 i20", "open", 70, 100),
    ("a50 i20*", "open", 70, 100),
    ("a50 i60", "open", 50, 100),
    ("a50 i20 i30", "open", 100, 100),
    ("a50 r20", "open", 30, 100),
    ("a50 r20*", "open", 30, 100),
    ("a50 r20 r30", "reversed", 0, 100),
    ("a50 r", "reversed", 0, 100),
    ("a50 r*", "reversed", 0, 100),
    ("a50 r60", "reversed", 0, 100),
    ("a50 i10 r", "reversed", 0, 100),
    ("a50 r i10", "reversed", 0, 100),
    ("a50 r20 i10", "open", 40, 100),
    ("a50 c50!", "captured", 0, 50),
    ("a50 c50!*", "captured", 0, 50),
    ("a50 c50", "captured", 0, 50),
    ("a50 c20", "part_captured", 30, 80),
    ("a50 c20*", "part_captured", 30, 80),
    ("a50 c20!", "captured", 0, 80),
    ("a50 c20 c30!", "captured", 0, 50),
    ("a50 c20 c10", "part_captured", 20, 70),
    ("a50 c20 c10 c20", "captured", 0, 50),
    ("a50 c20 r30", "captured", 0, 80),
    ("a50 c20 r10", "part_captured", 20, 80),
    ("a50 c20 r", "captured", 0, 80),
    ("a50 i20 c70!", "captured", 0, 30),
    ("a50 i20 c50", "part_captured", 20, 50),
    ("a50 c60!", "captured", 0, 40),
    ("a50 c60", "captured", 0, 40),
    ("a50 c100!", "captured", 0, 0),
    ("a50 r c50!", "captured", 0, 50),
    ("a50 c50! f50", "refunded", 0, 100),
    ("a50 c50! f20", "part_refunded", 0, 70),
    ("a50 c50! f20*", "part_refunded", 0, 70),
    ("a50 c50! f20 f30", "refunded", 0, 100),
    ("a50 c50! f50 u50", "captured", 0, 50),
    ("a50 c50! f50 u20", "part_refunded", 0, 80),
    ("a50 c50! f60", "refunded", 0, 110),
    ("a50 c20 f20", "refunded", 30, 100),
    ("f20", "credited", 0, 120),
    ("f20 u20", "declined", 0, 100),
    ("c40!", "captured", 0, 60),
    ("c40! a40", "captured", 0, 60),
    ("a101 c40!", "captured", 0, 60),
    ("r a50", "reversed", 0, 100),
    ("r20 a50", "open", 30, 100),
    ("c20 a50", "part_captured", 30, 80),
    ("f20 a50 c50!", "part_refunded", 0, 70),
    ("v50", "open", 50, 100),
    ("v50*", "open", 50, 100),
    ("v150", "open", 100, 100),
    ("v50 c50!", "captured", 0, 50),
    ("v50 r", "reversed", 0, 100),
    ("a50 v20", "open", 70, 100),
    ("v20 a50", "open", 70, 100),
    ("c20 v50", "part_captured", 30, 80),
    ("d50", "declined", 0, 100),
    ("d50*", "declined", 0, 100),
    ("d50 a50", "open", 50, 100),
    ("a50 d20", "open", 50, 100),
    ("d50 c50!", "captured", 0, 50),
    ("a50 x", "expired", 0, 100),
    ("a50 c20 x", "captured", 0, 80),
    ("a50 x c50!", "captured", 0, 50),
    ("a50 x r", "reversed", 0, 100),
    ("a50 x i10", "expired", 0, 100),
    ("v50 x", "expired", 0, 100),
    ("x a50", "open", 50, 100),
)
ELSEWHERE: Final[tuple[tuple[Any, *T], ...]] = (
    (HOTEL, "a40", "open", 46, 100),
    (HOTEL, "a40 i20", "open", 69, 100),
    (HOTEL, "a40 c40", "captured", 0, 60),
    (HOTEL, "a40 c10", "part_captured", 30, 90),
    (HOTEL, "a40 r40", "reversed", 0, 100),
    (HOTEL, "a40 r20", "open", 23, 100),
    (HOTEL, "a40 c46!", "captured", 0, 54),
    (HOTEL, "a90", "open", 100, 100),
    (PUMP, "a1", "open", 100, 100),
    (PUMP, "a1 c60!", "captured", 0, 40),
    (PUMP, "a1 r", "reversed", 0, 100),
    (DINER, "a50", "open", 50, 100),
    (DINER, "a50 c60!", "captured", 0, 40),
)


def say(card: Any, word: str, number: int, merchant: Any, unit: str) -> None:
    if word == "x":
        lapse()
        return
    twice, final = word.endswith("*"), "!" in word
    text = word.strip("*!")[1:]
    about = {"reference": "chain", "message_id": f"say {number}", "merchant": merchant, "final": final}
    amount = Money(int(text) * 100, unit) if text else None
    for _ in range(2 if twice else 1):
        what = WORDS[word[0]]
        if what == "ask":
            ask(card, amount, **about)
        elif what == "more":
            more(card, amount, **about)
        else:
            tell(what, card, amount, **about)


def lapse() -> None:
    lapsing.lapse_due(now=clock.now() + timedelta(days=31))


def check(
    sentence: str,
    state: str,
    held: int,
    posted: int,
    *,
    merchant: Any = SHOP,
    made: Callable[[int], Card] = spending,
    unit: str = "CNY",
    between: Callable[[Card], Card] = lambda card: card,
) -> None:
    card = made(100_00)
    for number, word in enumerate(sentence.split()):
        say(card, word, number, merchant, unit)
        card = between(card)
    found = CardAuthorisation.objects.get()
    assert (found.state, *reversed(stands(card))) == (state, held * 100, posted * 100)


def replaced_once(card: Card) -> Card:
    """After the first word another card stands in its place, and all that follows is said of that."""
    if card.replaces_id is not None or Card.objects.filter(replaces=card).exists():
        return card
    by = Actor.of(card.member.user)
    new = issuing.replace(card=card, why=issuing.Why.DAMAGED, reference="new", by=by, channel=Channel.WEB)
    return life.activate(card=new, by=by, channel=Channel.WEB)


@pytest.mark.parametrize(("sentence", "state", "held", "posted"), AT_A_SHOP, ids=str)
def test_sequence_leaves(sentence, state, held, posted):
    check(sentence, state, held, posted)


@pytest.mark.parametrize(("merchant", "sentence", "state", "held", "posted"), ELSEWHERE)
def test_sequence_at_other_kinds_of_merchants_leaves(merchant, sentence, state, held, posted):
    check(sentence, state, held, posted, merchant=merchant)


# What else a card can be, and be used in: the same comes of it. A dollar is a yuan here.
WAYS: Final[dict[str, dict[str, Any]]] = {
    "prepaid": {"made": loaded},
    "abroad": {"unit": "USD"},
    "replaced": {"between": replaced_once},
    "prepaid and replaced": {"made": loaded, "between": replaced_once},
}


@pytest.mark.once
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(("sentence", "state", "held", "posted"), AT_A_SHOP[5::6], ids=str)
def test_sequence_leaves_the_same_of_every_card(sentence, state, held, posted, way):
    rate("USD", "CNY", "1")

    check(sentence, state, held, posted, **way)

    assert verification.discover().run(only=["cards"]).findings == []
