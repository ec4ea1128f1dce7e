"""Instruments: what a member can pay with, top up from and withdraw to."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.vault.fields import DigestField, EncryptedField
from wallets.models.wallets import Wallet


class InstrumentQuerySet(models.QuerySet["Instrument"]):
    def of(self, member: Member) -> Self:
        return self.filter(member=member)

    def active(self) -> Self:
        return self.filter(state=Instrument.State.ACTIVE)

    def with_details(self) -> Self:
        """Together with what there is to show of each: one query for a list of all kinds."""
        return self.select_related("wallet", "card", "bank_account")


class Instrument(models.Model):
    """One way of a member's to pay or be paid: a wallet, a card of ours, or an outside card or account they saved.

    Removed ones stay, so that what was paid with them can be told. ``source`` names the row of a higher app.
    """

    class Kind(models.TextChoices):
        WALLET = "wallet", _("wallet")
        OWN_CARD = "own_card", _("our card")
        CARD = "card", _("outside card")
        BANK_ACCOUNT = "bank_account", _("bank account")

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        REMOVED = "removed", _("removed")

    public_id = models.UUIDField(unique=True, editable=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="instruments")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    label = models.CharField(_("label"), max_length=60, blank=True)
    default = models.BooleanField(_("default of its kind"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    wallet = models.OneToOneField(Wallet, models.PROTECT, null=True, related_name="instrument")
    source = models.CharField(_("stands for"), max_length=80, blank=True)
    added_at = models.DateTimeField(_("added"))
    removed_at = models.DateTimeField(_("removed"), null=True)

    objects = InstrumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("instrument")
        verbose_name_plural = _("instruments")
        permissions = [("verify_account", _("Can say whether a bank account is its member's"))]
        constraints = [
            models.UniqueConstraint(
                name="wallets_instrument_one_default", fields=["member", "kind"], condition=Q(default=True)
            ),
            models.UniqueConstraint(name="wallets_instrument_source", fields=["source"], condition=~Q(source="")),
            models.CheckConstraint(
                name="wallets_instrument_default_is_active", condition=Q(default=False) | Q(state="active")
            ),
            models.CheckConstraint(
                name="wallets_instrument_removed_since",
                condition=Q(state="active", removed_at=None) | Q(state="removed", removed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="wallets_instrument_is_its_kind",
                condition=(
                    Q(kind="wallet", wallet__isnull=False, source="")
                    | (Q(kind="own_card", wallet=None) & ~Q(source=""))
                    | Q(kind__in=["card", "bank_account"], wallet=None, source="")
                ),
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(kind)s of %(member)s") % {"kind": self.get_kind_display(), "member": self.member}

    @property
    def owned(self) -> bool:
        """Whether it is ours: value moves to and from it in our own books."""
        return self.kind in {Instrument.Kind.WALLET, Instrument.Kind.OWN_CARD}

    @property
    def verified(self) -> bool:
        """Whether it is known to be its member's, so that money may be sent there."""
        if self.kind == Instrument.Kind.BANK_ACCOUNT:
            return self.bank_account.verified_at is not None
        return self.owned

    @property
    def shown(self) -> str:
        """What its member knows it by; of a number the last four digits alone."""
        if self.kind in {Instrument.Kind.CARD, Instrument.Kind.BANK_ACCOUNT}:
            return f"{self.label} ({self.unlabelled})" if self.label else self.unlabelled
        return self.label or self.unlabelled

    @property
    def unlabelled(self) -> str:
        """The same without the member's own words, for what nobody can erase."""
        match self.kind:
            case Instrument.Kind.WALLET:
                return self.wallet.currency if self.wallet else ""
            case Instrument.Kind.CARD:
                return f"{self.card.get_brand_display() or _('Card')} ···· {self.card.last_four}"
            case Instrument.Kind.BANK_ACCOUNT:
                return f"{self.bank_account.country} ···· {self.bank_account.last_four}"
        return str(self.get_kind_display())


