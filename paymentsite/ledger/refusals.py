"""What the ledger refuses, and why. Refusals of state are stored with the reference; the others never were an act."""

import re
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from paymentsite.core.errors import Conflict, Invalid, Refused, as_moment
from paymentsite.core.money import Money
from paymentsite.ledger.models import Account, Balance, Hold


class Part(TextChoices):
    """What an act and its entries are made of, as far as refusals name it."""

    REFERENCE = "reference", _("reference")
    SCOPE = "scope", _("scope")
    KIND = "kind", _("kind")
    SOURCE = "source", _("source")
    TARGET = "target", _("target")
    ACTOR = "actor", _("actor")
    ORIGIN = "origin", _("origin")
    PAST = "past", _("its time would be over already")
    PARENT = "parent", _("journal it belongs to")
    OCCURRED_AT = "occurred_at", _("time of the act")
    DETAILS = "details", _("details")
    AMOUNT = "amount", _("amount")
    UNIT = "unit", _("unit")


class Fault(TextChoices):
    """Why an entry, or an act where the position is 0, can never be."""

    TEXT = "text", _("its {part} must have {least} to {most} printable characters")
    ENTRIES = "entries", _("an act has 1 to {most} entries")
    DETAILS = "details", _("details hold text, 64-bit whole numbers, lists and objects alone")
    NOTHING_LAPSES = "nothing_lapses", _("only an account with lots has something that lapses")
    NOTHING_HELD = "nothing_held", _("nothing can be held on a deferred account")
    TOLERANCE = "tolerance", _("the tolerance is not an amount of the hold's unit")
    AMOUNT = "amount", _("an amount is a whole number from 1 to {most}")
    UNIT = "unit", _("{given} cannot stand on an account of {unit}")
    UNITS = "units", _("{given} cannot become {unit} in one posting")
    ONE_ACCOUNT = "one_account", _("source and target are the same account")
    TERMS = "terms", _("terms are given for an account with lots, and only for one")
    LIFE = "life", _("it would expire before it can be spent")
    DAY = "day", _("a day is a date, not a time")
    ZONE = "zone", _("a time without its zone says nothing")
    CALENDAR = "calendar", _("that time is outside the calendar")
    PAST = "past", _("its time would be over already")
    PARENT = "parent", _("there is no journal that it could belong to")
    NO_POSTING = "no_posting", _("the journal has no posting there")


_INSIDE: Final = re.compile(r"entries\[(\d+)\](?:\.(\w+))?")
_PARTS: Final = dict(Part.choices)


def part(name: str) -> str:
    """A part of an act in the active language, also that of an entry: ``entries[1].amount``."""
    if inside := _INSIDE.fullmatch(name):
        position, of_it = inside.groups()
        if of_it is None:
            return gettext("entry {position}").format(position=position)
        return gettext("{part} of entry {position}").format(part=_PARTS.get(of_it, of_it), position=position)
    return str(_PARTS.get(name, name))


class InvalidEntry(Invalid, why=Fault, part=Part):
    code = "invalid_entry"
    sentence = gettext_noop("Entry {position} cannot be: {why}.")


class ReferenceConflict(Conflict, fields=part):
    code = "reference_conflict"
    sentence = gettext_noop("Reference {reference} was used before, for something else. What differs: {fields}.")


class Unposted(Refused):
    """A refusal that depends on how things stood. It is final for its reference."""


class InsufficientFunds(Unposted):
    code = "insufficient_funds"
    sentence = gettext_noop("{available} available, {asked} asked for: {short} short.")


class AccountNotOpen(Unposted, status=Balance.Status):
    code = "account_not_open"
    sentence = gettext_noop("The account does not take part in this. Its status: {status}.")


class HoldNotOpen(Unposted, state=Hold.State):
    code = "hold_not_open"
    sentence = gettext_noop("The hold is {state}.")


class HoldExceeded(Unposted):
    code = "hold_exceeded"
    sentence = gettext_noop("{left} is left on the hold, {asked} was asked for.")


class HoldNotDue(Unposted, expires_at=as_moment):
    code = "hold_not_due"
    sentence = gettext_noop("The hold lives until {expires_at}.")


class ReversalExceeds(Unposted):
    code = "reversal_exceeds"
    sentence = gettext_noop("{left} of the posting is left to reverse, {asked} was asked for.")


class NothingLapsed(Unposted):
    code = "nothing_lapsed"
    sentence = gettext_noop("No lot of the account has died with anything left in it.")


class AccountFull(Unposted):
    code = "account_full"
    sentence = gettext_noop("The account cannot hold that much.")


def short_of(account: Account, available: int, short: int) -> InsufficientFunds:
    """The refusal of an act that wants ``short`` more of ``account`` than is ``available``."""
    unit = account.unit
    return InsufficientFunds(
        account=account.public_id,
        available=Money(available, unit),
        asked=Money(available + short, unit),
        short=Money(short, unit),
    )
