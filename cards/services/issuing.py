"""Issuing cards, and putting another one in the place of one."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cards.models import Card, CardProduct
from cards.models.cards import LABEL_MAX
from cards.months import last_of_month, months_after
from cards.services import codes, controls, life, loading, monthly_fees, numbers
from members.models import Member
from members.services import members, notices, tiers
from paymentsite.core import clock
from paymentsite.core.actors import STAFF, Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.disclosure import clear
from paymentsite.core.errors import Conflict, Invalid, Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account
from wallets.models import Instrument, Wallet
from wallets.services import fees, instruments, wallets
from wallets.services.wording import checked_reference, differing

Use = Card.Use
State = Card.State
Channel = life.Channel

SCOPE: Final = "cards.issue"
TIMES_MAX: Final = 1_000
MCC_DIGITS: Final = 4
COUNTED: Final = {Use.SINGLE, Use.TIMES}

ISSUED = notices.kind("card_issued", gettext_noop("You have a new card ending in {last_four}."))


class Part(TextChoices):
    PRODUCT = "product", _("product")
    USE = "use", _("use")
    TIMES = "uses_max", _("number of times")
    CATEGORY = "category", _("kind of merchants")
    EVERY = "every", _("how often it is paid")


class Why(TextChoices):
    """Why a card is replaced."""

    LOST = "lost", _("it was lost")
    STOLEN = "stolen", _("it was stolen")
    DAMAGED = "damaged", _("it is damaged")
    EXPIRING = "expiring", _("it expires soon")


class ProductNotOffered(Refused):
    code = "card_product_not_offered"
    sentence = gettext_noop("This card is not to be had.")


class TooManyCards(Refused):
    code = "too_many_cards"
    sentence = gettext_noop("You have {most} of these cards already; close one before you take another.")


class BlockedByUs(Refused):
    code = "card_blocked_not_replaced"
    sentence = gettext_noop("We blocked this card, so we alone put another one in its place. Ask us why.")


class UseMalformed(Invalid):
    code = "card_use_malformed"
    sentence = gettext_noop(
        "A card for so many times needs a number from 1 to {most}, one for a kind of merchants their code of four"
        " digits, and only one for a subscription is paid every so often."
    )


class LabelTooLong(Invalid):
    code = "card_label_too_long"
    sentence = gettext_noop("A label has at most {most} characters.")


class ReferenceTaken(Conflict, fields=Part):
    code = "card_reference_taken"
    sentence = gettext_noop("Reference {reference} was used before, for another card. What differs: {fields}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a card is for: so many times, one kind of merchants, a subscription that is paid every so often."""

    use: Card.Use = Use.MULTI
    times: int | None = None
    category: str = ""
    every: Card.Every | None = None

    def columns(self) -> dict[str, Any]:
        """As a card keeps it; raises ``UseMalformed``."""
        times = 1 if self.use == Use.SINGLE and self.times is None else self.times
        counted = 1 <= times <= TIMES_MAX if times is not None else False
        coded = len(self.category) == MCC_DIGITS and self.category.isascii() and self.category.isdecimal()
        if counted != (self.use in COUNTED) or coded != (self.use == Use.CATEGORY):
            raise UseMalformed(most=TIMES_MAX)
        if (times is not None and not counted) or (self.use == Use.SINGLE and times != 1):
            raise UseMalformed(most=TIMES_MAX)
        if (self.category and not coded) or (self.every and self.use != Use.SUBSCRIPTION):
            raise UseMalformed(most=TIMES_MAX)
        usual = Card.Every.MONTH if self.use == Use.SUBSCRIPTION else ""
        return {"use": self.use, "uses_max": times, "category": self.category, "every": self.every or usual}


ANYTHING: Final = Purpose()


@act
def issue(
    *,
    member: Member,
    product: CardProduct,
    reference: str,
    by: Actor,
    channel: Channel,
    purpose: Purpose = ANYTHING,
    label: str = "",
) -> Card:
    """The member has a new card of ``product``, not active yet; its price is taken from their wallet.

    Repeating a reference returns the first card; for another card it is a conflict that names the fields.
    """
    reference, label = checked_reference(reference), checked_label(label)
    terms = purpose.columns()
    member = Member.objects.lock(member.pk)
    if first := Card.objects.of(member).filter(reference=reference).first():
        if fields := differing(first, {"product_id": product.pk, **terms}):
            raise ReferenceTaken(reference=reference, fields=fields)
        return first
    members.check_active(member)
    _check_offered(member, product)
    wallet = wallets.open(member=member, currency=product.currency, by=by)
    wallets.check_open(wallet)
    card = _made(
        member,
        product,
        wallet,
        loading.new_account(member, product, wallet, by=by),
        by=by,
        reference=reference,
        uses_left=terms["uses_max"],
        label=label,
        next_fee_on=monthly_fees.first_on(product, clock.today()),
        **terms,
    )
    if product.issue_fee.minor:
        ledger.post(
            ledger.Move(product.issue_fee, wallet.account, ledger.house(fees.HOUSE, product.currency)),
            kind="fee",
            scope=SCOPE,
            reference=card.public_id.hex,
            source=card.source,
            by=by,
        )
    _written(card, by=by, channel=channel)
    return card


