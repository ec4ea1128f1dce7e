"""Prepaid cards: what is on one, put there from the wallet and back again."""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from django.utils.translation import gettext, gettext_noop

from cards.models import Card, CardLoad, CardProduct
from cards.services import life
from members.models import Member
from members.services import members
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Invalid, Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance
from wallets.models import Wallet
from wallets.services import bookings, room, wallets
from wallets.services.wording import check_same, checked_amount, checked_reference, id_for
from wallets.telling import Told, teller

Way = CardLoad.Way

SCOPE: Final = "cards.load"
# What nobody asked for has no reference of a member's.
END: Final = "cards.load_end"
NOUN: Final = "card_load"
CODE: Final = "card"


class NotPrepaid(Refused):
    code = "card_not_prepaid"
    sentence = gettext_noop("This card spends what is in a wallet; nothing is loaded onto it.")


class WrongCurrency(Invalid):
    code = "card_holds_another_currency"
    sentence = gettext_noop("This card holds {currency}.")


def new_account(member: Member, product: CardProduct, wallet: Wallet, *, by: Actor) -> Account:
    """Where what a new card spends stands. The member is locked."""
    if product.kind == CardProduct.Kind.DEBIT:
        return wallet.account
    earlier = Account.objects.filter(owner=member.owner, code__startswith=f"{CODE} ").count()
    return ledger.open_account(
        owner=member.owner,
        code=f"{CODE} {earlier + 1}",
        unit=product.currency,
        kind=Account.Kind.LIABILITY,
        by=by,
    )


@act
def load(*, card: Card, amount: Money, reference: str, by: Actor) -> CardLoad:
    """``amount`` has gone from the member's wallet onto the card.

    Repeating a reference returns the first load; with another content it is a conflict that names the fields.
    """
    return _move(card, Way.ON, amount, reference, by)


@act
def unload(*, card: Card, amount: Money, reference: str, by: Actor) -> CardLoad:
    """``amount`` has gone from the card back into the wallet; what is on hold stays. Repeated, as ``load``."""
    return _move(card, Way.OFF, amount, reference, by)


def left_on(card: Card) -> Money:
    """What is on the card itself and not on hold."""
    left = books.standing(card.account).available if card.prepaid else None
    return left or Money.zero(card.product.currency)


def give_back(card: Card) -> CardLoad | None:
    """What is left on a card that is over has gone to its member's wallet. The member is locked, the card as it stands.

    Also where they may hold no more, or are suspended: it is theirs already.
    """
    left = left_on(card)
    if left.minor <= 0:
        return None
    wallet = wallets.open(member=card.member, currency=left.unit, by=SYSTEM)
    made = _made(card, Way.END, left, reference="", public_id=uuid7(clock.now()))
    return _post(made, wallet, scope=END, reference=made.public_id.hex, by=SYSTEM, must=True)


def can_give_back(card: Card) -> bool:
    """Whether what is left on a card that is over can go to its member's wallet now. The member is locked."""
    if books.standing(card.account).status != Balance.Status.OPEN or card.member.state == Member.State.CLOSED:
        return False
    wallet = wallets.open(member=card.member, currency=card.product.currency, by=SYSTEM)
    return bookings.takes(wallet)


def check_living(card: Card) -> None:
    """Raise where the card is over."""
    if card.ended:
        raise life.CardEnded(state=card.state)


def _move(card: Card, way: CardLoad.Way, amount: Money, reference: str, by: Actor) -> CardLoad:
    checked_amount(amount)
    reference = checked_reference(reference)
    member = Member.objects.lock(card.member_id)
    found = Card.objects.select_related("member", "product", "wallet__account", "account").get(pk=card.pk)
    if first := CardLoad.objects.filter(card=found, reference=reference).exclude(way=Way.END).first():
        check_same(first, {"way": way, "amount": amount}, reference=reference)
        return first
    members.check_active(member)
    if not found.prepaid:
        raise NotPrepaid
    if amount.unit != found.product.currency:
        raise WrongCurrency(currency=found.product.currency)
    check_living(found)
    wallet = wallets.open(member=member, currency=amount.unit, by=by)
    if way == Way.ON:
        wallets.check_open(wallet)
    else:
        room.check(member=member, wallet=wallet, amount=amount)
    public_id = id_for(member, f"load of {found.public_id}", reference)
    made = _made(found, way, amount, reference=reference, public_id=public_id)
    return _post(made, wallet, scope=SCOPE, reference=f"{found.pk}:{reference}", by=by)


def _made(card: Card, way: CardLoad.Way, amount: Money, *, reference: str, public_id: UUID) -> CardLoad:
    return CardLoad(
        public_id=public_id,
        card=card,
        way=way,
        currency=amount.unit,
        amount_minor=amount.minor,
        reference=reference,
        at=clock.now(),
    )


def _post(made: CardLoad, wallet: Wallet, *, scope: str, reference: str, by: Actor, must: bool = False) -> CardLoad:
    account = made.card.account
    ends = (wallet.account, account) if made.way == Way.ON else (account, wallet.account)
    made.journal_id = ledger.post(
        ledger.Move(made.amount, *ends),
        kind=NOUN,
        scope=scope,
        reference=reference,
        source=made.source,
        by=by,
        must=must,
    ).journal_id
    made.save(force_insert=True)
    return made


@teller(NOUN)
def tell(ids: Collection[str], member: Member) -> Mapping[str, Told]:
    """To the member whose card it is."""
    found = CardLoad.objects.filter(public_id__in=ids, card__member=member).select_related("card")
    return {str(each.public_id): _told(each) for each in found}


def _told(made: CardLoad) -> Told:
    words = {
        Way.ON: gettext("Loaded onto the card ending in %(last_four)s"),
        Way.OFF: gettext("Taken off the card ending in %(last_four)s"),
        Way.END: gettext("Given back from the card ending in %(last_four)s"),
    }[Way(made.way)]
    return Told(words % {"last_four": made.card.last_four}, "", made.source)
