"""What it costs to have a card, taken from its wallet each month: on the day of the month on which it was issued.

Where there is too little, it is tried each day again, and after a while not any more. A card that stands in the place
of another one goes on in its months.
"""

from datetime import date, datetime
from functools import partial
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from cards.models import Card, CardFee, CardProduct
from cards.months import months_after
from cards.services import use_books
from members.models import Member
from members.services import members, notices, turns
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.acts import act
from paymentsite.core.errors import DomainError
from paymentsite.ledger import services as ledger
from wallets.services import due, fees, wallets

State = CardFee.State

SCOPE: Final = "cards.monthly_fee"
STUCK: Final = "card_fee_stuck"
WAITS_STUCK: Final = "card_fee_waits_stuck"
# So many days it is tried, the first one counted.
TRIES_MAX: Final = 30

WAITS = notices.kind(
    "card_fee_waits",
    gettext_noop(
        "There is too little for the monthly {amount} of your card ending in {last_four}. We try again every day."
    ),
)


def first_on(product: CardProduct, issued: date) -> date | None:
    """When the first fee of a card issued then is due: the price of the card pays for the first month."""
    return months_after(issued, 1) if product.monthly_fee_minor else None


def take_due(*, now: datetime) -> int:
    """Take what falls due today, or did before; for how many cards something was done. Twice does it once."""
    today = clock.day_of(now)
    return due.each(_open(today).order_by("pk"), lambda card: take(card=card, today=today), stuck=STUCK)


def _open(today: date) -> QuerySet[Card]:
    return Card.objects.living().filter(next_fee_on__lte=today)


@act
def take(*, card: Card, today: date) -> bool:
    """A month's fee is due, and taken if there is enough for it; whether one was."""
    Member.objects.lock(card.member_id)
    found = Card.objects.select_related("member", "product", "wallet", "account").get(pk=card.pk)
    if found.ended or found.next_fee_on is None or found.next_fee_on > today:
        return False
    fee = CardFee.objects.create(
        card=found,
        due_on=found.next_fee_on,
        currency=found.product.currency,
        amount_minor=found.product.monthly_fee_minor,
        at=clock.now(),
    )
    found.next_fee_on = days(found, found.fees.count() + 1)[-1]
    found.save(update_fields=["next_fee_on"])
    _try(found, fee)
    return True


def try_again(*, now: datetime) -> int:
    """Try what waits once more, each at most once a day; how many were paid."""
    today = clock.day_of(now)
    waiting = CardFee.objects.filter(state=State.WAITING, due_on__lt=today).order_by("pk")
    why = "Its fee was to be tried again, and that failed"
    done = [
        turns.take(partial(_tried_again, fee, today), subject=fee.card, stuck=WAITS_STUCK, why=why)
        for fee in waiting.select_related("card").iterator()
    ]
    turns.settle(stuck=WAITS_STUCK, due=Card.objects.filter(fees__in=waiting))
    return sum(map(bool, done))


@act
def _tried_again(fee: CardFee, today: date) -> bool:
    Member.objects.lock(fee.card.member_id)
    found = CardFee.objects.select_related("card__member", "card__product", "card__wallet__account").get(pk=fee.pk)
    if found.state != State.WAITING or clock.day_of(found.at) >= today:
        return False
    if found.tries >= TRIES_MAX or not _lives_on(found.card):
        found.state, found.at = State.DROPPED, clock.now()
        found.save(update_fields=["state", "at"])
        return False
    return _try(found.card, found)


def _lives_on(card: Card) -> bool:
    """Whether it can be used still, or a card that stands in its place."""
    while card.ended:
        later = Card.objects.filter(replaces=card).first()
        if later is None:
            return False
        card = later
    return True


def days(card: Card, count: int) -> list[date]:
    """The first days on which a fee of the card is due: in the months of the first card of its line, after those of
    the card in whose place it stands."""
    first, taken = _line(card)
    return [months_after(first, taken + month) for month in range(1, count + 1)]


def _line(card: Card) -> tuple[date, int]:
    """When the first card of the line was issued, and how many fees were due of the cards before."""
    taken = 0
    while card.replaces is not None:
        card = card.replaces
        taken += card.fees.count()
    return clock.day_of(card.issued_at), taken


def _try(card: Card, fee: CardFee) -> bool:
    """Take it, or let it wait."""
    fee.tries += 1
    fee.at = clock.now()
    fee.journal_id = _taken(card, fee)
    if fee.journal_id:
        fee.state = State.PAID
    elif fee.tries == 1:
        about = f"{card.source}:fee:{fee.due_on}"
        notices.tell(member=card.member, kind=WAITS, subject=about, amount=fee.amount, last_four=card.last_four)
    fee.save(update_fields=["state", "tries", "journal_id", "at"])
    return fee.state == State.PAID


def _taken(card: Card, fee: CardFee) -> UUID | None:
    """The journal by which it was taken; None where nothing may leave, or there is too little, or our own account of
    fees takes nothing: one card's fee keeps no other waiting."""
    account = card.wallet.account
    try:
        members.check_active(card.member)
        wallets.check_open(card.wallet)
        if use_books.free(account) < fee.amount_minor:
            return None
        return ledger.post(
            ledger.Move(fee.amount, account, ledger.house(fees.HOUSE, fee.currency)),
            kind="fee",
            scope=SCOPE,
            reference=f"{card.public_id.hex}:{fee.due_on}",
            source=card.source,
            by=SYSTEM,
            must=True,
        ).journal_id
    except DomainError:
        return None
