"""How cards end: by their member, by us, by their last day. What is on them goes back to the wallet."""

from datetime import date, datetime, timedelta
from typing import Final

from django.utils.translation import gettext_noop

from cards.models import Card
from cards.services import life, loading
from members.models import Member
from members.services import members, notices
from paymentsite.core import clock
from paymentsite.core.actors import MEMBER, SYSTEM, Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import as_day
from wallets.services import leaving

State = Card.State
Channel = life.Channel

_CHUNK: Final = 500
WARNED_BEFORE: Final = timedelta(days=7)

RUNS_OUT = notices.kind(
    "card_runs_out",
    gettext_noop("Your card ending in {last_four} can be used until {last_day}. Take its successor in time."),
    last_day=as_day,
)


@act
def close(*, card: Card, by: Actor, channel: Channel, reason: str = "") -> Card:
    """The card is over for ever, and what is on it is in the wallet. Repeated, nothing changes."""
    member = Member.objects.lock(card.member_id)
    found = Card.objects.select_related("member", "product", "wallet", "account").get(pk=card.pk)
    if found.state == State.CLOSED:
        return found
    if by.kind == MEMBER:
        members.check_active(member)
    else:
        reason = life.checked_reason(reason)
    life.change(found, State.CLOSED, by=by, channel=channel, reason=reason)
    loading.give_back(found)
    return found


@leaving.ends("cards")
def end_all(*, member: Member, by: Actor, reason: str) -> None:
    """Every card of the member's is over, and what was on it is in their wallets: they leave. The member is locked."""
    for card in (
        Card.objects.of(member).living().select_related("member", "product", "wallet", "account").order_by("pk")
    ):
        life.change(card, State.CLOSED, by=by, channel=Channel.JOB, reason=reason)
        loading.give_back(card)


@act
def expire(*, card: Card, today: date) -> Card:
    """The card is over, because its last day is. Not before; repeated, nothing changes."""
    Member.objects.lock(card.member_id)
    found = Card.objects.select_related("member", "product", "wallet", "account").get(pk=card.pk)
    if found.ended or not found.expired(today):
        return found
    life.change(found, State.EXPIRED, by=SYSTEM, channel=Channel.JOB, reason="its last day is over")
    life.told(found, life.ENDED)
    loading.give_back(found)
    return found


def warn_of_expiry(*, now: datetime) -> int:
    """Members know of each card of theirs that is over within a week, once for each; how many do."""
    today = clock.day_of(now)
    soon = Card.objects.living().filter(expires_on__range=(today, today + WARNED_BEFORE))
    for card in soon.select_related("member").order_by("pk").iterator():
        notices.tell(
            member=card.member,
            kind=RUNS_OUT,
            subject=f"{card.source}:runs_out",
            last_four=card.last_four,
            last_day=card.expires_on,
        )
    return soon.count()


def expire_due(*, now: datetime) -> int:
    """Expire what has had its last day; how many cards."""
    today, done = clock.day_of(now), 0
    while due := list(Card.objects.living().filter(expires_on__lt=today).order_by("expires_on", "pk")[:_CHUNK]):
        for card in due:
            expire(card=card, today=today)
        done += len(due)
    return done
