"""Account numbers: drawn by chance from a range that a bank lets us give out, each given once and never again."""

import secrets
from typing import Final

from django.db.models import F
from django.utils.translation import gettext_noop

from cards.models import AccountRange, VirtualAccount
from paymentsite.core.actors import SYSTEM
from paymentsite.core.errors import Refused
from paymentsite.core.logs import luhn
from paymentsite.core.services import open_items

LOW: Final = "account_numbers_low"
# How full a range is, in percent, when a person is told.
_TOLD_AT: Final = (80, 95, 100)
# See ``numbers``: one that is nearly full may say that it is before it is.
_DRAWS_MAX: Final = 1_000
_MODULUS: Final = 97
# ISO 7064 takes a letter for the number that it is from ten on.
_LETTERS_FROM: Final = 36


class AccountNumbersExhausted(Refused):
    code = "account_numbers_exhausted"
    sentence = gettext_noop("There are no account numbers of this kind left. We have been told.")


def draw(numbers: AccountRange) -> str:
    """A number of the range that no account ever had, in the caller's transaction, until whose end it is locked."""
    found = AccountRange.objects.select_for_update().get(pk=numbers.pk)
    for _ in range(_DRAWS_MAX if found.issued < found.capacity else 0):
        drawn = number(found, f"{secrets.randbelow(10**found.free):0{found.free}}")
        # As a card's it would be hidden wherever we write, and looked for wherever cards are.
        taken = found.like_cards and luhn(drawn)
        if not taken and not VirtualAccount.objects.filter(number=drawn).exists():
            AccountRange.objects.filter(pk=found.pk).update(issued=F("issued") + 1)
            _watch(found, found.issued + 1)
            return drawn
    raise AccountNumbersExhausted


def number(numbers: AccountRange, drawn: str) -> str:
    """The number of the range with those digits in it: check digits, and whatever else it takes."""
    body = f"{numbers.prefix}{drawn}"
    match numbers.scheme:
        case AccountRange.Scheme.IBAN:
            return f"{numbers.country}{_check_97(f'{body}{numbers.country}')}{body}"
        case AccountRange.Scheme.MOD97:
            return f"{body}{_check_97(body)}"
    return next(full for digit in "0123456789" if luhn(full := f"{body}{digit}"))


def written(text: str) -> str:
    """A number as people read it: in fours."""
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _check_97(text: str) -> str:
    """The two digits that make ``text`` leave one when divided by 97 (ISO 7064, MOD 97-10)."""
    digits = "".join(str(int(each, _LETTERS_FROM)) for each in text)
    return f"{_MODULUS + 1 - int(digits) * 100 % _MODULUS:02}"


def _watch(numbers: AccountRange, issued: int) -> None:
    for percent in _TOLD_AT:
        if issued == -(-numbers.capacity * percent // 100):
            why = f"{issued} of {numbers.capacity} numbers of {numbers} are given ({percent} %)."
            open_items.open(kind=LOW, subject=numbers, why=why, by=SYSTEM)
