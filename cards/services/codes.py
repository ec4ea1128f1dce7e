"""The security code of a card: made of its number when it is asked for, kept nowhere."""

import hmac
from datetime import datetime, timedelta
from typing import Final

from cards.models import Card, CardProduct, CodeKey
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.ids import uuid7
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret, card_codes

# Whoever read an hour's code in its last minute has so long to type it in.
GRACE: Final = timedelta(minutes=5)


def current_key(*, by: Actor) -> CodeKey:
    """The key that new cards begin with; the first is made when it is wanted."""
    return CodeKey.objects.order_by("-pk").first() or renew(by=by)


@act
def renew(*, by: Actor) -> CodeKey:
    """From now on new cards begin with another key. Those that are there keep theirs: their codes do not change."""
    now = clock.now()
    key = CodeKey.objects.create(public_id=uuid7(now), material=card_codes.new_key(), made_at=now)
    audit.record(by=by, act="card.code_key_made", subject=key)
    return key


def of(card: Card, at: datetime) -> Secret:
    """The card's code at ``at``."""
    number, key = card.number.decrypt(), card.code_key.material.decrypt()
    if card.product.code_kind == CardProduct.Code.HOURLY:
        return card_codes.hourly_card_code(number, at, key=key)
    return card_codes.card_code(number, card.expires_on, key=key)


def right(card: Card, code: Secret, at: datetime) -> bool:
    """Whether ``code`` is the card's at ``at``, or was a moment before."""
    hourly = card.product.code_kind == CardProduct.Code.HOURLY
    known = {of(card, moment).reveal() for moment in ([at, at - GRACE] if hourly else [at])}
    return any(hmac.compare_digest(each.encode(), code.reveal().encode()) for each in known)
