"""May this card spend this? One transaction that answers, sets aside, and leaves a receipt.

On PostgreSQL it goes six ways to the server and back: it begins, locks the card, looks at everything, sets aside,
writes everything down, commits.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from cards.messages import Ask, MessageDiffers, MessageMalformed, Part
from cards.models import CardAuthorisation, CardMessage, DecisionReceipt
from cards.models.messages import Code, Kind, Outcome
from cards.services import after_use, charges, debts, deciding, use_books, uses
from cards.services.deciding import Decision
from cards.services.sayings import DECLINED, SPENT
from cards.services.uses import Turn
from members.models import Notice
from members.services import notices
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.asking import Question, insertion, together
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.ledger.refusals import InsufficientFunds, Unposted


@dataclass(frozen=True, slots=True)
class Answer:
    """What a processor hears. ``approved`` is in the card's currency, ``at_merchant`` in the merchant's."""

    outcome: Outcome
    code: Code
    receipt: UUID
    use: UUID | None = None
    approved: Money | None = None
    at_merchant: Money | None = None
    available: Money | None = None
    replayed: bool = False


def authorise(*, ask: Ask, by: Actor) -> Answer:
    """Whether the card may spend it; what is approved is set aside until it is captured, cancelled, or too old.

    The same message again is answered as the first time. Nothing raises for what is declined.
    """
    ask.check()
    return _answer(ask=ask, kind=Kind.AUTHORISATION, by=by)


def increment(*, ask: Ask, by: Actor) -> Answer:
    """The same for more, on a use that was approved before."""
    ask.check()
    return _answer(ask=ask, kind=Kind.INCREMENT, by=by)


@act
def _answer(*, ask: Ask, kind: Kind, by: Actor) -> Answer:
    card = uses.card_of(ask)
    if card is None:
        return _unknown(ask, kind)
    turn = uses.turn(ask, kind, card)
    card = turn.card
    if turn.facts.seen:
        return again(turn.facts.seen.id)
    if turn.facts.owed and debts.collect(member=card.member, currency=card.product.currency).minor:
        turn = uses.turn(ask, kind, card)
    before = turn.facts.use
    if before is not None and before.merchant != ask.merchant.id:
        raise MessageMalformed(part=Part.MERCHANT)
    counts = charges.Before(before.merchant_currency, before.asked_minor > 0) if before else charges.Before()
    charged = charges.known(turn.card.product, ask, turn.now, counts)
    decision = deciding.decide(deciding.Question(ask, kind, card, turn.facts, charged, turn.now, turn.named))
    use = uses.begun(turn)
    figures = use.figures.approve(decision.there, decision.approved.minor, decision.aside.minor)
    journal = _set_aside(turn, use, figures.held, decision, by) if decision.approved.minor else None
    if decision.good:
        after_use.used(card, turn, decision.approved.minor)
        # It counts on the day on which it was last approved, and may be taken from then on for as long as any.
        use.at = turn.now
        uses.become(use, card, figures)
    else:
        uses.become(use, card, use.figures)
    after_use.guessed(card, decision)
    message = uses.message(
        turn,
        use,
        charged,
        outcome=decision.outcome,
        code=decision.code,
        there_minor=decision.there,
        journal_id=journal,
        approved_minor=decision.approved.minor,
        aside_minor=decision.aside.minor,
    )
    receipt = _receipt(message, turn, decision)
    _write(turn, use, message, receipt, decision)
    after_use.finish(card)
    left = Money((turn.facts.books.available or 0) - decision.aside.minor, use.currency)
    return replace(_told(message, receipt, use), available=left)


def _set_aside(turn: Turn, use: CardAuthorisation, target: int, decision: Decision, by: Actor) -> UUID | None:
    """Set ``target`` aside; decline after all where it went elsewhere since it was looked at."""
    journal = use_books.Journal()
    use_books.bring(journal, use, use_books.hold_of(use), target, decision.aside.minor)
    try:
        return use_books.post(journal, use, turn.message_id, turn.kind, by)
    except Unposted as refusal:
        short = isinstance(refusal, InsufficientFunds)
        decision.decline(Code.INSUFFICIENT_FUNDS if short else Code.WALLET_UNUSABLE)
    return None


def _receipt(message: CardMessage, turn: Turn, decision: Decision) -> DecisionReceipt:
    books = turn.facts.books
    return DecisionReceipt(
        id=uuid7(turn.now),
        message=message,
        card=turn.named,
        outcome=decision.outcome,
        code=decision.code,
        checks=decision.checks,
        limits=decision.limits,
        seen={"posted": books.posted, "held": books.held, "aside": decision.aside.minor, "controls": turn.facts.sets},
        at=turn.now,
    )


def _write(
    turn: Turn, use: CardAuthorisation, message: CardMessage, receipt: DecisionReceipt, decision: Decision
) -> None:
    """Everything that the decision leaves, on one way to the database."""
    card = turn.card
    rows = [uses.written(use), insertion(message), insertion(receipt), uses.card_written(card)]
    if decision.good and decision.verdict:
        # What was cancelled before it was asked takes nothing.
        decision.verdict.use.given_back_at = None if use.counted_minor else turn.now
        rows.append(insertion(decision.verdict.use))
    held = after_use.pin_guessed(turn.facts.pin, decision)
    if held is not None:
        rows.append(Question("UPDATE cards_cardpin SET tries = %s WHERE card_id = %s", [held.tries, card.pk]))
    if notice := _notice(turn, use, decision):
        rows.append(insertion(notice))
    together(*rows)


def _notice(turn: Turn, use: CardAuthorisation, decision: Decision) -> Notice | None:
    """What the member hears; who was erased is told nothing."""
    member, about = turn.card.member, {"subject": turn.source, "merchant": use.merchant_name}
    if member.erased_at is not None or (decision.good and not decision.approved.minor):
        return None
    last_four = turn.card.last_four
    if decision.good:
        return notices.row(member=member, kind=SPENT, amount=decision.approved, last_four=last_four, **about)
    return notices.row(member=member, kind=DECLINED, why=decision.code, last_four=last_four, **about)


def _unknown(ask: Ask, kind: Kind) -> Answer:
    """Nobody's number: there is no member to lock, so the message's id decides who is first."""
    now = clock.now()
    digest = ask.digest(kind, None)
    facts = {
        "id": uuid7(now),
        "kind": kind,
        "digest": digest,
        "outcome": Outcome.DECLINED,
        "code": Code.NO_SUCH_CARD,
        "told_at": ask.told_at,
        "at": now,
    }
    message, made = CardMessage.objects.get_or_create(
        processor=ask.processor, message_id=ask.message_id, defaults=facts
    )
    if not made:
        if message.digest != digest:
            raise MessageDiffers(message=ask.message_id)
        return again(message.pk)
    checks = [{"check": "card", "passed": False, "code": str(Code.NO_SUCH_CARD)}]
    decided = {"outcome": Outcome.DECLINED, "code": Code.NO_SUCH_CARD, "checks": checks, "limits": [], "seen": {}}
    receipt = DecisionReceipt.objects.create(id=uuid7(now), message=message, at=now, **decided)
    return _told(message, receipt, None)


def again(message: UUID) -> Answer:
    """What was answered the first time."""
    found = CardMessage.objects.select_related("receipt", "use").get(pk=message)
    return replace(_told(found, found.receipt, found.use), replayed=True)


def _told(message: CardMessage, receipt: DecisionReceipt, use: CardAuthorisation | None) -> Answer:
    return Answer(
        outcome=Outcome(message.outcome),
        code=Code(message.code),
        receipt=receipt.pk,
        use=use.pk if use else None,
        approved=Money(message.approved_minor, use.currency) if use else None,
        at_merchant=message.approved_at_merchant,
    )
