"""Banks, and the ranges of account numbers that they let us give out: proposed by one person, approved by another."""

import string
from typing import Final, TypedDict

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from stdnum import iban

from cards.models import AccountRange, Bank
from cards.services import account_numbers
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.effects import Effect, Line, columns, values
from paymentsite.core.errors import Invalid, complaints
from paymentsite.core.ids import uuid7
from paymentsite.core.services import approvals, audit, trail
from paymentsite.core.units import OWN_UNITS, SCALES

RIGHT: Final = "cards.approve_banks"
Scheme = AccountRange.Scheme

# Where banks put check digits of their own into the number: those that we would draw would be wrong.
_CHECKED_TWICE: Final = frozenset("AL BA BE CZ EE ES FI FR HR HU IS IT MC ME MK MR NO PT RS SI SK SM TL TN XK".split())  # noqa: SIM905  reads better without quotes


class Fault(TextChoices):
    """Why a bank or a range can never be, where the columns do not say it."""

    CURRENCY = "currency", _("it is in no currency of ISO 4217")
    INSIDE = "inside", _("its numbers would be in another range, too")
    FULL = "full", _("it leaves no digits for numbers")
    FORM = "form", _("numbers of accounts in that country are written otherwise")
    CHECKED = "checked", _("numbers of accounts in that country have check digits of their own")
    CARDS = "cards", _("a number of 12 to 19 digits with a check digit by Luhn looks like a card's")


class InvalidBank(Invalid, why=Fault):
    code = "invalid_bank"
    sentence = gettext_noop("The bank or range cannot be: {why}.")


class RangeTerms(TypedDict, total=False):
    """What a range is. ``country`` is for IBANs alone."""

    bank: Bank
    scheme: str
    country: str
    prefix: str
    length: int
    currency: str
    held_max: int


@approvals.required(
    "cards.add_bank",
    right=RIGHT,
    concerns=approvals.NOBODY,
    title=_("Add a bank"),
    lines=columns(Bank, ("code", "name")),
)
def add_bank(*, code: str, name: str, by: Actor, reason: str) -> Effect:
    """The bank may credit us."""
    made = put_bank(code=code, name=name, by=by, reason=reason)
    effect = {"code": made.code, "name": made.name}
    audit.record(by=by, act="bank.added", subject=made, after=effect, reason=reason)
    return effect


@act
def put_bank(*, code: str, name: str, by: Actor, reason: str) -> Bank:
    """Write the bank down, if it can be one."""
    made = Bank(public_id=uuid7(clock.now()), code=code, name=" ".join(name.split()))
    _clean(made)
    made.save(force_insert=True)
    trail.tell(made, by=by, reason=reason)
    return made


@approvals.required(
    "cards.add_account_range",
    right=RIGHT,
    concerns=approvals.NOBODY,
    title=_("Add a range of account numbers"),
    lines={**columns(AccountRange, RangeTerms.__annotations__), "capacity": Line(_("how many"))},
)
def add_range(*, terms: RangeTerms, by: Actor, reason: str) -> Effect:
    """Virtual accounts may have numbers that begin so."""
    made = put_range(terms, by=by, reason=reason)
    effect = {**values(made, terms), "capacity": made.capacity}
    audit.record(by=by, act="account_range.added", subject=made, after=effect, reason=reason)
    return effect


@act
def put_range(terms: RangeTerms, *, by: Actor, reason: str) -> AccountRange:
    """Write the range down, if it can be one."""
    made = AccountRange(**terms)
    if made.currency not in SCALES or made.currency in OWN_UNITS:
        raise InvalidBank(why=Fault.CURRENCY)
    _clean(made)
    _check_form(made)
    if any(_crosses(made, other) for other in AccountRange.objects.select_for_update()):
        raise InvalidBank(why=Fault.INSIDE)
    made.save(force_insert=True)
    trail.tell(made, by=by, reason=reason)
    return made


@act
def close_range(*, numbers: AccountRange, by: Actor, reason: str) -> AccountRange:
    """Nobody gets a new number of it; accounts that are there stay. Repeated, it changes nothing."""
    still_open = AccountRange.objects.filter(pk=numbers.pk, state=AccountRange.State.OPEN)
    if still_open.update(state=AccountRange.State.CLOSED):
        trail.tell(numbers, by=by, reason=reason)
        audit.record(by=by, act="account_range.closed", subject=numbers, reason=reason)
    numbers.refresh_from_db()
    return numbers


def _check_form(made: AccountRange) -> None:
    if made.free < 1:
        raise InvalidBank(why=Fault.FULL)
    if made.scheme == Scheme.LUHN and made.like_cards:
        raise InvalidBank(why=Fault.CARDS)
    if made.country in _CHECKED_TWICE:
        raise InvalidBank(why=Fault.CHECKED)
    samples = (account_numbers.number(made, digit * made.free) for digit in string.digits)
    if made.scheme == Scheme.IBAN and not all(iban.is_valid(each) for each in samples):
        raise InvalidBank(why=Fault.FORM)


def _crosses(made: AccountRange, other: AccountRange) -> bool:
    alike = (made.country, made.length) == (other.country, other.length)
    return alike and (made.prefix.startswith(other.prefix) or other.prefix.startswith(made.prefix))


def _clean(row: Bank | AccountRange) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        raise InvalidBank(why=complaints(error, row)) from error
