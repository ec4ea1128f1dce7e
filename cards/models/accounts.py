"""Virtual accounts: numbers that we gave out, so that what a bank credits to them lands in a wallet."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cards.models.banks import NUMBER_MAX, AccountRange
from cards.models.cards import LABEL_MAX, CardEvent
from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.core.vault.fields import EncryptedField
from wallets.models import Instrument, Wallet
from wallets.models.transfers import REFERENCE_MAX


class VirtualAccountQuerySet(models.QuerySet["VirtualAccount"]):
    def of(self, member: Member) -> Self:
        return self.filter(member=member)

    def living(self) -> Self:
        """Not closed; a suspended one is still there."""
        return self.exclude(state=VirtualAccount.State.CLOSED)

    def waiting(self) -> Self:
        """Those that more is to come to: permanent ones, and purposes that are not served."""
        return self.living().filter(purpose__in=["", *VirtualAccount.UNSERVED])

    def due(self, today: date) -> Self:
        """Purposes that are not served, and whose last day is over."""
        return self.filter(purpose__in=VirtualAccount.UNSERVED, expires_on__lt=today)


@immutable(except_columns=["state", "purpose", "paid_minor", "linked_id", "label", "payer", "closed_at"])
class VirtualAccount(models.Model):
    """A number that leads into one wallet: for good, or for one purpose. It is never given to another account."""

    class Kind(models.TextChoices):
        PERMANENT = "permanent", _("for good")
        PURPOSE = "purpose", _("for one purpose")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        SUSPENDED = "suspended", _("suspended by us")
        CLOSED = "closed", _("closed")

    class Purpose(models.TextChoices):
        """How the purpose of an account is served; a permanent one has none."""

        NONE = "", _("none")
        OPEN = "open", _("nothing came yet")
        PART_PAID = "part_paid", _("a part came")
        PAID = "paid", _("all came")
        OVERPAID = "overpaid", _("more came")
        EXPIRED = "expired", _("not all came in time")

    class Over(models.TextChoices):
        """What becomes of more than is expected."""

        KEEP = "keep", _("put on the wallet")
        ASIDE = "aside", _("set aside for us to look at")

    UNSERVED = (Purpose.OPEN, Purpose.PART_PAID)

    public_id = models.UUIDField(unique=True, editable=False)
    number = models.CharField(_("number"), max_length=NUMBER_MAX)
    numbers = models.ForeignKey(AccountRange, models.PROTECT, related_name="accounts", verbose_name=_("range"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="virtual_accounts")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="virtual_accounts", verbose_name=_("wallet"))
    currency = models.CharField(_("currency"), max_length=3)
    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    expected_minor = models.BigIntegerField(_("expected"), null=True, blank=True)
    paid_minor = models.BigIntegerField(_("came"), default=0)
    payer = EncryptedField("virtual_account.payer", bound_to=("public_id",), null=True)
    expires_on = models.DateField(_("last day"), null=True, blank=True)
    over = models.CharField(_("more than is expected is"), max_length=5, choices=Over, default=Over.KEEP)
    purpose = models.CharField(_("purpose"), max_length=9, choices=Purpose, blank=True)
    linked = models.ForeignKey(
        Instrument, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("linked bank account")
    )
    label = models.CharField(_("label"), max_length=LABEL_MAX, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.OPEN)
    reference = models.CharField(_("reference"), max_length=REFERENCE_MAX)
    opened_at = models.DateTimeField(_("opened"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    objects = VirtualAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("virtual account")
        verbose_name_plural = _("virtual accounts")
        permissions = [
            ("suspend_account", _("Can suspend virtual accounts and reopen them")),
            ("close_account", _("Can close virtual accounts")),
        ]
        constraints = [
            models.UniqueConstraint(name="cards_account_number_once", fields=["number"]),
            models.UniqueConstraint(name="cards_account_once", fields=["member", "reference"]),
            models.UniqueConstraint(
                name="cards_account_one_permanent",
                fields=["wallet", "numbers"],
                condition=Q(kind="permanent") & ~Q(state="closed"),
            ),
            models.CheckConstraint(
                name="cards_account_closed",
                condition=Q(state="closed", closed_at__isnull=False) | ~Q(state="closed") & Q(closed_at=None),
            ),
            models.CheckConstraint(
                name="cards_account_purpose",
                condition=Q(kind="permanent", purpose="", expected_minor=None, expires_on=None, paid_minor=0)
                | Q(kind="purpose", expected_minor__gt=0, paid_minor__gte=0) & ~Q(purpose=""),
            ),
        ]
        indexes = [
            models.Index(
                name="cards_account_expiry", fields=["expires_on"], condition=Q(purpose__in=["open", "part_paid"])
            ),
        ]

    def __str__(self) -> str:
        return gettext("account ending in %(last_four)s") % {"last_four": self.last_four}

    @property
    def source(self) -> str:
        """How notices name it."""
        return f"virtual_account:{self.public_id}"

    @property
    def last_four(self) -> str:
        return str(self.number)[-4:]

    @property
    def expected(self) -> Money | None:
        return None if self.expected_minor is None else Money(self.expected_minor, self.currency)

    @property
    def paid(self) -> Money:
        return Money(self.paid_minor, self.currency)

    def late(self, day: date) -> bool:
        """Whether what comes on ``day`` comes too late."""
        return self.expires_on is not None and day > self.expires_on


@immutable
class VirtualAccountEvent(models.Model):
    """Something that happened to a virtual account: who, when, by which way, why."""

    account = models.ForeignKey(VirtualAccount, models.PROTECT, related_name="events", verbose_name=_("account"))
    before = models.CharField(_("before"), max_length=9, choices=VirtualAccount.State, blank=True)
    after = models.CharField(_("after"), max_length=9, choices=VirtualAccount.State)
    purpose = models.CharField(_("purpose"), max_length=9, choices=VirtualAccount.Purpose, blank=True)
    channel = models.CharField(_("by way of"), max_length=5, choices=CardEvent.Channel)
    actor = models.CharField(_("by"), max_length=80)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("event of a virtual account")
        verbose_name_plural = _("events of virtual accounts")

    def __str__(self) -> str:
        return f"account {self.account_id}: {self.before or 'new'} → {self.after} {self.purpose}".strip()
