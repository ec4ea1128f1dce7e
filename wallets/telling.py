"""What a journal was about, in words for the member whose statement it is on.

A journal names its business row as ``noun:id`` (its source). Whoever writes such sources registers how they are told,
so that a lower app's statement can speak of a higher app's acts without knowing it:

    @teller("transfer")
    def tell(ids: Collection[str], member: Member) -> Mapping[str, Told]: ...

One call for all rows of a page: no query per line.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

from django.utils.translation import gettext, gettext_noop

from members.models import Member
from paymentsite.ledger.models import Journal


@dataclass(frozen=True, slots=True)
class Told:
    """``words`` say what happened, in the active language, ``counterparty`` with whom; ``subject`` names the row, and
    ``note`` is what people wrote to it."""

    words: str
    counterparty: str = ""
    subject: str = ""
    note: str = ""


Teller = Callable[[Collection[str], Member], Mapping[str, Told]]
TellerT = TypeVar("TellerT", bound=Teller)

_tellers: Final[dict[str, Teller]] = {}
# What is said of a journal that nobody tells better, by its kind.
_BY_KIND: Final = {
    "manual": gettext_noop("Correction by us"),
    "reversal": gettext_noop("Reversal"),
    "exchange": gettext_noop("Exchange"),
    "fee": gettext_noop("Fee"),
}


def teller(noun: str) -> Callable[[TellerT], TellerT]:
    """Register what tells journals whose source is ``noun:…``."""

    def register(tell: TellerT) -> TellerT:
        if noun in _tellers:
            raise TypeError(f"{noun} is told by somebody already")
        _tellers[noun] = tell
        return tell

    return register


def told(journals: Iterable[Journal], member: Member) -> dict[UUID, Told]:
    """What to say of each journal, by its id."""
    journals = list(journals)
    wanted: dict[str, set[str]] = defaultdict(set)
    for journal in journals:
        noun, _colon, key = journal.source.partition(":")
        wanted[noun].add(key)
    answers = {noun: _tellers[noun](keys, member) for noun, keys in wanted.items() if noun in _tellers}

    found = {}
    for journal in journals:
        noun, _colon, key = journal.source.partition(":")
        plain = Told(
            gettext(_BY_KIND.get(journal.kind, journal.kind.replace("_", " ").capitalize())), "", journal.source
        )
        found[journal.pk] = answers.get(noun, {}).get(key, plain)
    return found
