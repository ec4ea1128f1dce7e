"""A card's number and code, shown to its member and to nobody else: for a proof that it is them, once, for seconds.

``permit`` takes the proof and gives a token; ``show`` takes the token. Between them lies a page, or an app of the
member's: where numbers are drawn no proof is handled, and a token is worth nothing a minute later, or twice.
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.utils.translation import gettext_noop

from cards.models import Card, CardReveal
from cards.models.reveals import TOKEN_LABEL
from cards.services import codes
from cards.services.life import CardEnded, Channel, NoSuchCard
from members.models import Member
from members.services import members, notices, pins
from paymentsite.core import clock
from paymentsite.core.actors import MEMBER, Actor, person_of
from paymentsite.core.acts import act
from paymentsite.core.errors import Forbidden, Missing, Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret, lookup

State = Card.State
Proof = CardReveal.Proof

# How long ago somebody may have signed in for it to prove that it is still them.
SIGNED_IN_WITHIN: Final = timedelta(minutes=5)
TOKEN_LASTS: Final = timedelta(minutes=1)
# How long whoever shows them leaves them standing.
SHOWN_SECONDS: Final = 30
DAY: Final = timedelta(days=1)
A_DAY_MAX: Final = 20
_TOKEN_BYTES: Final = 32

SHOWN = notices.kind(
    "card_shown",
    gettext_noop("The number of your card ending in {last_four} was shown. If that was not you, freeze it."),
)


class ProofMissing(Forbidden):
    code = "card_proof_missing"
    sentence = gettext_noop("To see the number, enter your payment PIN or sign in again.")


class CardBlocked(Refused):
    code = "card_blocked"
    sentence = gettext_noop("This card is blocked, so its number is not shown. Ask us why.")


class TooManyReveals(Refused):
    code = "card_shown_too_often"
    sentence = gettext_noop("Numbers are shown {most} times a day at most. Wait until tomorrow.")


class RevealGone(Missing):
    code = "card_reveal_gone"
    sentence = gettext_noop("This was shown already, or its minute is over. Ask for it again.")


@dataclass(frozen=True, slots=True)
class Permit:
    """``token`` is told once, and kept nowhere."""

    token: Secret
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """What is on a card. Whoever shows it takes it away again after ``seconds``."""

    number: Secret
    code: Secret
    expires_on: date
    seconds: int = SHOWN_SECONDS


def permit(
    *, card: Card, by: Actor, channel: Channel, pin: Secret | None = None, signed_in: timedelta | None = None
) -> Permit:
    """Leave to see what is on ``card``, once and within a minute. Its member proves that it is them: by their PIN, or
    by having ``signed_in`` just so long ago.

    Not in a transaction: a wrong guess at the PIN counts whatever comes after.
    """
    proof = prove(card=card, by=by, pin=pin, signed_in=signed_in)
    return _permit(card=card, by=by, channel=channel, proof=proof)


def prove(*, card: Card, by: Actor, pin: Secret | None, signed_in: timedelta | None) -> CardReveal.Proof:
    """By what the card's member has just proven that it is them; raises where they have not."""
    _check_theirs(card, by)
    if pin is not None:
        pins.check(member=card.member, pin=pin)
        return Proof.PIN
    if signed_in is None or not timedelta(0) <= signed_in <= SIGNED_IN_WITHIN:
        raise ProofMissing
    return Proof.SIGN_IN


@act
def _permit(*, card: Card, by: Actor, channel: Channel, proof: CardReveal.Proof) -> Permit:
    member = Member.objects.lock(card.member_id)
    members.check_active(member)
    card = Card.objects.get(pk=card.pk)
    _check_showable(card)
    now = clock.now()
    if CardReveal.objects.of(member).filter(asked_at__gt=now - DAY).count() >= A_DAY_MAX:
        raise TooManyReveals(most=A_DAY_MAX)
    token = Secret(secrets.token_urlsafe(_TOKEN_BYTES))
    made = CardReveal.objects.create(
        public_id=uuid7(now),
        card=card,
        token_digest=lookup.digest(token, label=TOKEN_LABEL),
        proof=proof,
        channel=channel,
        asked_at=now,
        expires_at=now + TOKEN_LASTS,
    )
    audit.record(by=by, act="card.reveal_permitted", subject=made, after={"card": card, "proof": proof})
    return Permit(token, made.expires_at)


@act
def show(*, token: Secret, by: Actor) -> Shown:
    """What is on the card that ``token`` was given for. It is worth nothing from then on."""
    found = CardReveal.objects.called(token).select_related("card").first()
    if found is None:
        raise RevealGone
    _check_theirs(found.card, by)
    member = Member.objects.lock(found.card.member_id)
    members.check_active(member)
    card = Card.objects.select_related("product", "code_key").get(pk=found.card_id)
    _check_showable(card)
    now = clock.now()
    if not CardReveal.objects.open_at(now).filter(pk=found.pk).update(shown_at=now):
        raise RevealGone
    audit.record(by=by, act="card.shown", subject=found, after={"card": card})
    notices.tell(member=member, kind=SHOWN, subject=f"card_reveal:{found.public_id}", last_four=card.last_four)
    return Shown(number=card.number.decrypt(), code=codes.of(card, now), expires_on=card.expires_on)


def _check_theirs(card: Card, by: Actor) -> None:
    """Nobody of us, and no partner, is shown a number: what it is theirs for does not matter."""
    if by.kind != MEMBER or by.person != person_of(card.member_id):
        raise NoSuchCard


def _check_showable(card: Card) -> None:
    if card.ended:
        raise CardEnded(state=card.state)
    if card.state == State.BLOCKED:
        raise CardBlocked
