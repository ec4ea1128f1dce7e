"""What two people decide about what uses of cards left over: debts that nobody will pay, refunds that are set aside."""

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cards.models import CardMessage
from cards.queries.deciding import DEBT
from cards.services import debts, losses, refunds_aside, strays, telling, use_books
from cards.services.credit_decisions import WalletTakesNothing
from members.models import Member
from members.services import notices
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.effects import Effect, Line
from paymentsite.core.errors import Conflict, Invalid, Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.core.services import approvals, audit, open_items
from paymentsite.ledger import services as ledger
from paymentsite.ledger.services import manual
from wallets.services import bookings, room, wallets

CASH: Final = "cash"
DEBT_TOLD: Final = "card.debt_written_off"
REFUND_TOLD: Final = "card.refund_placed"
PAID_TOLD: Final = "card.refund_paid"

# What members owe follows from the messages and from what was paid or written off of it.
manual.keep(DEBT)

FORGIVEN = notices.kind("card_debt_written_off", gettext_noop("You owe us {amount} no longer: we wrote it off."))
GIVEN = notices.kind(
    "card_refund_placed", gettext_noop("{amount} that a merchant gave back to your card is in your wallet now.")
)
PAID = notices.kind("card_refund_paid", gettext_noop("We paid you {amount} that a merchant gave back to your card."))


class NothingOwed(Refused):
    code = "card_nothing_owed"
    sentence = gettext_noop("This member owes nothing in {currency} because of cards.")


class RefundNotAside(Conflict):
    code = "card_refund_not_aside"
    sentence = gettext_noop("Nothing of this message is set aside, or not any more.")


class RefundOfAnother(Invalid):
    code = "card_refund_of_another"
    sentence = gettext_noop("This was given back to a card of another member's.")


class RefundForAWallet(Refused):
    code = "card_refund_for_a_wallet"
    sentence = gettext_noop("This member is still here: put it on their wallet.")


@approvals.required(
    "cards.write_off_debt",
    right="cards.approve_write_off",
    concerns=("member",),
    title=_("Write off what a member owes because of cards"),
    lines={
        "member": Line(_("member")),
        "paid": Line(_("paid first, of what there is")),
        "amount": Line(_("written off")),
    },
)
def write_off_debt(*, member: Member, currency: str, by: Actor, reason: str) -> Effect:
    """The member owes us nothing in ``currency`` because of cards: what there is of theirs paid, the rest is our loss.

    Refused where nothing is left to write off.
    """
    found = Member.objects.lock(member.pk)
    paid = debts.repay(member=found, currency=currency)
    amount = debts.owed(found, currency)
    if not amount.minor:
        raise NothingOwed(currency=currency)
    account = use_books.debt_account(found, currency)
    journal = ledger.post(
        ledger.Move(amount, ledger.house(losses.LOSSES, currency), account),
        kind="card_debt_written_off",
        scope=losses.WRITTEN_OFF,
        reference=str(uuid7(clock.now())),
        source=f"card_debt:{account.public_id}",
        by=by,
    ).journal_id
    told = {"member": found, "amount": amount, "journal": journal}
    audit.record(by=by, act=DEBT_TOLD, subject=account, after=told, reason=reason)
    open_items.close(kind=debts.OWED, subject=account, by=by, note=reason)
    notices.tell(member=found, kind=FORGIVEN, subject=f"card_debt:{journal}", amount=amount)
    return {"member": found, "paid": paid, "amount": amount}