@act
def replace(*, card: Card, why: Why, reference: str, by: Actor, channel: Channel) -> Card:
    """Another card stands in the place of ``card``, with what is on it and all that it may and may not.

    The old one is over at once. What was lost or stolen has a successor that must be activated anew, like every card.
    One that we blocked is replaced by staff alone, and by none of them their own: its member would be rid of the block.
    """
    reference = checked_reference(reference)
    member = Member.objects.lock(card.member_id)
    old = Card.objects.select_related("product__numbers", "wallet", "account", "member").get(pk=card.pk)
    if first := Card.objects.of(member).filter(reference=reference).first():
        if first.replaces_id != old.pk:
            raise ReferenceTaken(reference=reference, fields=[Part.PRODUCT])
        return first
    members.check_active(member)
    if old.ended:
        raise life.CardEnded(state=old.state)
    if old.state == State.BLOCKED:
        if by.kind != STAFF:
            raise BlockedByUs
        check_not_own(by, member.pk)
    life.change(old, State.CLOSED, by=by, channel=channel, reason=str(why))
    new = _made(
        member,
        old.product,
        old.wallet,
        old.account,
        by=by,
        reference=reference,
        use=Use(old.use),
        uses_max=old.uses_max,
        uses_left=old.uses_left,
        category=old.category,
        merchant=old.merchant,
        every=old.every,
        fixed_minor=old.fixed_minor,
        fixed_currency=old.fixed_currency,
        label=old.label,
        replaces=old,
        next_fee_on=old.next_fee_on,
    )
    _written(new, by=by, channel=channel, reason=str(why))
    controls.carry_over(old, new, by=by, channel=channel)
    return new


def last_day(product: CardProduct, today: date) -> date:
    """The last day of a card of ``product`` that is issued ``today``: counted in months or years, a month's last."""
    if product.validity_unit == CardProduct.Unit.DAYS:
        return today + timedelta(days=product.validity)
    months = product.validity * (12 if product.validity_unit == CardProduct.Unit.YEARS else 1)
    return last_of_month(months_after(today, months))


def _made(member: Member, product: CardProduct, wallet: Wallet, account: Account, *, by: Actor, **more: Any) -> Card:
    now = clock.now()
    number: Secret = numbers.draw(product.numbers)
    digits = number.reveal()
    return Card.objects.create(
        public_id=uuid7(now),
        member=member,
        product=product,
        wallet=wallet,
        account=account,
        number=number,
        prefix=product.numbers.prefix,
        last_four=digits[-4:],
        code_key=codes.current_key(by=by),
        expires_on=last_day(product, clock.day_of(now)),
        issued_at=now,
        **more,
    )


def _written(card: Card, *, by: Actor, channel: Channel, reason: str = "") -> None:
    life.write(card, before="", by=by, channel=channel, reason=reason)
    after = {"product": card.product.code, "last_four": card.last_four, "use": card.use}
    audit.record(by=by, act="card.issued", subject=card, after=after, reason=reason)
    instruments.created(card.member, Instrument.Kind.OWN_CARD, by=by, label=card.label, source=card.source)
    notices.tell(member=card.member, kind=ISSUED, subject=card.source, last_four=card.last_four)


def _check_offered(member: Member, product: CardProduct) -> None:
    tier = tiers.of(member, clock.now())
    if not CardProduct.objects.offered_to(tier).filter(pk=product.pk).exists():
        raise ProductNotOffered
    if Card.objects.of(member).living().filter(product=product).count() >= product.held_max:
        raise TooManyCards(most=product.held_max)


def checked_label(label: str) -> str:
    text = " ".join(label.split())
    if len(text) > LABEL_MAX or not text.isprintable():
        raise LabelTooLong(most=LABEL_MAX)
    return clear(text)
