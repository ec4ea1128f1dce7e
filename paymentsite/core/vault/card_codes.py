"""The three digits on a card: computed from its number and expiry under a key, never kept.

This is the algorithm that networks call CVV2 (with service code 000): triple DES over number, expiry and service code.
A key is 32 hexadecimal digits, a pair of DES keys, so that a processor that decides in our stead can hold it, too.
"""

import hmac
import secrets
from datetime import date, datetime
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from paymentsite.core.vault.envelope import place
from paymentsite.core.vault.secret import Secret

DIGITS: Final = 3
KEY_BYTES: Final = 16
# What stands where a magnetic stripe has its service code, when the code is the one that is printed.
PRINTED: Final = "000"
_BLOCK: Final = 8
_HOUR: Final = 3_600


def new_key() -> Secret:
    """A key for the codes of new cards."""
    return Secret(secrets.token_hex(KEY_BYTES))


def card_code(number: Secret, expires_on: date, *, key: Secret, service_code: str = PRINTED) -> Secret:
    """The code of the card ``number`` that expires in the month of ``expires_on``."""
    digits = f"{number.reveal()}{expires_on:%y%m}{service_code}".ljust(4 * _BLOCK, "0")
    if not (number and digits.isascii() and digits.isdecimal() and len(digits) == 4 * _BLOCK):
        raise ValueError("A card's code is made of a number of at most 25 digits.")
    first, second = bytes.fromhex(digits[: 2 * _BLOCK]), bytes.fromhex(digits[2 * _BLOCK :])
    pair = _material(key)
    left, right = pair[:_BLOCK], pair[_BLOCK:]
    mixed = bytes(a ^ b for a, b in zip(_des(left, first), second, strict=True))
    return Secret(_decimal(_des(left, _des(right, _des(left, mixed), decrypting=True)))[:DIGITS])


def hourly_card_code(number: Secret, at: datetime, *, key: Secret) -> Secret:
    """The code that the same card has for one hour: what was seen of it yesterday is worth nothing today."""
    hour = int(at.timestamp()) // _HOUR
    made = hmac.digest(_material(key), place("card.hourly-code", (number.reveal(), hour)), "sha256")
    return Secret(f"{int.from_bytes(made) % 10**DIGITS:0{DIGITS}}")


def _material(key: Secret) -> bytes:
    material = bytes.fromhex(key.reveal())
    if len(material) != KEY_BYTES:
        raise ValueError("A key of card codes has 32 hexadecimal digits.")
    return material


def _des(key: bytes, block: bytes, *, decrypting: bool = False) -> bytes:
    """Single DES of one block: triple DES under three times the same key, chained to nothing."""
    cipher = Cipher(TripleDES(key * 3), modes.CBC(bytes(_BLOCK)))
    work = cipher.decryptor() if decrypting else cipher.encryptor()
    return work.update(block) + work.finalize()


def _decimal(block: bytes) -> str:
    """Its hexadecimal digits that are decimal, then the others less ten."""
    digits = block.hex()
    return "".join(d for d in digits if d.isdecimal()) + "".join(str(int(d, 16) - 10) for d in digits if d.isalpha())
