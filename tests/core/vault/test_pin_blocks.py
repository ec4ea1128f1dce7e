"""PIN blocks: those of an independent library, and refused where something is not as it must be."""

import random

import pytest
from psec import aes, des, pinblock

from paymentsite.core.vault import Secret, pin_blocks
from paymentsite.core.vault.pin_blocks import WrongPinBlock

# Of psec's own: it imports triple DES from where it was.
pytestmark = pytest.mark.filterwarnings("ignore:.*TripleDES")

INPUTS = 1_000
KEY = Secret(bytes(range(32)).hex())
NUMBER = Secret("4000001234567899")


@pytest.fixture
def dice() -> random.Random:
    return random.Random(20_260_101)


def digits(dice: random.Random, least: int, most: int) -> str:
    return "".join(dice.choices("0123456789", k=dice.randint(least, most)))


def key(dice: random.Random) -> Secret:
    return Secret(dice.randbytes(32).hex())


def raw(zone: Secret) -> bytes:
    return bytes.fromhex(zone.reveal())


def test_blocks_of_format_0_are_those_of_psec(dice):
    for _ in range(INPUTS):
        pin, number, zone = digits(dice, 4, 12), digits(dice, 13, 19), key(dice)
        block = pin_blocks.encipher_0(Secret(pin), Secret(number), key=zone)
        assert block == des.encrypt_tdes_ecb(raw(zone)[:16], pinblock.encode_pinblock_iso_0(pin, number))
        assert pin_blocks.decipher_0(block, Secret(number), key=zone) == Secret(pin)


def test_blocks_of_format_4_are_read_by_psec_and_the_other_way_round(dice):
    for _ in range(INPUTS):
        pin, number, zone = digits(dice, 4, 12), digits(dice, 13, 19), key(dice)
        block = pin_blocks.encipher_4(Secret(pin), Secret(number), key=zone)
        assert pinblock.decipher_pinblock_iso_4(raw(zone), block, number) == pin
        theirs = pinblock.encipher_pinblock_iso_4(raw(zone), pin, number)
        assert pin_blocks.decipher_4(theirs, Secret(number), key=zone) == Secret(pin)


@pytest.mark.parametrize("pin", ["", "123", "1" * 13, "12a4", "１２３４"])
def test_block_of_what_is_no_pin_is_a_mistake_of_ours(pin):
    with pytest.raises(ValueError, match="4 to 12 digits"):
        pin_blocks.encipher_0(Secret(pin), NUMBER, key=KEY)
    with pytest.raises(ValueError, match="4 to 12 digits"):
        pin_blocks.encipher_4(Secret(pin), NUMBER, key=KEY)


@pytest.mark.parametrize("number", ["400000123456", "4" * 20, "40000012345６7899"])
def test_block_for_what_is_no_number_is_a_mistake_of_ours(number):
    with pytest.raises(ValueError, match="13 to 19 digits"):
        pin_blocks.encipher_0(Secret("1234"), Secret(number), key=KEY)


def test_block_opens_beside_its_card_and_under_its_key_alone(dice):
    """Of format 4 always; format 0 has no check: a wrong key shows a PIN once in thousands, another card mostly not."""
    four = pin_blocks.encipher_4(Secret("1234"), NUMBER, key=KEY)
    zero = pin_blocks.encipher_0(Secret("1234"), NUMBER, key=KEY)
    others = [Secret(digits(dice, 16, 16)) for _ in range(100)]

    assert read(lambda: pin_blocks.decipher_4(four, NUMBER, key=KEY)) == "1234"
    assert {read(lambda other=other: pin_blocks.decipher_4(four, other, key=KEY)) for other in others} == {None}
    assert {read(lambda: pin_blocks.decipher_4(four, NUMBER, key=key(dice))) for _ in range(100)} == {None}
    assert "1234" not in {read(lambda other=other: pin_blocks.decipher_0(zero, other, key=KEY)) for other in others}
    assert [read(lambda: pin_blocks.decipher_0(zero, NUMBER, key=key(dice))) for _ in range(100)].count(None) > 95


def read(work) -> str | None:
    try:
        return str(work().reveal())
    except WrongPinBlock:
        return None


def test_damaged_blocks_are_refused_as_one_thing(dice):
    zone = key(dice)
    clear = [
        "1" + "41234FFFFFFFFFF"[:15],  # another format
        "0D1234567890123F",  # too long
        "03123FFFFFFFFFFF",  # too short
        "0412F4FFFFFFFFFF",  # no digit
        "041234FFFFFFFFF0",  # another filling
    ]
    bound = bytes.fromhex(NUMBER.reveal()[3:15].rjust(16, "0"))
    for text in clear:
        field = bytes(a ^ b for a, b in zip(bytes.fromhex(text), bound, strict=True))
        block = des.encrypt_tdes_ecb(raw(zone)[:16], field)
        with pytest.raises(WrongPinBlock):
            pin_blocks.decipher_0(block, NUMBER, key=zone)
    for length in (0, 7, 9, 16):
        with pytest.raises(WrongPinBlock):
            pin_blocks.decipher_0(bytes(length), NUMBER, key=zone)
    for length in (0, 8, 15, 17):
        with pytest.raises(WrongPinBlock):
            pin_blocks.decipher_4(bytes(length), NUMBER, key=zone)
    with pytest.raises(WrongPinBlock):
        pin_blocks.decipher_4(aes.encrypt_aes_ecb(raw(zone), bytes(16)), NUMBER, key=zone)
