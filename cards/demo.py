"""Cards to look at: a debit card that was used, a prepaid one with something on it, one frozen, and one replaced."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from cards import sample_accounts, sample_uses
from cards.models import Card, CardProduct, NumberRange
from cards.services import issuing, life, loading, products, reveals
from cards.services.issuing import Purpose, Why
from cards.services.life import Channel
from members import demo
from members.models import Member, User
from members.services import members
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money

# Numbers that begin so are nobody's: networks give them out for tests.
PREFIX: Final = "40000012"
_HOW: Final[dict[str, Any]] = {"by": SYSTEM, "reason": "sample data"}
PRODUCTS: Final[tuple[dict[str, Any], ...]] = (
    {
        "code": "everyday",
        "name_en": "Everyday",
        "name_zh": "日常卡",
        "kind": "debit",
        "held_max": 3,
        "design": "ink",
        "fx_margin_bp": 100,
    },
    {"code": "prepaid", "name_en": "Prepaid", "name_zh": "预付卡", "kind": "prepaid", "held_max": 5, "design": "jade"},
)


def fill() -> Iterator[str]:
    """Products, cards of the sample member's, their uses, and account numbers exist; run again, nothing is added."""
    first = NumberRange.objects.filter(prefix=PREFIX).first()
    numbers = first or products.put_range(prefix=PREFIX, length=16, **_HOW)
    made = {terms["code"]: _product(terms, numbers) for terms in PRODUCTS}
    member = members.join(user=User.objects.get(email=demo.MEMBER[0]))
    yield from sample_accounts.fill(member)
    if not Card.objects.of(member).exists():
        yield from _cards(member, made)
    yield from sample_uses.fill(member)


def _product(terms: dict[str, Any], numbers: NumberRange) -> CardProduct:
    first = CardProduct.objects.filter(code=terms["code"]).first()
    lasts = {"validity": 30, "validity_unit": CardProduct.Unit.DAYS}
    return first or products.put(
        {**terms, **lasts, "currency": "CNY", "numbers": numbers},  # type: ignore[typeddict-item]
        **_HOW,
    )


def _cards(member: Member, made: dict[str, CardProduct]) -> Iterator[str]:
    by = Actor.of(member.user)

    def issued(code: str, reference: str, **how: Any) -> Card:
        card = issuing.issue(member=member, product=made[code], reference=reference, by=by, channel=Channel.WEB, **how)
        return life.activate(card=card, by=by, channel=Channel.WEB)

    everyday = issued("everyday", "demo everyday", label="Everyday")
    leave = reveals.permit(card=everyday, by=by, channel=Channel.WEB, signed_in=timedelta(0))
    reveals.show(token=leave.token, by=by)
    trips = issued("prepaid", "demo trips", label="Trips")
    loading.load(card=trips, amount=Money(50_00, "CNY"), reference="demo load", by=by)
    once = issued("prepaid", "demo once", purpose=Purpose(use=Card.Use.SINGLE), label="Once")
    life.freeze(card=once, by=by, channel=Channel.WEB)
    lost = issued("prepaid", "demo lost")
    issuing.replace(card=lost, why=Why.LOST, reference="demo found", by=by, channel=Channel.WEB)
    yield "  cards     one debit, three prepaid, of the sample member"
