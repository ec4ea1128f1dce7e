"""Transfers: money from one member to another."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.utils.translation import gettext, gettext_noop

from members.models import Member
from members.queries import payees
from members.services import limits, members, notices
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import DomainError, Invalid, Missing, Refused
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance
from paymentsite.ledger.refusals import AccountFull, AccountNotOpen, short_of
from wallets.models import Transfer, Wallet
from wallets.services import fees, room, wallets
from wallets.services.confirming import check_pin, count, needs_pin
from wallets.services.wording import check_same, checked_amount, checked_note, checked_reference, id_for
from wallets.telling import Told, teller

SCOPE: Final = "wallets.transfer"

CAME = notices.kind("transfer_came", gettext_noop("{whom} sent you {amount}."))
WENT = notices.kind("transfer_went", gettext_noop("You sent {amount} to {whom}."))


class ToOneself(Invalid):
    code = "transfer_to_oneself"
    sentence = gettext_noop("Money cannot be sent to oneself. To change it into another currency, exchange it.")


class PayeeCannotReceive(Refused):
    """Said alike of nobody, of a closed membership, of a frozen account, and of who would hold more than they may."""

    code = "payee_cannot_receive"
    sentence = gettext_noop("This cannot be sent to that payee.")


class NoSuchTransfer(Missing):
    code = "no_such_transfer"
    sentence = gettext_noop("There is no such transfer.")


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be sent, to look at before it is. ``payee`` is not shown: hand it to ``send`` as it is.

    Nobody is a payee like any other here, by a name of the same form; ``send`` refuses.
    """

    name: str
    amount: Money
    fee: Money
    left: list[limits.Left]
    needs_pin: bool
    payee: Member | None = field(repr=False)

    @property
    def total(self) -> Money:
        return self.amount + self.fee


def preview(*, sender: Member, to: str, amount: Money) -> Preview:
    """Who ``to`` (a @handle, an e-mail address, a phone number) is, as far as may be shown, and what it would cost.

    Promises nothing: each rule is asked again when it is sent.
    """
    now = clock.now()
    checked_amount(amount)
    members.check_active(sender)
    payee, name = payees.shown(to)
    if payee == sender:
        raise ToOneself
    quote = fees.quote(member=sender, kind=fees.Kind.TRANSFER, amount=amount, now=now)
    return Preview(name, amount, quote.fee, limits.left(sender, now), needs_pin(sender, amount, now), payee)


def send(
    *,
    sender: Member,
    payee: Member | None,
    amount: Money,
    reference: str,
    by: Actor,
    note: str = "",
    pin: Secret | None = None,
    fee: Money | None = None,
) -> Transfer:
    """``amount`` has gone from the sender's wallet to the payee's, and the ``fee`` that they were shown from the
    sender's to us.

    Repeating a reference returns the first transfer; with other content it is a conflict that names the fields. What
    was refused may be asked again. The sender's side is looked at first: who lacks the money, or may not send so much,
    hears of that alone, whoever the payee is.
    """
    checked_amount(amount)
    known = Transfer.objects.filter(sender=sender, reference=reference).exists()
    if not known:
        check_pin(sender, amount, pin)
    return move(
        sender=sender,
        payee=payee,
        amount=amount,
        reference=reference,
        by=by,
        note=note,
        confirmed=pin is not None,
        fee=fee,
    )


