"""What processors tell about uses of cards: it has happened, and is taken in whatever we think of it.

Out of order, late or twice: a use comes to the same in the end, for it follows from its messages alone.
"""

from typing import Any

from cards.chain_rules import Figures
from cards.messages import MessageMalformed, Part, Told
from cards.models import Card, CardAuthorisation
from cards.models.messages import Kind, Outcome
from cards.services import after_use, debts, losses, refunds_aside, sayings, strays, use_books, uses
from cards.services.charges import Before, Charge, charge, there
from cards.services.sweeping import swept
from cards.services.uses import Taken, Turn
from members.models import Member
from members.services import notices
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.acts import act
from paymentsite.core.asking import insertion, together
from paymentsite.core.money import Money
from paymentsite.core.services import open_items
from paymentsite.ledger.models import Account, Balance
from wallets.services import bookings, wallets
from wallets.services.rates import RateMissing

STUCK = "card_refund_stuck"
ABOVE = "card_taken_above"
OVERTAKEN = "card_taken_back_too_much"
_TAKES = {Kind.CAPTURE, Kind.REFUND_REVERSAL}
_BACK = {Kind.REFUND, Kind.REFUND_REVERSAL}
_NEEDS_AMOUNT = {Kind.ADVICE, Kind.REFUSAL, Kind.CAPTURE, Kind.REFUND, Kind.REFUND_REVERSAL}


def advise(*, told: Told, by: Actor) -> Taken:
    """Somebody approved it in our stead: it counts, and what there is of it is set aside."""
    return _checked(told, Kind.ADVICE, by)


def decline(*, told: Told, by: Actor) -> Taken:
    """Somebody declined it in our stead: it is written down and counts for nothing, and the member hears of it."""
    return _checked(told, Kind.REFUSAL, by)


def reverse(*, told: Told, by: Actor) -> Taken:
    """The merchant wants ``told.amount`` less of it, or nothing any more."""
    return _checked(told, Kind.REVERSAL, by)


def capture(*, told: Told, by: Actor) -> Taken:
    """The merchant took it: asked for before or not, more or less than was approved. After a ``final`` one no more
    is to come, and what is still set aside can be spent again."""
    return _checked(told, Kind.CAPTURE, by)


def refund(*, told: Told, by: Actor) -> Taken:
    """The merchant gave it back, of this use or of none that we know."""
    return _checked(told, Kind.REFUND, by)


def reverse_refund(*, told: Told, by: Actor) -> Taken:
    """The merchant took a refund back."""
    return _checked(told, Kind.REFUND_REVERSAL, by)


def _checked(told: Told, kind: Kind, by: Actor) -> Taken:
    told.check()
    if told.amount is None and kind in _NEEDS_AMOUNT:
        raise MessageMalformed(part=Part.AMOUNT)
    return take_in(told=told, kind=kind, by=by)


