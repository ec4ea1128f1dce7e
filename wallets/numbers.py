"""Numbers that others gave out: cards, accounts, banks. Whether they can be right, and whose they are."""

import re
from dataclasses import dataclass
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from stdnum import bic, iban, luhn
from stdnum.exceptions import ValidationError
from stdnum.us import rtn

_SPACING: Final = re.compile(r"[ \-]")
_CARD: Final = re.compile(r"[0-9]{12,19}")
_ACCOUNT: Final = re.compile(r"[0-9A-Z]{4,30}")
_BANK_CODE: Final = re.compile(r"[0-9A-Z]{3,12}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
# How long a bank's number is where we know; elsewhere the pattern above is all that is asked.
_BANK_CODE_LENGTHS: Final = {"CN": 12, "GB": 6, "US": 9, "JP": 7, "AU": 6, "CA": 9, "IN": 11}


class Part(TextChoices):
    """What an account is known by."""

    NUMBER = "number", _("number")
    COUNTRY = "country", _("country")
    BANK = "bank", _("bank's number")
    BIC = "bic", _("bank identifier (BIC)")


class WrongNumber(ValueError):
    """``part`` says which part is wrong; the number itself is never repeated."""

    def __init__(self, part: Part) -> None:
        super().__init__(part)
        self.part = part


@dataclass(frozen=True, slots=True)
class AccountNumber:
    """A bank account as its country writes it; ``text`` is the one form in which two of them are compared."""

    country: str
    number: str
    bank_code: str

    @property
    def text(self) -> str:
        return f"{self.country}:{self.bank_code}:{self.number}" if self.bank_code else self.number

    @property
    def scheme(self) -> str:
        return "domestic" if self.bank_code else "iban"

    @classmethod
    def parse(cls, text: str) -> "AccountNumber":
        """What ``text`` was made of; raises ``WrongNumber`` when it is no account number any more."""
        country, _colon, rest = text.partition(":")
        bank_code, _colon, number = rest.partition(":")
        return domestic(country, bank_code, number) if rest else from_iban(text)


def compact(text: str) -> str:
    """Without the spaces and dashes that people write for reading."""
    return _SPACING.sub("", text).upper()


def card(text: str) -> str:
    """The digits of a card's number; raises ``WrongNumber``."""
    digits = compact(text)
    if not (digits.isascii() and _CARD.fullmatch(digits) and luhn.is_valid(digits)) or set(digits) == {"0"}:
        raise WrongNumber(Part.NUMBER)
    return digits


def from_iban(text: str) -> AccountNumber:
    """An account by its IBAN, check digits and its country's form checked; raises ``WrongNumber``."""
    try:
        number: str = iban.validate(compact(text))
    except ValidationError:
        raise WrongNumber(Part.NUMBER) from None
    return AccountNumber(number[:2], number, "")


def domestic(country: str, bank_code: str, text: str) -> AccountNumber:
    """An account where there are no IBANs: its number and its bank's; raises ``WrongNumber``."""
    bank, number = compact(bank_code), compact(text)
    if not _COUNTRY.fullmatch(country):
        raise WrongNumber(Part.COUNTRY)
    if not _BANK_CODE.fullmatch(bank) or len(bank) != _BANK_CODE_LENGTHS.get(country, len(bank)):
        raise WrongNumber(Part.BANK)
    if country == "US" and not rtn.is_valid(bank):
        raise WrongNumber(Part.BANK)
    if not _ACCOUNT.fullmatch(number):
        raise WrongNumber(Part.NUMBER)
    return AccountNumber(country, number, bank)


def bank_identifier(text: str) -> str:
    """A BIC in capitals, or nothing where none was given; raises ``WrongNumber``."""
    if not text:
        return ""
    try:
        found: str = bic.validate(compact(text))
    except ValidationError:
        raise WrongNumber(Part.BIC) from None
    return found


# From the first digits to the scheme; of several that match, the longest prefix counts.
_BRANDS: Final[dict[str, tuple[str, ...]]] = {
    "visa": ("4",),
    "mastercard": (*map(str, range(51, 56)), *map(str, range(2221, 2721))),
    "unionpay": ("62", "81"),
    "amex": ("34", "37"),
    "jcb": tuple(map(str, range(3528, 3590))),
    "discover": ("6011", "65", *map(str, range(644, 650))),
    "diners": ("36", "38", "39", *map(str, range(300, 306))),
}
_BY_PREFIX: Final = {prefix: brand for brand, prefixes in _BRANDS.items() for prefix in prefixes}


def brand(digits: str) -> str:
    """The scheme that gave out a card's number; empty when we know none."""
    for length in (4, 3, 2, 1):
        if found := _BY_PREFIX.get(digits[:length]):
            return found
    return ""
