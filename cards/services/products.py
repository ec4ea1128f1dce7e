"""Ranges of numbers and card products: proposed by one person, approved by another."""

from typing import Final, TypedDict

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cards.models import CardProduct, NumberRange
from members.models import Tier
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.effects import Effect, Line, columns, values
from paymentsite.core.errors import Invalid, complaints
from paymentsite.core.ids import uuid7
from paymentsite.core.services import approvals, audit, trail
from paymentsite.core.units import OWN_UNITS, SCALES

RIGHT: Final = "cards.approve_products"


class Fault(TextChoices):
    """Why a product or a range can never be, where the columns do not say it."""

    CURRENCY = "currency", _("it is in no currency of ISO 4217")
    INSIDE = "inside", _("its numbers would be in another range, too")
    FULL = "full", _("it leaves no digits for numbers")


class InvalidProduct(Invalid, why=Fault):
    code = "invalid_card_product"
    sentence = gettext_noop("The card product cannot be: {why}.")


class Terms(TypedDict, total=False):
    """What a product is. ``tier`` is the lowest whose members may have it."""

    code: str
    name_en: str
    name_zh: str
    kind: str
    currency: str
    numbers: NumberRange
    validity: int
    validity_unit: str
    code_kind: str
    held_max: int
    tier: Tier | None
    issue_fee_minor: int
    monthly_fee_minor: int
    fx_margin_bp: int
    cash_fee_minor: int
    cash_fee_bp: int
    design: str


@approvals.required(
    "cards.add_range",
    right=RIGHT,
    concerns=approvals.NOBODY,
    title=_("Add a range of card numbers"),
    lines={"numbers": Line(_("numbers")), "capacity": Line(_("how many"))},
)
def add_range(*, prefix: str, length: int, by: Actor, reason: str) -> Effect:
    """Cards may have numbers that begin with ``prefix``."""
    made = put_range(prefix=prefix, length=length, by=by, reason=reason)
    audit.record(by=by, act="card.range_added", subject=made, after={"prefix": prefix, "length": length}, reason=reason)
    return {"numbers": str(made), "capacity": made.capacity}


@act
def put_range(*, prefix: str, length: int, by: Actor, reason: str) -> NumberRange:
    """Write the range down, if it can be one."""
    made = NumberRange(prefix=prefix, length=length)
    _clean(made)
    if length - len(prefix) < 2:  # noqa: PLR2004  a digit by chance, and the one that follows from the others
        raise InvalidProduct(why=Fault.FULL)
    others = NumberRange.objects.select_for_update()
    if any(each.prefix.startswith(prefix) or prefix.startswith(each.prefix) for each in others):
        raise InvalidProduct(why=Fault.INSIDE)
    made.save(force_insert=True)
    trail.tell(made, by=by, reason=reason)
    return made


@approvals.required(
    "cards.add_product",
    right=RIGHT,
    concerns=approvals.NOBODY,
    title=_("Add a card product"),
    lines=columns(CardProduct, Terms.__annotations__),
)
def add(*, terms: Terms, by: Actor, reason: str) -> Effect:
    """Members may have such cards. Its terms stay: for others there is another product."""
    product = put(terms, by=by, reason=reason)
    effect = values(product, terms)
    audit.record(by=by, act="card.product_added", subject=product, after=effect, reason=reason)
    return effect


@act
def put(terms: Terms, *, by: Actor, reason: str) -> CardProduct:
    """Write the product down, if it can be one."""
    product = CardProduct(public_id=uuid7(clock.now()), **terms)
    if product.currency not in SCALES or product.currency in OWN_UNITS:
        raise InvalidProduct(why=Fault.CURRENCY)
    _clean(product)
    product.save(force_insert=True)
    trail.tell(product, by=by, reason=reason)
    return product


@act
def close(*, product: CardProduct, by: Actor, reason: str) -> CardProduct:
    """Nobody gets a new one; the cards that are there stay. Repeated, it changes nothing."""
    if CardProduct.objects.filter(pk=product.pk, state=CardProduct.State.OPEN).update(state=CardProduct.State.CLOSED):
        trail.tell(product, by=by, reason=reason)
        audit.record(by=by, act="card.product_closed", subject=product, reason=reason)
    product.refresh_from_db()
    return product


def _clean(row: NumberRange | CardProduct) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        raise InvalidProduct(why=complaints(error, row)) from error
