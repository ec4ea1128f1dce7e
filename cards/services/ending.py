"""How cards end: by their member, by us, by their last day. What is on them goes back to the wallet."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext_noop

from cards.models import Card
from cards.services import life
from cards.services.sweeping import swept
from members.models import Member
from members.services import members, notices, turns
from paymentsite.core import clock
from paymentsite.core.actors import MEMBER, SYSTEM, Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import as_day
from wallets.models import Wallet
from wallets.services import due, leaving, wallets

State = Card.State
Channel = life.Channel

STUCK: Final = "card_expiry_stuck"
WARN_STUCK: Final = "card_expiry_untold"
WARNED_BEFORE: Final = timedelta(days=7)

RUNS_OUT = notices.kind(
    "card_runs_out",
    gettext_noop("Your card ending in {last_four} can be used until {last_day}. Take its successor in time."),
    last_day=as_day,
)


@act
def close(*, card: Card, by: Actor, channel: Channel, reason: str = "") -> Card:
    """The card is over for ever, and what is on it is in the wallet as far as it can go there.

    Repeated, what could not go there before does.
    """
    member = Member.objects.lock(card.member_id)
    found = Card.objects.select_related("member", "product", "wallet", "account").get(pk=card.pk)
    if found.state == State.CLOSED:
        swept(found)
        return found
    if by.kind == MEMBER:
        members.check_active(member)
    else:
        reason = life.checked_reason(reason)
    life.change(found, State.CLOSED, by=by, channel=channel, reason=reason)
    swept(found)
    return found


@leaving.ends("cards")
def end_all(*, member: Member, by: Actor, reason: str) -> None:
    """Every card of the member's is over, and what was on it is in their wallets: they leave. The member is locked."""
    for card in Card.objects.of(member).select_related("member", "product", "wallet", "account").order_by("pk"):
        if not card.ended:
            life.change(card, State.CLOSED, by=by, channel=Channel.JOB, reason=reason)
        swept(card)


@wallets.ends("cards")
def end_with_wallet(*, wallet: Wallet, by: Actor, reason: str) -> None:
    """Every debit card that spends the wallet is over, because the wallet is. What is on a prepaid one is on an account
    of its own, and stays. The member is locked."""
    for card in Card.objects.living().filter(account=wallet.account_id).select_related("member").order_by("pk"):
        life.told(life.change(card, State.CLOSED, by=by, channel=Channel.JOB, reason=reason), life.ENDED)


@act
def expire(*, card: Card, today: date) -> Card:
    """The card is over, because its last day is. Not before; repeated, nothing changes."""
    Member.objects.lock(card.member_id)
    found = Card.objects.select_related("member", "product", "wallet", "account").get(pk=card.pk)
    if found.ended or not found.expired(today):
        return found
    life.change(found, State.EXPIRED, by=SYSTEM, channel=Channel.JOB, reason="its last day is over")
    life.told(found, life.ENDED)
    swept(found)
    return found


def warn_of_expiry(*, now: datetime) -> int:
    """Members know of each card of theirs that is over within a week, once for each; how many do."""
    today = clock.day_of(now)
    soon = Card.objects.living().filter(expires_on__range=(today, today + WARNED_BEFORE))
    rows = soon.select_related("member").order_by("pk").iterator()
    return turns.tell(((card.member, _running_out(card)) for card in rows), kind=RUNS_OUT, stuck=WARN_STUCK)


def _running_out(card: Card) -> dict[str, Any]:
    return {"subject": f"{card.source}:runs_out", "last_four": card.last_four, "last_day": card.expires_on}


def expire_due(*, now: datetime) -> int:
    """Expire what has had its last day; how many cards."""
    today = clock.day_of(now)
    rows = Card.objects.living().filter(expires_on__lt=today).order_by("expires_on", "pk")
    done = due.each(rows, lambda card: expire(card=card, today=today).ended, stuck=STUCK)
    turns.settle(stuck=STUCK, due=rows)
    return done
