"""What can be said of an act before looking at any balance. Pure."""

import re
from datetime import UTC, date, datetime
from typing import Any, Final

from paymentsite.core.actors import SYSTEM
from paymentsite.core.money import MINOR_MAX, MINOR_MIN, Money
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
from paymentsite.ledger.refusals import Fault, InvalidEntry, Part

# So large that no sum of an act leaves 64 bits, and that a deferred account, which stops at BALANCE_MAX rolled up, has
# room for 5,000 of the largest postings before the next roll-up.
AMOUNT_MAX: Final = 10**15
_ORIGIN_MAX: Final = 80
_ACTOR_MAX: Final = 80
_DETAILS_DEPTH_MAX: Final = 20
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_TEXT_LIMITS: Final = (("reference", 1, 255), ("scope", 1, 80), ("kind", 1, 40), ("source", 0, 80))


def validate(draft: Draft) -> None:
    """Refuse an act that could never be right. Nothing of it is stored."""
    for name, least, most in _TEXT_LIMITS:
        value = getattr(draft, name)
        if not (least <= len(value) <= most and value.isprintable()):
            raise InvalidEntry(position=0, why=Fault.TEXT, part=name, least=least, most=most)
    if draft.by is not SYSTEM and not (len(actor := str(draft.by)) <= _ACTOR_MAX and actor.isprintable()):
        raise InvalidEntry(position=0, why=Fault.TEXT, part=Part.ACTOR, least=1, most=_ACTOR_MAX)
    if not 1 <= len(draft.entries) <= ENTRIES_MAX:
        raise InvalidEntry(position=0, why=Fault.ENTRIES, most=ENTRIES_MAX)
    if draft.occurred_at is not None:
        _check_moment(0, draft.occurred_at)
    details: Any = draft.details
    if details is not None and not (isinstance(details, dict) and _is_plain(details)):
        raise InvalidEntry(position=0, why=Fault.DETAILS)
    for position, entry in enumerate(draft.entries, 1):
        _check_entry(position, entry)


def _is_plain(value: Any, depth: int = _DETAILS_DEPTH_MAX) -> bool:
    """Details are compared and hashed, so they hold only what has one spelling, on every database."""
    if isinstance(value, dict | list):
        texts, items = (value, value.values()) if isinstance(value, dict) else ((), value)
        return depth > 0 and all(map(_is_text, texts)) and all(_is_plain(item, depth - 1) for item in items)
    if type(value) is int:
        return MINOR_MIN <= value <= MINOR_MAX
    return value is None or type(value) is bool or _is_text(value)


def _is_text(value: Any) -> bool:
    """Whether it is text that can be stored: PostgreSQL keeps no NUL, UTF-8 has no lone surrogates."""
    return isinstance(value, str) and "\0" not in value and not _SURROGATE.search(value)


def _check_entry(position: int, entry: Entry) -> None:  # noqa: C901  one case a kind
    match entry:
        case Move(amount, source, target, terms):
            _check_sides(position, amount, source, target)
            _check_terms(position, target, terms)
        case Undo(posting, given) if given is not None:
            _check_amount(position, given, posting.unit)
        case Lapse(source, target, day):
            _check_day(position, day)
            if not source.lots:
                raise InvalidEntry(position=position, why=Fault.NOTHING_LAPSES)
            _check_sides(position, Money(1, source.unit), source, target)
            _check_terms(position, target, None)
        case Place(amount, account, expires_at):
            if not account.strict:
                raise InvalidEntry(position=position, why=Fault.NOTHING_HELD)
            _check_amount(position, amount, account.unit)
            _check_moment(position, expires_at)
        case Increase(amount, hold, expires_at):
            _check_amount(position, amount, hold.unit)
            _check_moment(position, expires_at)
        case Extend(_, expires_at):
            _check_moment(position, expires_at)
        case Capture(amount, hold, target, _, tolerance, terms):
            _check_sides(position, amount, hold.account, target)
            if tolerance is not None and not _is_tolerance(tolerance, hold.unit):
                raise InvalidEntry(position=position, why=Fault.TOLERANCE)
            _check_terms(position, target, terms)
        case Release(hold, given) if given is not None:
            _check_amount(position, given, hold.unit)
        case _:
            pass


def _check_amount(position: int, amount: Money, unit: str) -> None:
    if type(amount.minor) is not int or not 0 < amount.minor <= AMOUNT_MAX:
        raise InvalidEntry(position=position, why=Fault.AMOUNT, most=AMOUNT_MAX)
    if amount.unit != unit:
        raise InvalidEntry(position=position, why=Fault.UNIT, given=amount.unit, unit=unit)


def _check_sides(position: int, amount: Money, source: Account, target: Account) -> None:
    _check_amount(position, amount, source.unit)
    if target.unit != source.unit:
        raise InvalidEntry(position=position, why=Fault.UNITS, given=source.unit, unit=target.unit)
    if source.id == target.id:
        raise InvalidEntry(position=position, why=Fault.ONE_ACCOUNT)


def _check_terms(position: int, target: Account, terms: Terms | None) -> None:
    if target.lots is not (terms is not None):
        raise InvalidEntry(position=position, why=Fault.TERMS)
    if terms is None:
        return
    _check_day(position, terms.active_on)
    _check_day(position, terms.expires_on)
    if terms.expires_on < terms.active_on:
        raise InvalidEntry(position=position, why=Fault.LIFE)
    if not (1 <= len(terms.origin) <= _ORIGIN_MAX and terms.origin.isprintable()):
        raise InvalidEntry(position=position, why=Fault.TEXT, part=Part.ORIGIN, least=1, most=_ORIGIN_MAX)


def _is_tolerance(tolerance: Money, unit: str) -> bool:
    return type(tolerance.minor) is int and 0 <= tolerance.minor <= AMOUNT_MAX and tolerance.unit == unit


def _check_day(position: int, day: date) -> None:
    if type(day) is not date:
        raise InvalidEntry(position=position, why=Fault.DAY)


def _check_moment(position: int, at: datetime | None) -> None:
    if at is None:
        return
    if at.tzinfo is None:
        raise InvalidEntry(position=position, why=Fault.ZONE)
    try:
        at.astimezone(UTC)
    except OverflowError:
        raise InvalidEntry(position=position, why=Fault.CALENDAR) from None
