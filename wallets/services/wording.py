"""What people write beside an amount, and references that they give: as they may be stored."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import Member
from paymentsite.core.disclosure import clear
from paymentsite.core.errors import Conflict, Invalid
from paymentsite.core.money import Money, Unit, within_range
from paymentsite.core.units import OWN_UNITS
from wallets.models.transfers import NOTE_MAX, REFERENCE_MAX
from wallets.services.wallets import NoCurrency


class NoteTooLong(Invalid):
    code = "note_too_long"
    sentence = gettext_noop("A note has at most {most} characters.")


class ReferenceMalformed(Invalid):
    code = "reference_malformed"
    sentence = gettext_noop("A reference has 1 to {most} printable characters, without card numbers and secrets.")


class NothingToMove(Invalid):
    code = "nothing_to_move"
    sentence = gettext_noop("The amount must be more than zero.")


class Part(TextChoices):
    """What is compared when a reference is used again."""

    WALLET = "wallet", _("wallet")
    PAYER = "payer", _("payer")
    PAYEE = "payee", _("payee")
    RECEIVER = "receiver", _("recipient")
    AMOUNT = "amount", _("amount")
    POINTS = "points", _("points")
    QUOTE = "quote", _("offer")
    METHOD = "method", _("way to pay")
    INSTRUMENT = "instrument", _("card or bank account")
    NOTE = "note", _("note")
    OCCASION = "occasion", _("occasion")
    EVERY = "every", _("how often")
    STARTS_ON = "starts_on", _("first due day")
    ENDS_ON = "ends_on", _("last due day")
    COUNT = "count", _("number of times")


class ReferenceTaken(Conflict, fields=Part):
    code = "reference_taken"
    sentence = gettext_noop("Reference {reference} was used before, for something else. What differs: {fields}.")


def checked_note(text: str) -> str:
    """The note on one line, card numbers and secrets hidden."""
    note = clear(" ".join(text.split()))
    if len(text) > NOTE_MAX or len(note) > NOTE_MAX or not note.isprintable():
        raise NoteTooLong(most=NOTE_MAX)
    return note


def checked_reference(reference: str) -> str:
    """The reference as it is: it is asked again by it, so nothing in it can be hidden."""
    if not (1 <= len(reference) <= REFERENCE_MAX and reference.isprintable() and clear(reference) == reference):
        raise ReferenceMalformed(most=REFERENCE_MAX)
    return reference


def checked_amount(amount: Money) -> Money:
    """An amount of a currency, more than nothing, and no more than the books can hold."""
    if Unit.of(amount.unit).code in OWN_UNITS:
        raise NoCurrency(unit=amount.unit)
    if amount.minor <= 0:
        raise NothingToMove
    return within_range(amount.minor, amount.unit)


def check_same(first: Any, asked: Mapping[str, Any], *, reference: str) -> None:
    """Raise, with the names of the fields that differ, unless the row ``first`` is what is asked for now."""
    if fields := differing(first, asked):
        raise ReferenceTaken(reference=reference, fields=fields)


def differing(first: Any, asked: Mapping[str, Any]) -> list[str]:
    """The parts of what is asked for now that the row ``first`` has otherwise."""
    return [name.removesuffix("_id") for name, value in asked.items() if getattr(first, name) != value]


def id_for(member: Member, noun: str, reference: str) -> UUID:
    """The public id of what ``member`` calls ``reference``: the same whenever they ask, so that a refusal that the
    ledger keeps for it is met again by the same act."""
    return uuid5(member.public_id, f"{noun} {reference}")
