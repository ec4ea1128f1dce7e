"""The codes of cards: those of an independent library, refused where something is not as it must be."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from psec import cvv

from paymentsite.core.vault import Secret, card_codes

# Of psec's own: it imports triple DES from where it was.
pytestmark = pytest.mark.filterwarnings("ignore:.*TripleDES")

INPUTS = 1_000
PAIR = Secret(bytes(range(16)).hex())
NUMBER = Secret("4000001234567899")


@pytest.fixture
def dice() -> random.Random:
    return random.Random(20_260_101)


def digits(dice: random.Random, least: int, most: int) -> str:
    return "".join(dice.choices("0123456789", k=dice.randint(least, most)))


def raw(pair: Secret) -> bytes:
    return bytes.fromhex(pair.reveal())


def test_codes_are_those_of_psec(dice):
    ours, theirs = [], []
    for _ in range(INPUTS):
        number, month = digits(dice, 13, 19), date(dice.randint(2000, 2099), dice.randint(1, 12), dice.randint(1, 28))
        pair = Secret(dice.randbytes(card_codes.KEY_BYTES).hex())
        service = dice.choice(["000", "999", "101", "201"])
        made = card_codes.card_code(Secret(number), month, key=pair, service_code=service)
        ours.append(made.reveal())
        theirs.append(cvv.generate_cvv(raw(pair), number, f"{month:%y%m}", service))

    # Where a block has less than three decimal digits, psec leaves it at those; the algorithm goes on with the others.
    assert [our[: len(their)] for our, their in zip(ours, theirs, strict=True)] == theirs
    assert sum(len(their) == card_codes.DIGITS for their in theirs) > INPUTS * 0.99
    assert {len(our) for our in ours} == {card_codes.DIGITS}
    assert len(set(ours)) > INPUTS / 2


def test_code_belongs_to_number_month_and_key():
    made = [
        card_codes.card_code(Secret(f"40000012345678{last:02}"), date(2030, month, 1), key=pair).reveal()
        for last in range(5)
        for month in range(1, 13)
        for pair in (PAIR, card_codes.new_key())
    ]

    assert len(set(made)) > 80
    assert all(len(code) == 3 and code.isdecimal() for code in made)


@pytest.mark.parametrize("pair", ["", "00" * 8, "00" * 24, "no key at all"])
def test_what_is_no_key_is_a_mistake_of_ours(pair):
    with pytest.raises(ValueError, match="hexadecimal"):
        card_codes.card_code(NUMBER, date(2030, 1, 1), key=Secret(pair))


def test_hourly_code_changes_by_the_hour():
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    codes = [
        card_codes.hourly_card_code(NUMBER, noon + timedelta(minutes=minutes), key=PAIR).reveal()
        for minutes in range(0, 24 * 60, 30)
    ]

    assert codes[::2] == codes[1::2]
    assert len(set(codes)) > 20


@pytest.mark.parametrize("number", ["", "4" * 26, "４０００００１２３４５６７８９９", "4000-0012-3456-7899"])
def test_code_of_what_is_no_number_is_a_mistake_of_ours(number):
    with pytest.raises(ValueError, match="digits"):
        card_codes.card_code(Secret(number), date(2030, 1, 1), key=PAIR)
