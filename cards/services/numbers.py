"""Card numbers: drawn by chance from a range of ours, each given once and never again."""

import secrets
from typing import Final

from django.db.models import F
from django.utils.translation import gettext_noop
from stdnum import luhn

from cards.models import Card, NumberRange
from paymentsite.core.actors import SYSTEM
from paymentsite.core.errors import Refused
from paymentsite.core.services import open_items
from paymentsite.core.vault import Secret

LOW: Final = "card_numbers_low"
# How full a range is, in percent, when a person is told.
_TOLD_AT: Final = (80, 95, 100)
# A taken number is drawn anew so often. The fuller the range the more often it takes; so one that is nearly full says
# now and then that it is before it is.
_DRAWS_MAX: Final = 1_000


class NumbersExhausted(Refused):
    code = "card_numbers_exhausted"
    sentence = gettext_noop("There are no numbers left for new cards of this kind. We have been told.")


def draw(numbers: NumberRange) -> Secret:
    """A number of the range that no card ever had, in the caller's transaction, until whose end the range is locked."""
    found = NumberRange.objects.select_for_update().get(pk=numbers.pk)
    for _ in range(_DRAWS_MAX if found.issued < found.capacity else 0):
        number = _random(found)
        if not Card.objects.filter(number_digest=number).exists():
            NumberRange.objects.filter(pk=found.pk).update(issued=F("issued") + 1)
            _watch(found, found.issued + 1)
            return number
    raise NumbersExhausted


def _random(numbers: NumberRange) -> Secret:
    free = numbers.length - len(numbers.prefix) - 1
    body = f"{numbers.prefix}{secrets.randbelow(10**free):0{free}}"
    return Secret(body + luhn.calc_check_digit(body))


def _watch(numbers: NumberRange, issued: int) -> None:
    for percent in _TOLD_AT:
        most = -(-numbers.capacity * percent // 100)
        if issued == most:
            why = f"{issued} of {numbers.capacity} numbers of {numbers} are given ({percent} %)."
            open_items.open(kind=LOW, subject=numbers, why=why, by=SYSTEM)
