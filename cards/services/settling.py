"""What two people decide about what uses of cards left over: debts that nobody will pay, refunds that are set aside."""

from typing import Final

from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cards.models import CardMessage
from cards.models.authorisations import Kind
from cards.queries.deciding import DEBT
from cards.services import debts, strays, telling, use_books
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
from paymentsite.ledger.models import Journal, Posting
from paymentsite.ledger.services import manual
from paymentsite.ledger.services.accounts import HOUSE
from wallets.services import bookings, room, wallets

LOSSES: Final = "losses"
WRITTEN_OFF: Final = "cards.debt.written_off"
PLACED: Final = "cards.refund.placed"
DEBT_TOLD: Final = "card.debt_written_off"
REFUND_TOLD: Final = "card.refund_placed"

# What members owe follows from the messages and from what was paid or written off of it.
manual.keep(DEBT)

FORGIVEN = notices.kind("card_debt_written_off", gettext_noop("You owe us {amount} no longer: we wrote it off."))
GIVEN = notices.kind(
    "card_refund_placed", gettext_noop("{amount} that a merchant gave back to your card is in your wallet now.")
)


class NothingOwed(Refused):
    code = "card_nothing_owed"
    sentence = gettext_noop("This member owes nothing in {currency} because of cards.")


class RefundNotAside(Conflict):
    code = "card_refund_not_aside"
    sentence = gettext_noop("Nothing of this message is set aside, or not any more.")


class RefundOfAnother(Invalid):
    code = "card_refund_of_another"
    sentence = gettext_noop("This was given back to a card of another member's.")


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
        ledger.Move(amount, ledger.house(LOSSES, currency), account),
        kind="card_debt_written_off",
        scope=WRITTEN_OFF,
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
    CardMessage.objects.select_for_update().get(pk=message.pk)
    found = CardMessage.objects.select_related("use__card").get(pk=message.pk)
    amount = aside(found)
    if amount is None:
        raise RefundNotAside
    if found.use and found.use.member_id != owner.pk:
        raise RefundOfAnother
    wallet = wallets.open(member=owner, currency=amount.unit, by=by)
    if not bookings.takes(wallet):
        raise WalletTakesNothing
    if found.use is None:
        room.check(member=owner, wallet=wallet, amount=amount)
    journal = ledger.post(
        ledger.Move(amount, bookings.suspense(amount.unit), wallet.account),
        kind="card_refund_placed",
        scope=PLACED,
        reference=str(found.pk),
        source=found.use.source if found.use else f"card_message:{found.pk}",
        by=by,
        must=True,
    ).journal_id
    told = {"member": owner, "amount": amount, "journal": journal}
    audit.record(by=by, act=REFUND_TOLD, subject=found, after=told, reason=reason)
    _close(found, by=by, note=reason)
    notices.tell(member=owner, kind=GIVEN, subject=f"card_message:{found.pk}:placed", amount=amount)
    debts.repay(member=owner, currency=amount.unit)
    merchant = found.use.merchant_name if found.use else ""
    return {"message": found, "merchant": merchant, "amount": amount, "member": owner}


def aside(message: CardMessage) -> Money | None:
    """What of a refund stands in suspense still; None where nothing does."""
    if message.kind != Kind.REFUND or message.journal_id is None or _placed([message.pk]):
        return None
    return set_aside(message)


def set_aside(message: CardMessage) -> Money | None:
    """What of a refund was put in suspense when it came, whatever became of it."""
    to_suspense = Posting.objects.filter(_IN_SUSPENSE, journal=message.journal_id)
    row = to_suspense.values("unit").annotate(sum=Sum("amount_minor")).order_by("unit").first()
    return Money(row["sum"], row["unit"]) if row else None


_IN_SUSPENSE: Final = Q(target__code="suspense", target__owner=HOUSE)


def _placed(messages: list[object]) -> set[str]:
    references = [str(message) for message in messages]
    done = Journal.objects.posted().filter(scope=PLACED, reference__in=references)
    return set(done.values_list("reference", flat=True))


def _close(message: CardMessage, *, by: Actor, note: str) -> None:
    """Nobody has to look any more: at the message, or at its use where nothing else of it is set aside."""
    if message.use is None:
        open_items.close(kind=strays.STRAY, subject=message, by=by, note=note)
        return
    others = CardMessage.objects.filter(use=message.use, kind=Kind.REFUND).exclude(pk=message.pk)
    if not any(aside(other) for other in others):
        open_items.close(kind=telling.STUCK, subject=message.use, by=by, note=note)
