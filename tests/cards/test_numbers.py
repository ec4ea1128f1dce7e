"""Numbers of cards: valid, ours, by chance, each once."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from stdnum import luhn

from cards.models import Card, NumberRange
from cards.services import issuing, numbers
from cards.services.numbers import NumbersExhausted
from paymentsite.core.models import OpenItem
from tests.cards import factories
from tests.cards.factories import issued, product

pytestmark = pytest.mark.django_db


def number_of(card: Card) -> str:
    return card.number.decrypt().reveal()


@pytest.mark.parametrize(
    ("prefix", "length"), [("40000012", 16), ("356600", 16), ("6212345678", 19), ("40000012345", 13)]
)
def test_number_is_in_its_range_and_valid(prefix, length):
    made = factories.numbers(prefix, length)

    drawn = [numbers.draw(made).reveal() for _ in range(5)]

    assert all(each.startswith(prefix) and len(each) == length and luhn.is_valid(each) for each in drawn)
    made.refresh_from_db()
    assert (made.issued, made.capacity) == (5, 10 ** (length - 1 - len(prefix)))


def test_card_keeps_of_its_number_in_clear_what_may_be_seen():
    card = issued()

    assert (card.prefix, card.last_four) == (factories.PREFIX, number_of(card)[-4:])
    assert Card.objects.get(number_digest=card.number.decrypt()) == card


def test_no_number_is_given_twice_and_the_last_of_a_range_is_found():
    """A range of ten: all ten are given, each once; the eleventh is refused, and people were told in time."""
    tiny = product("tiny", numbers=factories.numbers("40000012345", 13), held_max=10)

    given = {number_of(issued(made=tiny)) for _ in range(10)}

    assert len(given) == 10
    with pytest.raises(NumbersExhausted):
        issued(made=tiny)
    item = OpenItem.objects.get(kind=numbers.LOW)
    assert item.why == "8 of 10 numbers of 40000012345·· are given (80 %)."
    assert NumberRange.objects.get(prefix="40000012345").issued == 10


def test_number_of_a_card_that_is_over_is_not_given_again():
    tiny = product("tiny", numbers=factories.numbers("40000012345", 13), held_max=10)
    first = issued(made=tiny)
    Card.objects.filter(pk=first.pk).update(state="closed", ended_at=first.issued_at)

    others = {number_of(issued(made=tiny)) for _ in range(9)}

    assert number_of(first) not in others


def test_database_refuses_a_number_twice():
    first, second = issued(), issued()

    with pytest.raises(IntegrityError), transaction.atomic():
        Card.objects.filter(pk=second.pk).update(number_digest=first.number_digest)


def test_numbers_are_drawn_by_chance():
    """Of 200 numbers every digit stands at every free place but the last, which follows from the others."""
    made = factories.numbers()
    drawn = [numbers.draw(made).reveal() for _ in range(200)]

    assert [len({each[place] for each in drawn}) for place in range(len(factories.PREFIX), 15)] == [10] * 7
    assert len(set(drawn)) == 200


def test_last_day_is_counted_in_days_or_to_the_end_of_a_month():
    today = date(2028, 1, 31)

    def last(validity: int, unit: str) -> date:
        return issuing.last_day(product(f"{unit}{validity}", validity=validity, validity_unit=unit), today)

    assert [last(30, "days"), last(1, "months"), last(12, "months"), last(3, "years")] == [
        date(2028, 3, 1),
        date(2028, 2, 29),
        date(2029, 1, 31),
        date(2031, 1, 31),
    ]
