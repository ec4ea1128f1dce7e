"""Account numbers: valid to a judge who is not us, ours, by chance, each once."""

import pytest
from django.db import IntegrityError, transaction
from stdnum import iban, luhn
from stdnum.iso7064 import mod_97_10

from cards.models import AccountRange, VirtualAccount
from cards.services import account_life, account_numbers, banks
from cards.services.account_numbers import AccountNumbersExhausted
from cards.services.banks import InvalidBank
from cards.services.life import Channel
from paymentsite.core.actors import SYSTEM
from paymentsite.core.models import OpenItem
from tests.cards.banking import bank, numbers, permanent, purpose
from tests.wallets.factories import wallet

pytestmark = pytest.mark.django_db

JUDGES = {"iban": iban.is_valid, "luhn": luhn.is_valid, "mod97": mod_97_10.is_valid}
RANGES = [
    {"scheme": "iban", "country": "DE", "prefix": "50010517", "length": 22},
    {"scheme": "iban", "country": "GB", "prefix": "NWBK601613", "length": 22},
    {"scheme": "iban", "country": "LT", "prefix": "10000", "length": 20},
    {"scheme": "iban", "country": "NL", "prefix": "ABNA04", "length": 18},
    {"scheme": "iban", "country": "SA", "prefix": "80000", "length": 24},
    {"scheme": "luhn", "prefix": "888", "length": 10},
    {"scheme": "luhn", "prefix": "6288", "length": 24},
    {"scheme": "mod97", "prefix": "777", "length": 11},
    {"scheme": "mod97", "prefix": "8888", "length": 16},
    {"scheme": "mod97", "prefix": "8888", "length": 34},
]
TINY = {"scheme": "luhn", "prefix": "888000", "length": 8}


@pytest.mark.parametrize("terms", RANGES, ids=lambda terms: f"{terms['scheme']} {terms['prefix']} {terms['length']}")
def test_number_is_of_its_range_and_valid(terms):
    made = numbers(**terms)

    drawn = [account_numbers.draw(made) for _ in range(40)]

    assert all(JUDGES[made.scheme](each) and len(each) == made.length for each in drawn)
    # An IBAN has its check digits between the country and the rest.
    begins = {f"{each[:2]}{each[4:]}" if made.country else each for each in drawn}
    assert all(each.startswith(f"{made.country}{made.prefix}") for each in begins)
    made.refresh_from_db()
    assert made.issued == 40


def test_no_account_number_could_be_a_cards():
    made = numbers(prefix="8888", length=16)

    assert not any(luhn.is_valid(account_numbers.draw(made)) for _ in range(100))
    assert made.capacity == 9 * 10**9


def test_no_number_is_given_twice_and_the_last_of_a_range_is_found():
    """A range of ten: all ten are given, each once; the eleventh is refused, and people were told in time."""
    tiny, purse = numbers(**TINY), wallet()

    given = {purpose(purse, of=tiny, reference=f"r{count}").number for count in range(10)}

    assert len(given) == tiny.capacity == 10
    with pytest.raises(AccountNumbersExhausted):
        purpose(purse, of=tiny, reference="more")
    item = OpenItem.objects.get(kind=account_numbers.LOW)
    assert item.why == "8 of 10 numbers of 888000·· are given (80 %)."
    assert VirtualAccount.objects.count() == AccountRange.objects.get().issued == 10


def test_number_of_a_closed_account_is_not_given_again():
    tiny, purse = numbers(**TINY), wallet()
    first = purpose(purse, of=tiny)
    account_life.close(account=first, by=SYSTEM, channel=Channel.ADMIN, reason="over")

    assert first.number not in {purpose(purse, of=tiny, reference=f"r{count}").number for count in range(9)}


def test_database_refuses_a_number_twice(unprotected):
    first, second = permanent(wallet()), permanent(wallet())
    second.number = first.number

    with unprotected(), pytest.raises(IntegrityError), transaction.atomic():
        second.save(update_fields=["number"])


def test_numbers_are_drawn_by_chance():
    """Of 200 numbers every digit stands at every free place."""
    made = numbers()
    drawn = [account_numbers.draw(made) for _ in range(200)]

    assert [len({each[place] for each in drawn}) for place in range(4, 20)] == [10] * 16
    assert len(set(drawn)) == 200


@pytest.mark.parametrize(
    "terms",
    [
        {"currency": "PTS"},
        {"currency": "XXQ"},
        {"prefix": "0123"},
        {"prefix": "12"},
        {"prefix": "12a4"},
        {"length": 7},
        {"length": 35},
        {"length": 6, "prefix": "88888"},
        {"length": 8, "prefix": "888888"},
        {"held_max": 0},
        {"country": "DE"},
        {"scheme": "luhn", "length": 12},
        {"scheme": "luhn", "length": 19},
        {"scheme": "iban"},
        {"scheme": "iban", "country": "de", "prefix": "50010517"},
        {"scheme": "iban", "country": "DE", "prefix": "50010517", "length": 21},
        {"scheme": "iban", "country": "DE", "prefix": "5001051X"},
        {"scheme": "iban", "country": "GB", "prefix": "60161331", "length": 22},
        {"scheme": "iban", "country": "XX", "prefix": "50010517"},
        {"scheme": "iban", "country": "FR", "prefix": "20041", "length": 27},
        {"scheme": "iban", "country": "BE", "prefix": "310", "length": 16},
    ],
    ids=str,
)
def test_range_that_cannot_be_is_refused(terms):
    with pytest.raises(InvalidBank):
        numbers(**terms)
    assert not AccountRange.objects.exists()


@pytest.mark.parametrize("prefix", ["888", "8888", "88880"])
def test_range_inside_another_is_refused(prefix):
    numbers()
    usual = {"bank": bank(), "scheme": "mod97", "country": "", "length": 22, "currency": "CNY", "held_max": 1}

    with pytest.raises(InvalidBank):
        banks.put_range({**usual, "prefix": prefix}, by=SYSTEM, reason="test")
    assert banks.put_range({**usual, "prefix": prefix, "length": 23}, by=SYSTEM, reason="test").length == 23


@pytest.mark.parametrize(("code", "name"), [("", "x"), ("a b", "x"), ("x", " "), ("harbour", "Another")])
def test_bank_that_cannot_be_is_refused(code, name):
    bank()

    with pytest.raises(InvalidBank):
        banks.put_bank(code=code, name=name, by=SYSTEM, reason="test")
