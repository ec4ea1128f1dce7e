"""Uses of cards to arrange tests with: a processor of the tests', and what it says."""

from decimal import Decimal
from itertools import count
from typing import Any

from cards.control_rules import Entry
from cards.messages import Ask, Merchant, MessageDiffers, Told
from cards.models import Card, CardAuthorisation
from cards.services import authorising, codes, debts, loading, telling
from cards.services.authorising import Answer
from cards.services.uses import Taken
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.core.rates import Rate
from paymentsite.core.vault import Secret
from paymentsite.ledger import queries as books
from tests.cards.factories import card, debit, product
from tests.factories import cny
from tests.wallets.factories import wallet
from wallets.services import rates

PROCESSOR = "sim"
# The number of nobody's card.
STRANGER = Secret("4000001299999999")
SHOP = Merchant(id="shop-1", name="Corner Shop", category="5411", country="CN", city="Shanghai")
HOTEL = Merchant(id="hotel-1", name="Grand Hotel", category="7011", country="CN", city="Beijing")
PUMP = Merchant(id="pump-1", name="Pump", category="5542", country="CN")
DINER = Merchant(id="diner-1", name="Diner", category="5812", country="CN")
CASH = Merchant(id="atm-1", name="Cash machine", category="6011", country="CN")

_ids = count(1)


def spending(minor: int = 100_00, **terms: Any) -> Card:
    """A debit card on a wallet with so much in it."""
    purse = wallet(minor)
    return card(purse.member, debit(**terms))


def loaded(minor: int = 100_00, **how: Any) -> Card:
    """A prepaid card with so much on it."""
    purse = wallet(minor)
    found = card(purse.member, product(), **how)
    loading.load(card=found, amount=cny(minor), reference="load", by=Actor.of(purse.member.user))
    return Card.objects.select_related("product", "account", "member").get(pk=found.pk)


def facts(of: Card, amount: Money | int | None, **more: Any) -> dict[str, Any]:
    number = next(_ids)
    money = cny(amount) if isinstance(amount, int) else amount
    usual = {
        "processor": PROCESSOR,
        "message_id": f"m{number}",
        "reference": f"r{number}",
        "merchant": SHOP,
        "entry": Entry.CHIP,
        "told_at": clock.now(),
        "amount": money,
        "number": of.number.decrypt(),
    }
    return {**usual, **more}


def ask(of: Card, amount: Money | int, **more: Any) -> Answer:
    return authorising.authorise(ask=Ask(**facts(of, amount, **more)), by=SYSTEM)


def more(of: Card, amount: Money | int, **facts_: Any) -> Answer:
    return authorising.increment(ask=Ask(**facts(of, amount, **facts_)), by=SYSTEM)


def online(of: Card, amount: Money | int, **more_: Any) -> Answer:
    """As a page asks: with what is on the card."""
    there = {"entry": Entry.ECOMMERCE, "code": codes.of(of, clock.now())}
    there["expires"] = (of.expires_on.year, of.expires_on.month)
    return ask(of, amount, **{**there, **more_})


def tell(what: str, of: Card, amount: Money | int | None, **more_: Any) -> Taken:
    return getattr(telling, what)(told=Told(**facts(of, amount, **more_)), by=SYSTEM)


def use(reference: str) -> CardAuthorisation:
    return CardAuthorisation.objects.get(reference=reference)


def stands(of: Card) -> tuple[int, int]:
    """What is on the card's account, and what of it is set aside."""
    standing = books.standing(of.account)
    return standing.posted.minor, standing.held.minor


def rate(base: str, quote: str, value: str) -> None:
    """From now on a unit of ``base`` is worth so much."""
    rates.take_in(rates=[Rate(base, quote, Decimal(value), "test", clock.now())], by=SYSTEM)


def debt(of: Card) -> int:
    return debts.owed(of.member, of.product.currency).minor


__all__ = ["MessageDiffers"]