@act
def take_in(*, told: Told, kind: Kind, by: Actor) -> Taken:
    """The message counts, once."""
    card = uses.card_of(told)
    if card is None:
        return strays.take_in(told, kind, by)
    try:
        turn = uses.turn(told, kind, card)
    except uses.ReferenceOfAnother:
        # A question is refused so; what was settled has happened all the same, and somebody finds out what it is.
        if kind not in strays.MOVES:
            raise
        return strays.take_in(told, kind, by)
    card = turn.card
    if turn.facts.seen:
        seen = turn.facts.use
        return Taken(seen.pk if seen else None, seen.state if seen else "", replayed=True)
    use = uses.begun(turn)
    try:
        charged = _charged(turn)
        counts = _there(turn, use, charged)
    except RateMissing:
        return strays.take_in(told, kind, by, card)
    before = use.figures
    after = _after(turn, before, counts, charged.total.minor if charged else 0)
    journal = use_books.Journal()
    target = _move(journal, turn, use, charged, after)
    posted = use_books.post(journal, use, turn.message_id, kind, by)
    heirs = []
    if kind in {Kind.ADVICE, Kind.CAPTURE} and charged:
        heirs = after_use.used(card, turn, charged.total.minor)
    uses.become(use, card, after)
    message = uses.message(
        turn,
        use,
        charged,
        outcome=Outcome.TOLD,
        there_minor=counts,
        journal_id=posted,
        debt_minor=journal.debt,
        approved_minor=charged.total.minor if charged and kind == Kind.ADVICE else 0,
        aside_minor=charged.total.minor if charged and kind == Kind.ADVICE else 0,
    )
    together(uses.written(use), insertion(message), *map(uses.card_written, (card, *heirs)))
    uses.count(use, before, turn.now)
    uses.count_told(turn, use, before)
    debts.collect(member=card.member, currency=use.currency)
    _tell(turn, use, charged, journal, before)
    _watch(turn, use, target)
    if kind == Kind.REFUND and use.returned_minor >= 0:
        open_items.close(kind=OVERTAKEN, subject=use, by=SYSTEM, note="its merchant gave it back")
    for each in (card, *heirs):
        after_use.finish(each)
    swept(card)
    return Taken(use.pk, use.state, Money(journal.debt, use.currency))


def _charged(turn: Turn) -> Charge | None:
    """What the message comes to on the card: nothing when it was declined. A cancellation comes to a share of what was
    approved instead."""
    told, use = turn.told, turn.facts.use
    if told.amount is None or turn.kind in {Kind.REVERSAL, Kind.REFUSAL}:
        return None
    before = Before()
    if use is not None:
        before = Before(use.merchant_currency, use.taken_minor > 0 if turn.kind in _TAKES else use.asked_minor > 0)
    back = turn.kind in _BACK
    return charge(turn.card.product, told, told.amount, turn.now, before, back=back, happened=True)


def _there(turn: Turn, use: CardAuthorisation, charged: Charge | None) -> int:
    """How much of the use it is about, at the merchant."""
    if charged or turn.told.amount is None or turn.kind == Kind.REFUSAL:
        return charged.there if charged else 0
    return there(turn.told.amount, use.merchant_currency, turn.now)


def _after(turn: Turn, before: Figures, there: int, amount: int) -> Figures:
    match turn.kind:
        case Kind.ADVICE:
            return before.approve(there, amount, amount)
        case Kind.REVERSAL:
            return before.reverse(None if turn.told.amount is None else there)
        case Kind.CAPTURE:
            return before.capture(there, amount, final=turn.told.final)
        case Kind.REFUND | Kind.REFUND_REVERSAL:
            way = 1 if turn.kind == Kind.REFUND else -1
            return before.refund(way * there, way * amount)
        case Kind.EXPIRY:
            return before.lapse()
        case Kind.REFUSAL:
            return before
    raise ValueError(f"{turn.kind} asks, and is answered elsewhere")


def _move(
    journal: use_books.Journal, turn: Turn, use: CardAuthorisation, charged: Charge | None, after: Figures
) -> Account | None:
    """What moves in the books; where a refund went."""
    hold = use_books.hold_of(use)
    if turn.kind in _TAKES and charged:
        of = hold if turn.kind == Kind.CAPTURE else None
        back = {}
        if turn.kind == Kind.REFUND_REVERSAL:
            back = {"suspended": refunds_aside.of(use).total, "recovered": losses.recovered(use).minor}
        use_books.take(journal, use, turn.card, charged, of, after.held, **back)
        return None
    if turn.kind == Kind.REFUND and charged:
        target = _receiving(turn.card)
        nobodys = target.owner != turn.card.member.owner
        debt = debts.standing(turn.card.member, use.currency) if nobodys else None
        use_books.give(journal, use, charged, target, debt, losses.of(use))
        return target
    spare = use_books.free(use.account) if after.held else 0
    use_books.bring(journal, use, hold, after.held, spare)
    return None


