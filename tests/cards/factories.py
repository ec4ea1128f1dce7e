"""Cards to arrange tests with."""

from typing import Any

from cards.models import Card, CardProduct, NumberRange
from cards.services import issuing, life, products
from cards.services.issuing import Purpose
from cards.services.life import Channel
from members.models import Member
from paymentsite.core.actors import SYSTEM, Actor
from tests.members.factories import member

PREFIX = "40000012"


def numbers(prefix: str = PREFIX, length: int = 16) -> NumberRange:
    first = NumberRange.objects.filter(prefix=prefix).first()
    return first or products.put_range(prefix=prefix, length=length, by=SYSTEM, reason="test")


def product(code: str = "daily", **terms: Any) -> CardProduct:
    """A prepaid card in yuan for 30 days, unless told otherwise; the one of that code where there is one."""
    usual = {
        "name_en": "Daily",
        "kind": "prepaid",
        "currency": "CNY",
        "validity": 30,
        "validity_unit": "days",
        "held_max": 3,
    }
    first = CardProduct.objects.filter(code=code).first()
    given = {"code": code, **usual, "numbers": terms.pop("numbers", None) or numbers(), **terms}
    return first or products.put(given, by=SYSTEM, reason="test")


def debit(**terms: Any) -> CardProduct:
    return product("debit", **{"kind": "debit", **terms})


def issued(
    of: Member | None = None, made: CardProduct | None = None, *, reference: str = "r", label: str = "", **purpose: Any
) -> Card:
    """A card as it is issued, not active yet."""
    holder = of or member()
    return issuing.issue(
        member=holder,
        product=made or product(),
        reference=reference,
        by=Actor.of(holder.user),
        channel=Channel.WEB,
        purpose=Purpose(**purpose),
        label=label,
    )


def card(of: Member | None = None, made: CardProduct | None = None, **how: Any) -> Card:
    """A card that can be used."""
    found = issued(of, made, **how)
    return life.activate(card=found, by=Actor.of(found.member.user), channel=Channel.WEB)
