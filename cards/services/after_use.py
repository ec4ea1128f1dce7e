"""What a use makes of the card itself: locked to a merchant, used up, blocked after too many wrong codes."""

from cards.models import Card, CardPin
from cards.models.messages import Code
from cards.models.pins import TRIES as PIN_TRIES
from cards.services import life
from cards.services.deciding import CODE_TRIES, Decision
from cards.services.life import Channel
from cards.services.sweeping import swept
from cards.services.uses import Turn
from paymentsite.core.actors import SYSTEM

State = Card.State
Use = Card.Use


def used(card: Card, turn: Turn, amount: int) -> list[Card]:
    """The card's own columns after ``amount`` was approved, or paid without a question; not written yet. So are those
    of the cards that stand in its place meanwhile, which are given back: what it was used for they were, too.

    A subscription costs from now on what it cost the first time, at the merchant.
    """
    if not amount or (turn.facts.use is not None and turn.facts.use.began):
        return []
    heirs = _heirs(card) if card.ended else []
    for each in (card, *heirs):
        _used(each, turn)
    return heirs


def _heirs(card: Card) -> list[Card]:
    found: list[Card] = []
    rows = Card.objects.select_related("member", "product", "wallet", "account")
    while (heir := rows.filter(replaces=found[-1] if found else card).first()) is not None:
        found.append(heir)
    return found


def _used(card: Card, turn: Turn) -> None:
    if card.uses_left:
        card.uses_left -= 1
    if card.use in {Use.MERCHANT, Use.SUBSCRIPTION} and not card.merchant:
        card.merchant = turn.told.merchant.id
    if card.use == Use.SUBSCRIPTION and card.fixed_minor is None and turn.told.amount:
        card.fixed_minor, card.fixed_currency = turn.told.amount.minor, turn.told.amount.unit


def guessed(card: Card, decision: Decision) -> None:
    """The same after a question: guesses at a code are counted until a right one comes."""
    if decision.code in {Code.WRONG_CODE, Code.WRONG_EXPIRY}:
        card.code_tries = min(CODE_TRIES, card.code_tries + 1)
    elif decision.code_right:
        card.code_tries = 0


def pin_guessed(held: CardPin | None, decision: Decision) -> CardPin | None:
    """The card's PIN, where a question changed how often in a row it was guessed at: a wrong one counts, a right one
    ends that, and one that nobody looked at does neither."""
    if held is None or not (decision.pin_right or decision.code == Code.WRONG_PIN):
        return None
    held.tries = 0 if decision.pin_right else min(PIN_TRIES, held.tries + 1)
    return held


def finish(card: Card) -> None:
    """What follows once everything is written."""
    if card.code_tries >= CODE_TRIES and card.state == State.ACTIVE:
        reason = "wrong security codes, one after the other"
        life.told(life.change(card, State.BLOCKED, by=SYSTEM, channel=Channel.JOB, reason=reason), life.BLOCKED)
    if card.use == Use.SINGLE and card.uses_left == 0 and not card.ended:
        life.change(card, State.CLOSED, by=SYSTEM, channel=Channel.JOB, reason="it was for one use")
        swept(card)