def _receiving(card: Card) -> Account:
    """Where what comes back to the card goes: onto it, or what stands in its place; into the wallet when neither is
    there any more; else to suspense."""
    status = Balance.objects.select_for_update().get(pk=card.account_id).status
    gone = card.ended and card.prepaid and not Card.objects.living().filter(account=card.account_id).exists()
    if not gone and status in {Balance.Status.OPEN, Balance.Status.NO_DEBIT}:
        return card.account
    if card.member.state != Member.State.CLOSED:
        wallet = wallets.open(member=card.member, currency=card.product.currency, by=SYSTEM)
        if bookings.takes(wallet):
            return wallet.account
    return bookings.suspense(card.product.currency)


def _tell(
    turn: Turn, use: CardAuthorisation, charged: Charge | None, journal: use_books.Journal, before: Figures
) -> None:
    """The member hears what they did not know; staff what nobody asked for."""
    card, about = turn.card, {"subject": turn.source, "merchant": use.merchant_name}
    if turn.kind == Kind.CAPTURE and charged and not before.approved:
        spent: dict[str, Any] = {"amount": charged.total, "last_four": card.last_four, **about}
        notices.tell(member=card.member, kind=sayings.SPENT, **spent)
    if turn.kind == Kind.REFUSAL:
        notices.tell(member=card.member, kind=sayings.DECLINED_ELSEWHERE, last_four=card.last_four, **about)
    ours = Money(journal.ours, use.currency)
    if turn.kind == Kind.REFUND and charged and ours.minor:
        notices.tell(member=card.member, kind=sayings.MADE_GOOD, amount=ours, **about)
    if turn.kind == Kind.REFUND and charged and charged.own > ours:
        notices.tell(member=card.member, kind=sayings.REFUNDED, amount=charged.own - ours, **about)
    if turn.kind == Kind.REFUND_REVERSAL and charged and charged.own > ours:
        notices.tell(member=card.member, kind=sayings.TAKEN_AGAIN, amount=charged.own - ours, **about)
        if use.returned_minor < 0:
            more = Money(-use.returned_minor, use.merchant_currency)
            why = f"{use.merchant_name} took back {more} more than it ever gave back."
            open_items.open(kind=OVERTAKEN, subject=use, why=why, by=SYSTEM)
    # What was there elsewhere has paid already.
    if journal.debt and (debt := min(Money(journal.debt, use.currency), debts.owed(card.member, use.currency))).minor:
        debts.raised(use_books.debt_account(card.member, use.currency), debt, f"{use.merchant_name}, {use.source}")
        notices.tell(member=card.member, kind=sayings.OWED, amount=debt, **about)
    if turn.kind == Kind.CAPTURE and _above(use, before):
        taken, asked = (Money(minor, use.merchant_currency) for minor in (use.taken_minor, use.asked_minor))
        why = f"{use.merchant_name} took {taken}, approved was {asked}."
        open_items.open(kind=ABOVE, subject=use, why=why, by=SYSTEM)


def _watch(turn: Turn, use: CardAuthorisation, target: Account | None) -> None:
    """Staff looks at a use as long as something of it is in suspense."""
    if turn.kind == Kind.REFUND and target is not None and target.owner != turn.card.member.owner:
        debts.relieved(turn.card.member, use.currency)
        if refunds_aside.of(use).total:
            why = f"{use.merchant_name} gave back what cannot be on {turn.card}."
            open_items.open(kind=STUCK, subject=use, why=why, by=SYSTEM)
    elif turn.kind == Kind.REFUND_REVERSAL and not refunds_aside.of(use).total:
        open_items.close(kind=STUCK, subject=use, by=SYSTEM, note="its merchant took it back")


def _above(use: CardAuthorisation, before: Figures) -> bool:
    """More than was approved, and than such merchants may take above it."""
    return use.taken_minor > before.taken and use.taken_minor > uses.most(use)
