"""What may become of a card. Every change is a row that says who, by which way and why."""

from typing import Any, Final

from django.utils.translation import gettext_noop

from cards.models import Card, CardEvent
from members.models import Member
from members.services import members, notices
from paymentsite.core import clock
from paymentsite.core.actors import Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.disclosure import clear
from paymentsite.core.errors import Invalid, Missing, Refused
from paymentsite.core.services import audit
from wallets.models import Instrument
from wallets.services import instruments

State = Card.State
Channel = CardEvent.Channel

_REASON_MAX: Final = 255
# The states from which each other one is reached.
_FROM: Final = {
    State.INACTIVE: {State.BLOCKED},
    State.ACTIVE: {State.INACTIVE, State.FROZEN, State.BLOCKED},
    State.FROZEN: {State.ACTIVE, State.BLOCKED},
    State.BLOCKED: {State.INACTIVE, State.ACTIVE, State.FROZEN},
    State.CLOSED: {State.INACTIVE, State.ACTIVE, State.FROZEN, State.BLOCKED},
    State.EXPIRED: {State.INACTIVE, State.ACTIVE, State.FROZEN, State.BLOCKED},
}

BLOCKED = notices.kind("card_blocked", gettext_noop("Your card ending in {last_four} is blocked. Ask us why."))
UNBLOCKED = notices.kind("card_unblocked", gettext_noop("Your card ending in {last_four} can be used again."))
ENDED = notices.kind("card_ended", gettext_noop("Your card ending in {last_four} cannot be used any more."))


class NoSuchCard(Missing):
    code = "no_such_card"
    sentence = gettext_noop("There is no such card.")


class CardEnded(Refused, state=State):
    code = "card_ended"
    sentence = gettext_noop("Nothing can be done with this card any more: it is {state}.")


class CardNotSo(Refused, state=State, wanted=State):
    code = "card_cannot_become"
    sentence = gettext_noop("This card is {state}, and cannot become {wanted}.")


class ReasonMissing(Invalid):
    code = "card_reason_missing"
    sentence = gettext_noop("Say why, in at most {most} characters.")


def of(*, member: Member, public_id: Any) -> Card:
    """The member's card; raises ``NoSuchCard``."""
    found = Card.objects.of(member).select_related("product", "wallet").filter(public_id=public_id).first()
    if found is None:
        raise NoSuchCard
    return found


@act
def activate(*, card: Card, by: Actor, channel: Channel) -> Card:
    """It can be used from now on."""
    return _by_member(card, State.ACTIVE, by=by, channel=channel, only={State.INACTIVE})


@act
def freeze(*, card: Card, by: Actor, channel: Channel) -> Card:
    """Its member lets nothing through any more, until they say so."""
    return _by_member(card, State.FROZEN, by=by, channel=channel, only={State.ACTIVE})


@act
def unfreeze(*, card: Card, by: Actor, channel: Channel) -> Card:
    """It can be used again."""
    return _by_member(card, State.ACTIVE, by=by, channel=channel, only={State.FROZEN})


@act
def freeze_all(*, member: Member, by: Actor, channel: Channel) -> int:
    """Every card of the member's that could be used is frozen; how many were."""
    Member.objects.lock(member.pk)
    cards = list(Card.objects.of(member).filter(state=State.ACTIVE).order_by("pk"))
    for card in cards:
        change(card, State.FROZEN, by=by, channel=channel, reason="all at once")
    return len(cards)


@act
def block(*, card: Card, by: Actor, reason: str) -> Card:
    """We let nothing through any more, until somebody of us says so."""
    found = _locked(card)
    return told(change(found, State.BLOCKED, by=by, channel=Channel.ADMIN, reason=checked_reason(reason)), BLOCKED)


@act
def unblock(*, card: Card, by: Actor, reason: str) -> Card:
    """It is what it was before it was blocked. Not for its member to say, whoever they are here."""
    check_not_own(by, card.member_id)
    found = _locked(card)
    if found.state != State.BLOCKED:
        raise CardNotSo(state=found.state, wanted=State.ACTIVE)
    back = State(found.events.filter(after=State.BLOCKED).order_by("-pk")[0].before)
    # Whoever typed wrong codes may begin to guess anew.
    Card.objects.filter(pk=found.pk).update(code_tries=0)
    return told(change(found, back, by=by, channel=Channel.ADMIN, reason=checked_reason(reason)), UNBLOCKED)


def change(card: Card, state: Card.State, *, by: Actor, channel: Channel, reason: str = "") -> Card:
    """The card is ``state``, with an event and an entry of the audit trail. Its member is locked by the caller."""
    before = card.state
    if before == state:
        return card
    if card.ended:
        raise CardEnded(state=before)
    if before not in _FROM[state]:
        raise CardNotSo(state=before, wanted=state)
    card.state = state
    if state in Card.ENDED:
        card.ended_at = clock.now()
    card.save(update_fields=["state", "ended_at"])
    write(card, before=before, by=by, channel=channel, reason=reason)
    if state in Card.ENDED:
        instruments.retire(Instrument.objects.get(source=card.source), by=by)
    audit.record(by=by, act=f"card.{state}", subject=card, before=before, after=state, reason=reason)
    return card


def write(card: Card, *, before: str, by: Actor, channel: Channel, reason: str = "") -> None:
    """The event that the card is what it is now."""
    CardEvent.objects.create(
        card=card,
        before=before,
        after=card.state,
        channel=channel,
        actor=str(by),
        reason=clear(reason)[:_REASON_MAX],
        at=clock.now(),
    )


def _by_member(card: Card, state: Card.State, *, by: Actor, channel: Channel, only: set[Card.State]) -> Card:
    found = _locked(card)
    members.check_active(found.member)
    if found.state not in {state, *only} and not found.ended:
        raise CardNotSo(state=found.state, wanted=state)
    return change(found, state, by=by, channel=channel)


def _locked(card: Card) -> Card:
    Member.objects.lock(card.member_id)
    return Card.objects.select_related("member", "product", "wallet", "account").get(pk=card.pk)


def told(card: Card, kind: notices.Kind) -> Card:
    nth = card.events.count()
    notices.tell(member=card.member, kind=kind, subject=f"{card.source}:{nth}", last_four=card.last_four)
    return card


def checked_reason(reason: str) -> str:
    text = " ".join(reason.split())
    if not text or len(text) > _REASON_MAX or not text.isprintable():
        raise ReasonMissing(most=_REASON_MAX)
    return text