@act
def move(
    *,
    sender: Member,
    payee: Member | None,
    amount: Money,
    reference: str,
    by: Actor,
    note: str = "",
    occasion: str = "",
    confirmed: bool | None = None,
    fee: Money | None = None,
) -> Transfer:
    """The same once the PIN was asked for where it is needed; ``confirmed`` says whether it was given.

    Without a word on that it was given when the act was set up.
    """
    note, reference = checked_note(note), checked_reference(reference)
    checked_amount(amount)
    if payee == sender:
        raise ToOneself
    locked = Member.objects.lock_all([sender.pk, *([payee.pk] if payee else [])])
    asked = {
        "receiver_id": payee.pk if payee else None,
        "amount": amount,
        "note": note,
        "occasion": occasion,
    }
    if first := Transfer.objects.filter(sender=sender, reference=reference).first():
        check_same(first, asked, reference=reference)
        return first

    sender = locked[sender.pk]
    members.check_active(sender)
    purse = wallets.of(member=sender, currency=amount.unit)
    wallets.check_open(purse)
    now = clock.now()
    quote = fees.agreed(fees.quote(member=sender, kind=fees.Kind.TRANSFER, amount=amount, now=now), fee)
    transfer = Transfer(
        public_id=id_for(sender, "transfer", reference),
        sender=sender,
        currency=amount.unit,
        amount_minor=amount.minor,
        fee_minor=quote.fee.minor,
        note=note,
        occasion=occasion,
        reference=reference,
        sent_at=now,
    )
    limits.take(member=sender, kind=limits.Kind.TRANSFER, amount=amount, source=transfer.source, now=now)
    if confirmed is not None:
        count(sender, amount, confirmed=confirmed, now=now)
    quote = fees.take(quote=quote, source=transfer.source, now=now)
    check_covered(purse, quote.total)

    target = ready_to_receive(locked[payee.pk] if payee else None, amount)
    transfer.receiver = target.member
    try:
        transfer.journal_id = ledger.post(
            ledger.Move(amount, purse.account, target.account),
            *fees.entries(quote, purse.account),
            kind="transfer",
            scope=SCOPE,
            reference=f"{sender.pk}:{reference}",
            source=transfer.source,
            by=by,
        ).journal_id
    except (AccountNotOpen, AccountFull) as refusal:
        # Of the payee's account, changed since it was looked at, no more is told than before.
        if refusal.facts.get("account") == target.account.public_id:
            raise PayeeCannotReceive from refusal
        raise
    transfer.save(force_insert=True)
    _tell(transfer)
    return transfer


def check_covered(purse: Wallet, total: Money) -> None:
    """What the ledger would refuse of the sender's own account, before anything is said of the payee's.

    Not left to the ledger, which keeps its refusals with the reference for ever, looks at both accounts at once, and
    cannot be asked where there is no payee.
    """
    standing = books.standing(purse.account)
    if standing.status != Balance.Status.OPEN:
        raise AccountNotOpen(account=purse.account.public_id, status=standing.status)
    if standing.available is not None and standing.available < total:
        raise short_of(purse.account, standing.available.minor, total.minor - standing.available.minor)


def ready_to_receive(payee: Member | None, amount: Money) -> Wallet:
    """The payee's wallet, opened if need be; ``PayeeCannotReceive`` whyever they cannot. They are locked by the caller.

    A suspended member's wallet, and a frozen one, keep what comes in; an account that the ledger froze takes nothing.
    """
    if payee is None or payee.state == Member.State.CLOSED:
        raise PayeeCannotReceive
    target = wallets.open(member=payee, currency=amount.unit, by=SYSTEM)
    standing = books.standing(target.account)
    if standing.status not in {Balance.Status.OPEN, Balance.Status.NO_DEBIT}:
        raise PayeeCannotReceive
    try:
        room.check(member=payee, wallet=target, amount=amount)
    except DomainError as refusal:
        # How much somebody holds or may hold is not for others to hear.
        raise PayeeCannotReceive from refusal
    return target


def called(member: Member) -> str:
    """How a member is named to another whom they have dealt with."""
    return f"@{member.handle}" if member.handle else payees.masked_name(member)


def _tell(transfer: Transfer) -> None:
    sender, receiver = transfer.sender, transfer.receiver
    notices.tell(member=receiver, kind=CAME, subject=transfer.source, amount=transfer.amount, whom=called(sender))
    notices.tell(member=sender, kind=WENT, subject=transfer.source, amount=transfer.amount, whom=called(receiver))


def of(*, member: Member, public_id: UUID) -> Transfer:
    """The transfer, if the member sent or received it; raises ``NoSuchTransfer``."""
    found = Transfer.objects.of(member).select_related("sender", "receiver").filter(public_id=public_id).first()
    if found is None:
        raise NoSuchTransfer
    return found


@teller("transfer")
def tell(ids: Collection[str], member: Member) -> Mapping[str, Told]:
    """To either party, from where they stand."""
    found = Transfer.objects.filter(public_id__in=ids).select_related("sender", "receiver")
    return {str(transfer.public_id): _told(transfer, member) for transfer in found}


def _told(transfer: Transfer, member: Member) -> Told:
    sent = transfer.sender_id == member.pk
    other = called(transfer.receiver if sent else transfer.sender)
    words = gettext("Sent to %(whom)s") if sent else gettext("Received from %(whom)s")
    text = words % {"whom": other}
    return Told(f"{text}: {transfer.note}" if transfer.note else text, other, transfer.source)
