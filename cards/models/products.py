"""What cards there are to be had: ranges of numbers, the keys of their codes, and products."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models import Tier
from paymentsite.core import terms
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.core.vault.fields import EncryptedField

PREFIX_MAX = 11
LENGTHS = (13, 19)


@terms.decided(except_columns=["issued"])
@immutable(except_columns=["issued"])
class NumberRange(models.Model):
    """Numbers that begin with ``prefix`` and have ``length`` digits: ours to give to cards, each once."""

    prefix = models.CharField(_("beginning of its numbers"), max_length=PREFIX_MAX, unique=True)
    length = models.PositiveSmallIntegerField(_("digits of a number"), default=16)
    issued = models.BigIntegerField(_("numbers given"), default=0)

    class Meta:
        verbose_name = _("range of card numbers")
        verbose_name_plural = _("ranges of card numbers")
        constraints = [
            models.CheckConstraint(name="cards_numberrange_prefix", condition=Q(prefix__regex=r"^[1-9][0-9]{5,10}$")),
            models.CheckConstraint(name="cards_numberrange_length", condition=Q(length__range=LENGTHS)),
            models.CheckConstraint(name="cards_numberrange_issued", condition=Q(issued__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}{'·' * (self.length - len(self.prefix))}"

    @property
    def capacity(self) -> int:
        """How many numbers there are: the last digit follows from the others."""
        free = int(self.length - len(self.prefix) - 1)
        return int(10**free)


@immutable(except_columns=["material"])
class CodeKey(models.Model):
    """What the codes of cards are made with. A card keeps the one that it began with, for its code must not change."""

    public_id = models.UUIDField(unique=True, editable=False)
    material = EncryptedField("card.code_key", bound_to=("public_id",))
    made_at = models.DateTimeField(_("made"))

    class Meta:
        verbose_name = _("key of card codes")
        verbose_name_plural = _("keys of card codes")
        permissions = [("renew_code_key", _("Can make a new key of card codes"))]

    def __str__(self) -> str:
        return f"key of {self.made_at:%Y-%m-%d}"


class CardProductQuerySet(models.QuerySet["CardProduct"]):
    def offered_to(self, tier: Tier) -> Self:
        """What a member of that tier may have now."""
        return self.filter(Q(tier=None) | Q(tier__rank__lte=tier.rank), state=CardProduct.State.OPEN)


@terms.decided()
@immutable(except_columns=["state"])
class CardProduct(models.Model):
    """A kind of card that members may have."""

    class Kind(models.TextChoices):
        DEBIT = "debit", _("debit: spends what is in a wallet")
        PREPAID = "prepaid", _("prepaid: spends what was loaded onto it")

    class Unit(models.TextChoices):
        DAYS = "days", _("days")
        MONTHS = "months", _("months")
        YEARS = "years", _("years")

    class Code(models.TextChoices):
        PRINTED = "printed", _("the same as long as the card lives")
        HOURLY = "hourly", _("another one each hour")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed: nobody gets a new one")

    public_id = models.UUIDField(unique=True, editable=False)
    code = models.SlugField(_("code"), max_length=40, unique=True)
    name_en = models.CharField(_("name in English"), max_length=60)
    name_zh = models.CharField(_("name in Chinese"), max_length=60, blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    currency = models.CharField(_("currency"), max_length=3)
    numbers = models.ForeignKey(NumberRange, models.PROTECT, related_name="products", verbose_name=_("numbers"))
    validity = models.PositiveSmallIntegerField(_("lasts"))
    validity_unit = models.CharField(_("counted in"), max_length=6, choices=Unit)
    code_kind = models.CharField(_("security code"), max_length=8, choices=Code, default=Code.PRINTED)
    held_max = models.PositiveSmallIntegerField(_("how many a member may have at once"), default=1)
    tier = models.ForeignKey(
        Tier, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("from this tier on")
    )
    issue_fee_minor = models.BigIntegerField(_("price"), default=0)
    monthly_fee_minor = models.BigIntegerField(_("fee a month"), default=0)
    fx_margin_bp = models.PositiveIntegerField(_("exchange margin"), default=0)
    cash_fee_minor = models.BigIntegerField(_("fee for cash"), default=0)
    cash_fee_bp = models.PositiveIntegerField(_("fee for cash, as a share"), default=0)
    design = models.CharField(_("design"), max_length=20, default="plain")
    state = models.CharField(_("state"), max_length=6, choices=State, default=State.OPEN)

    objects = CardProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("card product")
        verbose_name_plural = _("card products")
        permissions = [
            ("propose_products", _("Can propose card products")),
            ("approve_products", _("Can approve card products that others propose")),
        ]
        constraints = [
            models.CheckConstraint(name="cards_product_validity", condition=Q(validity__gte=1, validity__lte=3_660)),
            models.CheckConstraint(name="cards_product_held", condition=Q(held_max__gte=1)),
            models.CheckConstraint(
                name="cards_product_fees",
                condition=Q(issue_fee_minor__gte=0, monthly_fee_minor__gte=0, cash_fee_minor__gte=0)
                & Q(fx_margin_bp__lte=10_000, cash_fee_bp__lte=10_000),
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def issue_fee(self) -> Money:
        return Money(self.issue_fee_minor, self.currency)

    @property
    def monthly_fee(self) -> Money:
        return Money(self.monthly_fee_minor, self.currency)

    @property
    def cash_fee(self) -> Money:
        return Money(self.cash_fee_minor, self.currency)