@approvals.required(
    "cards.place_refund",
    right="cards.approve_refund_place",
    concerns=("member",),
    title=_("Put a refund that is set aside on a wallet"),
    lines={
        "message": Line(_("message")),
        "merchant": Line(_("merchant")),
        "amount": Line(_("amount")),
        "member": Line(_("goes to")),
    },
)
def place_refund(*, message: CardMessage, member: Member, by: Actor, reason: str) -> Effect:
    """What ``message`` set aside is on the member's wallet in its currency, opened when there is none, and pays what
    they owe. What was given back to a card of ours goes to that card's member alone.

    Refused where the wallet takes nothing; and, as it is not known to be theirs, where a member would hold more than
    they may.
    """
    owner = Member.objects.lock(member.pk)
    found, amount = _aside(message, owner)
    wallet = wallets.open(member=owner, currency=amount.unit, by=by)
    if not bookings.takes(wallet):
        raise WalletTakesNothing
    if found.whose is None:
        room.check(member=owner, wallet=wallet, amount=amount)
    journal = ledger.post(
        ledger.Move(amount, bookings.suspense(amount.unit), wallet.account),
        kind="card_refund_placed",
        scope=refunds_aside.PLACED,
        reference=str(found.pk),
        source=_source(found),
        by=by,
        must=True,
    ).journal_id
    told = {"member": owner, "amount": amount, "journal": journal}
    audit.record(by=by, act=REFUND_TOLD, subject=found, after=told, reason=reason)
    _close(found, by=by, note=reason)
    notices.tell(member=owner, kind=GIVEN, subject=f"card_message:{found.pk}:placed", amount=amount)
    debts.collect(member=owner, currency=amount.unit)
    merchant = found.use.merchant_name if found.use else ""
    return {"message": found, "merchant": merchant, "amount": amount, "member": owner}


@approvals.required(
    "cards.pay_refund",
    right="cards.approve_refund_place",
    concerns=("member",),
    title=_("Say that a refund was paid to somebody who has left"),
    lines={
        "message": Line(_("message")),
        "merchant": Line(_("merchant")),
        "amount": Line(_("amount")),
        "member": Line(_("was paid to")),
    },
)
def pay_refund(*, message: CardMessage, member: Member, by: Actor, reason: str) -> Effect:
    """What ``message`` set aside was paid by hand, from our bank, to its member, who has no wallet any more.

    Refused as long as there is a member to put it on a wallet of.
    """
    owner = Member.objects.lock(member.pk)
    found, amount = _aside(message, owner)
    if owner.state != Member.State.CLOSED or found.whose is None:
        raise RefundForAWallet
    journal = ledger.post(
        ledger.Move(amount, bookings.suspense(amount.unit), ledger.house(CASH, amount.unit)),
        kind="card_refund_paid",
        scope=refunds_aside.PAID,
        reference=str(found.pk),
        source=_source(found),
        by=by,
        must=True,
    ).journal_id
    told = {"member": owner, "amount": amount, "journal": journal}
    audit.record(by=by, act=PAID_TOLD, subject=found, after=told, reason=reason)
    _close(found, by=by, note=reason)
    notices.tell(member=owner, kind=PAID, subject=f"card_message:{found.pk}:paid", amount=amount)
    merchant = found.use.merchant_name if found.use else ""
    return {"message": found, "merchant": merchant, "amount": amount, "member": owner}


def _source(message: CardMessage) -> str:
    return message.use.source if message.use else f"card_message:{message.pk}"


def _aside(message: CardMessage, owner: Member) -> tuple[CardMessage, Money]:
    """The message, locked, and what stands in suspense of it. Raises where nothing does, or it is another's."""
    CardMessage.objects.select_for_update().get(pk=message.pk)
    found = CardMessage.objects.select_related("use__member", "card__member").get(pk=message.pk)
    amount = refunds_aside.left_of(found)
    if amount is None:
        raise RefundNotAside
    if found.whose not in {None, owner}:
        raise RefundOfAnother
    return found, amount


def _close(message: CardMessage, *, by: Actor, note: str) -> None:
    """Nobody has to look any more: at the message, or at its use where nothing else of it is set aside."""
    if message.use is None:
        open_items.close(kind=strays.STRAY, subject=message, by=by, note=note)
    elif not refunds_aside.of(message.use).total:
        open_items.close(kind=telling.STUCK, subject=message.use, by=by, note=note)
