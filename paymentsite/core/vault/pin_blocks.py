"""PIN blocks of ISO 9564: how a terminal's PIN travels. Format 0 under triple DES, format 4 under AES.

A block mixes the PIN with the card's number, so that it opens beside that number alone. What is no block of its format
is refused as one thing, whatever was wrong with it: who may ask again and again learns nothing from how. Keys are in
hexadecimal digits, 32 of them for triple DES, up to 64 for AES.
"""

import secrets
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from django.utils.translation import gettext_noop

from paymentsite.core.errors import Invalid
from paymentsite.core.vault.secret import Secret

PIN_LENGTHS: Final = range(4, 13)
NUMBER_LENGTHS: Final = range(13, 20)
# Format 0 binds to the twelve digits before the check digit.
_BOUND: Final = 12


class WrongPinBlock(Invalid):
    code = "wrong_pin_block"
    sentence = gettext_noop("That is no PIN block for this card.")


def encipher_0(pin: Secret, number: Secret, *, key: Secret) -> bytes:
    """A block of format 0 under ``key``, a pair of DES keys."""
    return _triple_des(key, _mixed(_pin_field(pin, "0", "F"), _bound(number)), decrypting=False)


def decipher_0(block: bytes, number: Secret, *, key: Secret) -> Secret:
    if len(block) != 8:  # noqa: PLR2004  a block of DES
        raise WrongPinBlock
    return _pin(_mixed(_triple_des(key, block, decrypting=True), _bound(number)), "0", "F")


def encipher_4(pin: Secret, number: Secret, *, key: Secret) -> bytes:
    """A block of format 4 under ``key``: another one each time, from random filling."""
    field = _pin_field(pin, "4", "A") + secrets.token_bytes(8)
    return _aes(key, _mixed(_aes(key, field, decrypting=False), _number_field(number)), decrypting=False)


def decipher_4(block: bytes, number: Secret, *, key: Secret) -> Secret:
    if len(block) != 16:  # noqa: PLR2004  a block of AES
        raise WrongPinBlock
    field = _aes(key, _mixed(_aes(key, block, decrypting=True), _number_field(number)), decrypting=True)
    return _pin(field[:8], "4", "A")


def _pin_field(pin: Secret, control: str, filler: str) -> bytes:
    digits = pin.reveal()
    if not (digits.isascii() and digits.isdecimal() and len(digits) in PIN_LENGTHS):
        raise ValueError("A PIN has 4 to 12 digits.")
    return bytes.fromhex(f"{control}{len(digits):X}{digits}".ljust(16, filler))


def _pin(field: bytes, control: str, filler: str) -> Secret:
    text = field.hex().upper()
    length = int(text[1], 16)
    pin, rest = text[2 : 2 + length], text[2 + length :]
    if text[0] != control or length not in PIN_LENGTHS or not pin.isdecimal() or rest.strip(filler):
        raise WrongPinBlock
    return Secret(pin)


def _digits(number: Secret) -> str:
    digits = number.reveal()
    if not (digits.isascii() and digits.isdecimal() and len(digits) in NUMBER_LENGTHS):
        raise ValueError("A card's number has 13 to 19 digits.")
    return digits


def _bound(number: Secret) -> bytes:
    return bytes.fromhex(_digits(number)[-1 - _BOUND : -1].rjust(16, "0"))


def _number_field(number: Secret) -> bytes:
    digits = _digits(number)
    return bytes.fromhex(f"{len(digits) - _BOUND}{digits}".ljust(32, "0"))


def _mixed(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _triple_des(key: Secret, block: bytes, *, decrypting: bool) -> bytes:
    pair = bytes.fromhex(key.reveal())
    left, right = pair[:8], pair[8:16]
    return _once(Cipher(TripleDES(left + right + left), modes.CBC(bytes(len(block)))), block, decrypting=decrypting)


def _aes(key: Secret, block: bytes, *, decrypting: bool) -> bytes:
    return _once(Cipher(AES(bytes.fromhex(key.reveal())), modes.CBC(bytes(len(block)))), block, decrypting=decrypting)


def _once(cipher: "Cipher[modes.CBC]", block: bytes, *, decrypting: bool) -> bytes:
    """One block, as the formats say, chained to nothing."""
    work = cipher.decryptor() if decrypting else cipher.encryptor()
    return work.update(block) + work.finalize()
