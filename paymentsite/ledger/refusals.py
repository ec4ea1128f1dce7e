"""What the ledger refuses, and why. Refusals of state are stored with the reference; the others never were an act."""

from django.utils.translation import gettext_noop

from paymentsite.core.errors import Conflict, Invalid, Refused
from paymentsite.core.money import Money
from paymentsite.ledger.models import Account


class InvalidEntry(Invalid):
    code = "invalid_entry"
    sentence = gettext_noop("Entry {position} cannot be: {why}.")


class ReferenceConflict(Conflict):
    code = "reference_conflict"
    sentence = gettext_noop("Reference {reference} was used before, for something else: {fields} differ.")


class Unposted(Refused):
    """A refusal that depends on how things stood. It is final for its reference."""


class InsufficientFunds(Unposted):
    code = "insufficient_funds"
    sentence = gettext_noop("{available} available, {asked} asked for: {short} short.")


class AccountNotOpen(Unposted):
    code = "account_not_open"
    sentence = gettext_noop("The account is {status}.")


class HoldNotOpen(Unposted):
    code = "hold_not_open"
    sentence = gettext_noop("The hold is {state}.")


class HoldExceeded(Unposted):
    code = "hold_exceeded"
    sentence = gettext_noop("{left} left on the hold, {asked} asked for.")


class HoldNotDue(Unposted):
    code = "hold_not_due"
    sentence = gettext_noop("The hold lives until {expires_at}.")


class ReversalExceeds(Unposted):
    code = "reversal_exceeds"
    sentence = gettext_noop("{left} of the posting left to reverse, {asked} asked for.")


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
