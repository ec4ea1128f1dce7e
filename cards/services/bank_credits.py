"""What banks credit to the numbers that we gave out: once, into the right wallet, or set aside for people.

Nothing that a bank tells of is refused for what it is: the money is there. Who tells of it is a simulator, or whoever
reads the bank's statements.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from django.db.models import Q, TextChoices
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from cards.models import Bank, BankCredit, VirtualAccount
from cards.models.bank_credits import BANK_REFERENCE_MAX
from cards.services import bank_bookings, purposes
from cards.services.account_life import Channel
from members.models import Member
from members.services import notices
from members.services.limits import BalanceLimitExceeded, LimitMissing
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Conflict, Invalid
from paymentsite.core.money import Money
from paymentsite.core.services import audit, open_items
from paymentsite.core.vault import Secret
from paymentsite.ledger.refusals import ReferenceConflict
from wallets import numbers
from wallets.models import Wallet
from wallets.services import bookings, room
from wallets.services.wording import checked_amount
from wallets.telling import Told, teller

Outcome = BankCredit.Outcome
State = VirtualAccount.State
Why = BankCredit.Why

NOUN: Final = "bank_credit"
ASIDE: Final = "bank_credit_set_aside"
TEXT_MAX: Final = 140

CREDITED = notices.kind("bank_credit_came", gettext_noop("{amount} came to your account number ending in {last_four}."))
SET_ASIDE = notices.kind(
    "bank_credit_set_aside",
    gettext_noop("{amount} for your account number ending in {last_four} is set aside ({why}). We look at it."),
    why=Why,
)


class Part(TextChoices):
    NUMBER = "number", _("number")
    AMOUNT = "amount", _("amount")
    VALUE_DATE = "value_date", _("value date")


class BankReferenceMalformed(Invalid):
    code = "bank_reference_malformed"
    sentence = gettext_noop("A bank's reference has 1 to {most} printable characters.")


class CreditDiffers(Conflict, fields=Part):
    code = "bank_credit_differs"
    sentence = gettext_noop("The bank used reference {reference} before, for another credit. What differs: {fields}.")


@dataclass(frozen=True, slots=True)
class Advice:
    """What a bank says came in. ``number`` is as the payer wrote it; of who paid it may know nothing."""

    reference: str
    number: Secret
    amount: Money
    value_date: date
    payer_name: Secret | None = None
    payer_account: Secret | None = None
    note: Secret | None = None


@act
def receive(*, bank: Bank, advice: Advice, by: Actor, channel: Channel = Channel.JOB) -> BankCredit:
    """What came is on the wallet to which its number leads, or set aside, with an open item that says why.

    Once per reference of the bank's: told again, the first credit comes back; of another number, amount or day it is a
    conflict that names what differs, and nothing is booked.
    """
    checked_amount(advice.amount)
    if not (1 <= len(advice.reference) <= BANK_REFERENCE_MAX and advice.reference.isprintable()):
        raise BankReferenceMalformed(most=BANK_REFERENCE_MAX)
    number = _one_line(advice.number, numbers.compact) or Secret("")
    account = _locked(bank, number)
    told = BankCredit.objects.filter(bank=bank, reference=advice.reference)
    if first := told.first():
        return _same(first, advice, number)

    credit = _placed(bank, advice, number, account)
    wallet = account.wallet if account else None
    try:
        posted = bank_bookings.came(credit, wallet=wallet, by=by)
    except ReferenceConflict:
        # Told twice at once, otherwise each time, and under no one lock.
        _same(told.get(), advice, number)
        raise
    if posted.replayed:
        return _same(told.get(), advice, number)
    credit.journal_id = posted.journal_id
    credit.save(force_insert=True)
    after = {"bank": bank, "amount": credit.amount, "account": account, "aside": credit.set_aside, "why": credit.why}
    audit.record(by=by, act=f"bank_credit.{credit.outcome}", subject=credit, after=after)
    if account is not None:
        _tell(credit, account, by=by, channel=channel)
    if credit.aside_minor:
        why = f"{credit.set_aside} is set aside ({credit.why})."
        open_items.open(kind=ASIDE, subject=credit, why=why, by=by)
    return credit


def _locked(bank: Bank, number: Secret) -> VirtualAccount | None:
    """The account of the bank's with that number, as it stands, its member locked; of who is erased there is none, for
    nothing is to be kept about them any more.
    """
    known = VirtualAccount.objects.filter(number=number.reveal(), numbers__bank=bank, member__erased_at=None)
    if (found := known.first()) is None:
        return None
    Member.objects.lock(found.member_id)
    return known.select_related("member", "wallet__account", "wallet__member").first()


def _same(first: BankCredit, advice: Advice, number: Secret) -> BankCredit:
    """The first credit under a reference, when this is what it told of. Of the payer banks learn more by and by."""
    now = {Part.NUMBER: number, Part.AMOUNT: advice.amount, Part.VALUE_DATE: advice.value_date}
    then = {Part.NUMBER: first.number.decrypt(), Part.AMOUNT: first.amount, Part.VALUE_DATE: first.value_date}
    if fields := [part for part in Part if now[part] != then[part]]:
        raise CreditDiffers(reference=first.reference, fields=fields)
    return first


def _placed(bank: Bank, advice: Advice, number: Secret, account: VirtualAccount | None) -> BankCredit:
    booked, why = _place(account, advice)
    aside = advice.amount - booked
    return BankCredit(
        public_id=bank_bookings.id_of(bank, advice.reference),
        bank=bank,
        reference=advice.reference,
        number=number,
        currency=advice.amount.unit,
        amount_minor=advice.amount.minor,
        value_date=advice.value_date,
        payer_name=_one_line(advice.payer_name),
        payer_account=_one_line(advice.payer_account),
        note=_one_line(advice.note),
        account=account,
        member=account.member if account else None,
        booked_minor=booked.minor,
        aside_minor=aside.minor,
        why=why,
        outcome=Outcome.SUSPENDED if aside.minor else Outcome.CREDITED,
        received_at=clock.now(),
    )


def _place(account: VirtualAccount | None, advice: Advice) -> tuple[Money, BankCredit.Why]:
    """How much of it is put on the wallet, and why the rest is not."""
    nothing = Money.zero(advice.amount.unit)
    if account is None:
        return nothing, Why.UNKNOWN
    if why := _kept_out(account, advice):
        return nothing, why
    booked = purposes.fits(account, advice.amount)
    if booked.minor and not _has_room(account.wallet, booked):
        return nothing, Why.ROOM
    return booked, Why.NONE if booked == advice.amount else Why.OVER


def _kept_out(account: VirtualAccount, advice: Advice) -> BankCredit.Why:
    if account.state == State.CLOSED:
        return Why.CLOSED
    if account.state == State.SUSPENDED:
        return Why.SUSPENDED
    if account.currency != advice.amount.unit:
        return Why.CURRENCY
    if account.late(advice.value_date):
        return Why.EXPIRED
    return Why.NONE if bookings.takes(account.wallet) else Why.WALLET


def _has_room(wallet: Wallet, amount: Money) -> bool:
    try:
        room.check(member=wallet.member, wallet=wallet, amount=amount)
    except (BalanceLimitExceeded, LimitMissing):
        return False
    return True


def _tell(credit: BankCredit, account: VirtualAccount, *, by: Actor, channel: Channel) -> None:
    purposes.count(account, credit.booked, by=by, channel=channel, subject=credit.source)
    tell_member = partial(notices.tell, member=account.member, subject=credit.source, last_four=account.last_four)
    if credit.booked_minor and account.expected is None:
        tell_member(kind=CREDITED, amount=credit.booked)
    if credit.aside_minor:
        tell_member(kind=SET_ASIDE, amount=credit.set_aside, why=credit.why)


def _one_line(text: Secret | None, written: Callable[[str], str] = str) -> Secret | None:
    """As much of what others wrote as is kept, without what cannot be shown."""
    line = " ".join(text.reveal().split()) if text else ""
    kept = "".join(each for each in written(line) if each.isprintable())[:TEXT_MAX]
    return Secret(kept) if kept else None


@teller(NOUN)
def tell(ids: Collection[str], member: Member) -> Mapping[str, Told]:
    """To whose wallet it came, at once or by a decision."""
    theirs = Q(member=member) | Q(assigned_to__member=member)
    found = BankCredit.objects.filter(theirs, public_id__in=ids).select_related("account")
    return {str(each.public_id): _told(each, member) for each in found}


def _told(credit: BankCredit, member: Member) -> Told:
    payer = credit.payer_name.decrypt().reveal() if credit.payer_name else ""
    note = credit.note.decrypt().reveal() if credit.note else ""
    if credit.account is None or credit.member_id != member.pk:
        return Told(gettext("Bank transfer"), payer, credit.source, note)
    words = gettext("Bank transfer to the account number ending in %(last_four)s")
    return Told(words % {"last_four": credit.account.last_four}, payer, credit.source, note)
