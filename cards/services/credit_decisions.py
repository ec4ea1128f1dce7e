"""What becomes of credits that are set aside: one person proposes it, another one approves."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cards.models import BankCredit, VirtualAccount
from cards.services import bank_bookings, purposes
from cards.services.account_life import Channel
from cards.services.bank_credits import ASIDE
from members.models import Member
from members.services import notices
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.effects import Effect, Line
from paymentsite.core.errors import Conflict, Invalid, Refused
from paymentsite.core.services import approvals, audit, open_items
from wallets.services import bookings, room, wallets

Outcome = BankCredit.Outcome
Why = BankCredit.Why

RIGHT: Final = "cards.decide_credit"
_LINES: Final = {
    "credit": Line(_("credit")),
    "bank": Line(_("bank")),
    "amount": Line(_("amount")),
    "set_aside": Line(_("set aside")),
    "why": Line(_("because"), Why),
    "came_for": Line(_("came for an account number of")),
    "member": Line(_("goes to")),
    "account": Line(_("counts for")),
}

ASSIGNED = notices.kind("bank_credit_assigned", gettext_noop("{amount} that was set aside is in your wallet now."))
RETURNED = notices.kind(
    "bank_credit_returned",
    gettext_noop("{amount} that was set aside for you goes back to who paid it."),
)


class CreditSettled(Conflict, outcome=Outcome):
    code = "bank_credit_settled"
    sentence = gettext_noop("There is nothing to decide about this credit: it is {outcome}.")


class CreditDoesNotFit(Invalid):
    code = "bank_credit_does_not_fit"
    sentence = gettext_noop("It is in {currency}, and counts for an account of that member's in that currency alone.")


class WalletTakesNothing(Refused):
    code = "bank_credit_wallet_takes_nothing"
    sentence = gettext_noop("That wallet takes nothing now.")


@approvals.required(
    "cards.assign_credit",
    right=RIGHT,
    concerns=("credit.member_id", "member", "account.member_id"),
    title=_("Put a credit that is set aside on a wallet"),
    lines=_LINES,
)
def assign(
    *, credit: BankCredit, member: Member, by: Actor, reason: str, account: VirtualAccount | None = None
) -> Effect:
    """What is set aside is on the member's wallet in its currency, opened when there is none; it counts for the purpose
    of ``account``, where one is named, whole.

    Refused where the wallet takes nothing, or would hold more than it may.
    """
    found = _locked(credit, member)
    counted = VirtualAccount.objects.select_related("member").get(pk=account.pk) if account else None
    if counted is not None and (counted.member_id, counted.currency) != (member.pk, found.currency):
        raise CreditDoesNotFit(currency=found.currency)
    wallet = counted.wallet if counted else wallets.open(member=member, currency=found.currency, by=by)
    if not bookings.takes(wallet):
        raise WalletTakesNothing
    room.check(member=wallet.member, wallet=wallet, amount=found.set_aside)
    journal = bank_bookings.assigned(found, wallet=wallet, by=by)
    to = {"assigned_to": wallet, "counted_for": counted}
    _settle(found, Outcome.ASSIGNED, by=by, reason=reason, settled_journal_id=journal, **to)
    if counted is not None:
        purposes.count(counted, found.set_aside, by=by, channel=Channel.ADMIN, subject=f"{found.source}:assigned")
    notices.tell(member=wallet.member, kind=ASSIGNED, subject=found.source, amount=found.set_aside)
    return {**_facts(found), "member": wallet.member, "account": counted}


@approvals.required(
    "cards.return_credit",
    right=RIGHT,
    concerns=("credit.member_id",),
    title=_("Send a credit that is set aside back to who paid it"),
    lines=_LINES,
)
def give_back(*, credit: BankCredit, by: Actor, reason: str) -> Effect:
    """What is set aside is the bank's to send back to who paid it, and none of ours any more."""
    found = _locked(credit)
    journal = bank_bookings.returned(found, by=by)
    _settle(found, Outcome.RETURNED, by=by, reason=reason, settled_journal_id=journal)
    if found.member is not None:
        notices.tell(member=found.member, kind=RETURNED, subject=found.source, amount=found.set_aside)
    return _facts(found)


def _locked(credit: BankCredit, to: Member | None = None) -> BankCredit:
    """The credit as it stands and is to be decided; whoever it is about is locked, and then its own row."""
    whose = {credit.member_id, to.pk if to else None}
    Member.objects.lock_all([pk for pk in whose if pk is not None])
    BankCredit.objects.select_for_update().get(pk=credit.pk)
    found = BankCredit.objects.select_related("bank", "member", "account").get(pk=credit.pk)
    if found.outcome != Outcome.SUSPENDED:
        raise CreditSettled(outcome=found.outcome)
    return found


def _settle(credit: BankCredit, outcome: BankCredit.Outcome, *, by: Actor, reason: str, **columns: Any) -> None:
    """What is set aside of the credit, which is locked and as it was read, has become ``outcome``."""
    BankCredit.objects.filter(pk=credit.pk).update(outcome=outcome, settled_at=clock.now(), **columns)
    what = {name: value for name, value in columns.items() if name != "settled_journal_id"}
    audit.record(
        by=by,
        act=f"bank_credit.{outcome}",
        subject=credit,
        before=credit.outcome,
        after={"amount": credit.set_aside, **what},
        reason=reason,
    )
    open_items.close(kind=ASIDE, subject=credit, by=by, note=reason)


def _facts(credit: BankCredit) -> dict[str, Any]:
    return {
        "credit": credit,
        "bank": credit.bank.name,
        "amount": credit.amount,
        "set_aside": credit.set_aside,
        "why": credit.why,
        "came_for": credit.member,
    }
