"""PINs of cards: set by their member for a proof that it is them, asked for by terminals and cash machines."""

from datetime import timedelta
from typing import Final

from django.utils.translation import gettext_noop

from cards.models import Card, CardPin
from cards.models.pins import LABEL
from cards.services import reveals
from cards.services.life import CardEnded, Channel
from members.models import Member
from members.services import members, notices
from paymentsite.core import clock, vault
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Invalid
from paymentsite.core.services import audit
from paymentsite.core.vault import Envelope, Secret

LENGTHS: Final = range(4, 7)
_RUN: Final = "01234567890"

SET = notices.kind(
    "card_pin_set", gettext_noop("The PIN of your card ending in {last_four} was set. If that was not you, freeze it.")
)


class InvalidCardPin(Invalid):
    code = "card_pin_invalid"
    sentence = gettext_noop("A card's PIN has four to six digits, not all the same and no run.")


def set_pin(
    *,
    card: Card,
    new: Secret,
    by: Actor,
    channel: Channel,
    pin: Secret | None = None,
    signed_in: timedelta | None = None,
) -> CardPin:
    """The card's PIN is ``new`` from now on, and guesses before it are forgotten. Proven as ``reveals.permit`` is."""
    _check_strength(new)
    reveals.prove(card=card, by=by, pin=pin, signed_in=signed_in)
    # Slow on purpose, so never under a lock.
    hashed = vault.hash_pin(new, label=LABEL, bound_to=(card.pk,))
    return _store(card=card, hashed=hashed, by=by, channel=channel)


@act
def _store(*, card: Card, hashed: Envelope, by: Actor, channel: Channel) -> CardPin:
    member = Member.objects.lock(card.member_id)
    members.check_active(member)
    card = Card.objects.get(pk=card.pk)
    if card.ended:
        raise CardEnded(state=card.state)
    now = clock.now()
    kept, _made = CardPin.objects.update_or_create(card=card, defaults={"hashed": hashed, "tries": 0, "set_at": now})
    audit.record(by=by, act="card.pin_set", subject=card, after={"by way of": channel})
    subject = f"{card.source}:pin:{now.isoformat()}"
    notices.tell(member=member, kind=SET, subject=subject, last_four=card.last_four)
    return kept


def right(held: CardPin, given: Secret) -> bool:
    """Whether it is the card's PIN. The caller holds the card's lock and counts what is wrong."""
    return bool(vault.verify_pin(given, held.hashed.envelope, label=LABEL, bound_to=(held.card_id,)))


def _check_strength(new: Secret) -> None:
    digits = new.reveal()
    if not (digits.isascii() and digits.isdecimal() and len(digits) in LENGTHS):
        raise InvalidCardPin
    if len(set(digits)) == 1 or digits in _RUN or digits[::-1] in _RUN:
        raise InvalidCardPin