class OutsideCard(models.Model):
    """A card that somebody else issued. Its number and holder are gone once it is removed; no code is ever here."""

    class Brand(models.TextChoices):
        VISA = "visa", "Visa"
        MASTERCARD = "mastercard", "Mastercard"
        UNIONPAY = "unionpay", "UnionPay"
        AMEX = "amex", "American Express"
        JCB = "jcb", "JCB"
        DISCOVER = "discover", "Discover"
        DINERS = "diners", "Diners Club"
        OTHER = "", _("other")

    instrument = models.OneToOneField(Instrument, models.PROTECT, primary_key=True, related_name="card")
    public_id = models.UUIDField(unique=True, editable=False, help_text=_("its instrument's"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="+")
    number = EncryptedField("outside_card.number", bound_to=("public_id",), null=True)
    number_digest = DigestField("outside_card.number", of="number", null=True)
    holder = EncryptedField("outside_card.holder", bound_to=("public_id",), null=True)
    last_four = models.CharField(_("last four"), max_length=4)
    brand = models.CharField(_("brand"), max_length=12, choices=Brand, blank=True)
    expires_on = models.DateField(_("last day"))

    class Meta:
        verbose_name = _("outside card")
        verbose_name_plural = _("outside cards")
        constraints = [
            models.UniqueConstraint(name="wallets_outsidecard_once", fields=["member", "number_digest"]),
        ]
        indexes = [
            models.Index(name="wallets_outsidecard_expiry", fields=["expires_on"]),
        ]

    def __str__(self) -> str:
        return f"{self.brand or 'card'} ···· {self.last_four}"

    def expired(self, today: date) -> bool:
        return self.expires_on < today


@immutable(except_columns=["number", "number_digest", "holder", "bic", "verified_at", "verified_by"])
class BankAccount(models.Model):
    """An account at a bank, by its IBAN or its country's own number. Withdrawals go to it once it is verified."""

    class Scheme(models.TextChoices):
        IBAN = "iban", "IBAN"
        DOMESTIC = "domestic", _("number and bank code")

    class Means(models.TextChoices):
        NONE = "", _("not yet")
        DEPOSITS = "deposits", _("small deposits")
        NAME = "name", _("name match")
        STAFF = "staff", _("staff")

    instrument = models.OneToOneField(Instrument, models.PROTECT, primary_key=True, related_name="bank_account")
    public_id = models.UUIDField(unique=True, editable=False, help_text=_("its instrument's"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="+")
    scheme = models.CharField(_("scheme"), max_length=8, choices=Scheme)
    country = models.CharField(_("country"), max_length=2)
    currency = models.CharField(_("currency"), max_length=3)
    number = EncryptedField("bank_account.number", bound_to=("public_id",), null=True)
    number_digest = DigestField("bank_account.number", of="number", null=True)
    holder = EncryptedField("bank_account.holder", bound_to=("public_id",), null=True)
    last_four = models.CharField(_("last four"), max_length=4)
    bic = models.CharField("BIC", max_length=11, blank=True)
    verified_at = models.DateTimeField(_("verified"), null=True)
    verified_by = models.CharField(_("verified by"), max_length=8, choices=Means, blank=True)

    class Meta:
        verbose_name = _("bank account")
        verbose_name_plural = _("bank accounts")
        constraints = [
            models.UniqueConstraint(name="wallets_bankaccount_once", fields=["member", "currency", "number_digest"]),
            models.CheckConstraint(
                name="wallets_bankaccount_verified_somehow",
                condition=Q(verified_at=None, verified_by="") | (Q(verified_at__isnull=False) & ~Q(verified_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} ···· {self.last_four}"


class AccountProof(models.Model):
    """An attempt to show that a bank account is its member's: by naming two small deposits, or by the holder's name."""

    class Means(models.TextChoices):
        DEPOSITS = "deposits", _("small deposits")
        NAME = "name", _("name match")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DOUBTFUL = "doubtful", _("doubtful")
        PASSED = "passed", _("passed")
        FAILED = "failed", _("failed")

    public_id = models.UUIDField(unique=True, editable=False)
    account = models.ForeignKey(BankAccount, models.PROTECT, related_name="proofs")
    means = models.CharField(_("means"), max_length=8, choices=Means)
    state = models.CharField(_("state"), max_length=8, choices=State)
    first_minor = models.PositiveSmallIntegerField(null=True)
    second_minor = models.PositiveSmallIntegerField(null=True)
    tries_left = models.PositiveSmallIntegerField(_("tries left"), default=0)
    likeness = models.PositiveSmallIntegerField(_("likeness in percent"), null=True)
    started_at = models.DateTimeField(_("started"))
    expires_at = models.DateTimeField(_("expires"), null=True)
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("proof of an account")
        verbose_name_plural = _("proofs of accounts")
        constraints = [
            models.UniqueConstraint(
                name="wallets_accountproof_one_open",
                fields=["account"],
                condition=Q(state__in=["waiting", "doubtful"]),
            ),
            models.CheckConstraint(name="wallets_accountproof_tries", condition=Q(tries_left__lte=3)),
            models.CheckConstraint(
                name="wallets_accountproof_means",
                condition=(
                    Q(means="name", first_minor=None, second_minor=None, likeness__lte=100)
                    | Q(
                        means="deposits",
                        likeness=None,
                        first_minor__range=(1, 99),
                        second_minor__range=(1, 99),
                        expires_at__isnull=False,
                    )
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_means_display()}, bank account {self.account_id}"
