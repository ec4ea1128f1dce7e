"""What can be said of an act before looking at any balance. Pure."""

from datetime import datetime
from typing import Any, Final

from paymentsite.core.money import Money
from paymentsite.ledger.entries import (
    ENTRIES_MAX,
    Capture,
    Draft,
    Entry,
    Extend,
    Increase,
    Lapse,
    Move,
    Place,
    Release,
    Terms,
    Undo,
)
from paymentsite.ledger.models import Account
from paymentsite.ledger.refusals import InvalidEntry

AMOUNT_MAX: Final = 10**15  # so that no balance leaves 64 bits: 9,000 of the largest postings fit
_ORIGIN_MAX: Final = 80
_TEXT_LIMITS: Final = (("reference", 1, 255), ("scope", 1, 80), ("kind", 1, 40), ("source", 0, 80))


def validate(draft: Draft) -> None:
    """Refuse an act that could never be right. Nothing of it is stored."""
    for name, least, most in _TEXT_LIMITS:
        value = getattr(draft, name)
        if not (least <= len(value) <= most and value.isprintable()):
            raise InvalidEntry(position=0, why=f"its {name} must have {least} to {most} printable characters")
    if not 1 <= len(draft.entries) <= ENTRIES_MAX:
        raise InvalidEntry(position=0, why=f"an act has 1 to {ENTRIES_MAX} entries")
    if draft.occurred_at is not None:
        _check_moment(0, draft.occurred_at)
    if draft.details is not None:
        _check_plain(draft.details)
    for position, entry in enumerate(draft.entries, 1):
        _check_entry(position, entry)


def _check_plain(value: Any) -> None:
    """Details are compared and hashed, so they hold only what has one spelling: no floats, no odd keys."""
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        for item in value.values():
            _check_plain(item)
    elif isinstance(value, list):
        for item in value:
            _check_plain(item)
    elif not (value is None or (isinstance(value, str) and "\x00" not in value) or type(value) in {int, bool}):
        raise InvalidEntry(position=0, why=f"details hold text, whole numbers, lists and objects, not {value!r}")


def _check_entry(position: int, entry: Entry) -> None:  # noqa: C901  one case a kind
    match entry:
        case Move(amount, source, target, terms):
            _check_sides(position, amount, source, target)
            _check_terms(position, target, terms)
        case Undo(posting, given) if given is not None:
            _check_amount(position, given, posting.unit)
        case Lapse(source, target, _):
            if not source.lots:
                raise InvalidEntry(position=position, why="only an account with lots has something that lapses")
            _check_sides(position, Money(1, source.unit), source, target)
            _check_terms(position, target, None)
        case Place(amount, account, expires_at):
            if not account.strict:
                raise InvalidEntry(position=position, why="nothing can be held on a deferred account")
            _check_amount(position, amount, account.unit)
            _check_moment(position, expires_at)
        case Increase(amount, hold, expires_at):
            _check_amount(position, amount, hold.unit)
            _check_moment(position, expires_at)
        case Extend(_, expires_at):
            _check_moment(position, expires_at)
        case Capture(amount, hold, target, _, tolerance, terms):
            _check_sides(position, amount, hold.account, target)
            if tolerance is not None and (tolerance.unit != hold.unit or tolerance.minor < 0):
                raise InvalidEntry(position=position, why="the tolerance is not an amount of the hold's unit")
            _check_terms(position, target, terms)
        case Release(hold, given) if given is not None:
            _check_amount(position, given, hold.unit)
        case _:
            pass


def _check_amount(position: int, amount: Money, unit: str) -> None:
    if type(amount.minor) is not int or not 0 < amount.minor <= AMOUNT_MAX:
        raise InvalidEntry(position=position, why=f"an amount is a whole number from 1 to {AMOUNT_MAX}")
    if amount.unit != unit:
        raise InvalidEntry(position=position, why=f"{amount.unit} cannot stand on an account of {unit}")


def _check_sides(position: int, amount: Money, source: Account, target: Account) -> None:
    _check_amount(position, amount, source.unit)
    if target.unit != source.unit:
        raise InvalidEntry(position=position, why=f"{source.unit} cannot become {target.unit} in one posting")
    if source.pk == target.pk:
        raise InvalidEntry(position=position, why="source and target are the same account")


def _check_terms(position: int, target: Account, terms: Terms | None) -> None:
    if target.lots is not (terms is not None):
        raise InvalidEntry(position=position, why="terms are given for an account with lots, and only for one")
    if terms is None:
        return
    if terms.expires_on < terms.active_on:
        raise InvalidEntry(position=position, why="it would expire before it can be spent")
    if not (1 <= len(terms.origin) <= _ORIGIN_MAX and terms.origin.isprintable()):
        raise InvalidEntry(position=position, why="its origin must have 1 to 80 printable characters")


def _check_moment(position: int, at: datetime | None) -> None:
    if at is not None and at.tzinfo is None:
        raise InvalidEntry(position=position, why="a time without its zone says nothing")
