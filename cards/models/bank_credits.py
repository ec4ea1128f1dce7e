"""What banks credited to the numbers that we gave out, and what became of it."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cards.models.accounts import VirtualAccount
from cards.models.banks import Bank
from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.core.vault.fields import DigestField, EncryptedField
from paymentsite.ledger.models import Journal
from wallets.models import Wallet

BANK_REFERENCE_MAX = 140


class BankCreditQuerySet(models.QuerySet["BankCredit"]):
    def aside(self) -> "BankCreditQuerySet":
        """Those of which something is set aside, and nobody has decided."""
        return self.filter(outcome=BankCredit.Outcome.SUSPENDED)


@immutable(
    except_columns=[
        "outcome",
        "settled_journal_id",
        "settled_at",
        "assigned_to_id",
        "counted_for_id",
        "number",
        "number_digest",
        "payer_name",
        "payer_account",
        "note",
    ]
)
class BankCredit(models.Model):
    """Money that a bank says came in: what of it is on a wallet, and what is set aside until two people decide."""

    class Outcome(models.TextChoices):
        CREDITED = "credited", _("on the wallet")
        SUSPENDED = "suspended", _("set aside")
        ASSIGNED = "assigned", _("assigned")
        RETURNED = "returned", _("returned")

    class Why(models.TextChoices):
        """Why something is set aside."""

        NONE = "", _("nothing is")
        UNKNOWN = "unknown", _("no account of this bank has that number")
        CLOSED = "closed", _("the account is closed")
        SUSPENDED = "suspended", _("the account is suspended")
        CURRENCY = "currency", _("the account is in another currency")
        EXPIRED = "expired", _("it came after the last day")
        OVER = "over", _("it is more than was expected")
        WALLET = "wallet", _("the wallet takes nothing")
        ROOM = "room", _("the member may not hold so much")

    public_id = models.UUIDField(unique=True, editable=False)
    bank = models.ForeignKey(Bank, models.PROTECT, related_name="credits", verbose_name=_("bank"))
    reference = models.CharField(_("the bank's reference"), max_length=BANK_REFERENCE_MAX)
    number = EncryptedField("bank_credit.number", bound_to=("public_id",))
    number_digest = DigestField("bank_credit.number", of="number", db_index=True)
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    value_date = models.DateField(_("value date"))
    payer_name = EncryptedField("bank_credit.payer_name", bound_to=("public_id",), null=True)
    payer_account = EncryptedField("bank_credit.payer_account", bound_to=("public_id",), null=True)
    note = EncryptedField("bank_credit.note", bound_to=("public_id",), null=True)
    account = models.ForeignKey(
        VirtualAccount, models.PROTECT, null=True, blank=True, related_name="credits", verbose_name=_("account")
    )
    member = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="bank_credits")
    booked_minor = models.BigIntegerField(_("on the wallet"))
    aside_minor = models.BigIntegerField(_("set aside"))
    why = models.CharField(_("why it is set aside"), max_length=9, choices=Why, blank=True)
    outcome = models.CharField(_("what became of it"), max_length=9, choices=Outcome)
    journal = models.OneToOneField(Journal, models.PROTECT, related_name="+")
    received_at = models.DateTimeField(_("told"))
    assigned_to = models.ForeignKey(
        Wallet, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("assigned to")
    )
    counted_for = models.ForeignKey(
        VirtualAccount, models.PROTECT, null=True, blank=True, related_name="assigned", verbose_name=_("counted for")
    )
    settled_journal = models.OneToOneField(
        Journal, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("journal of the decision")
    )
    settled_at = models.DateTimeField(_("decided"), null=True, blank=True)

    objects = BankCreditQuerySet.as_manager()

    class Meta:
        verbose_name = _("credit by a bank")
        verbose_name_plural = _("credits by banks")
        permissions = [
            ("propose_credit", _("Can propose what becomes of credits that are set aside")),
            ("decide_credit", _("Can approve what becomes of credits that are set aside")),
        ]
        constraints = [
            models.UniqueConstraint(name="cards_bankcredit_once", fields=["reference", "bank"]),
            models.CheckConstraint(
                name="cards_bankcredit_parts",
                condition=Q(amount_minor__gt=0, booked_minor__gte=0, aside_minor__gte=0)
                & Q(amount_minor=F("booked_minor") + F("aside_minor")),
            ),
            models.CheckConstraint(
                name="cards_bankcredit_aside",
                condition=Q(outcome="credited", aside_minor=0, why="")
                | ~Q(outcome="credited") & Q(aside_minor__gt=0) & ~Q(why=""),
            ),
            models.CheckConstraint(
                name="cards_bankcredit_whose",
                condition=Q(account=None, member=None, booked_minor=0) | Q(account__isnull=False, member__isnull=False),
            ),
            models.CheckConstraint(
                name="cards_bankcredit_settled",
                condition=Q(outcome__in=["credited", "suspended"], settled_journal=None, settled_at=None)
                | Q(outcome__in=["assigned", "returned"], settled_journal__isnull=False, settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="cards_bankcredit_assigned",
                condition=Q(outcome="assigned", assigned_to__isnull=False)
                | ~Q(outcome="assigned") & Q(assigned_to=None, counted_for=None),
            ),
        ]
        indexes = [
            models.Index(name="cards_bankcredit_amount", fields=["amount_minor", "currency"]),
            models.Index(name="cards_bankcredit_open", fields=["value_date"], condition=Q(outcome="suspended")),
        ]

    def __str__(self) -> str:
        return gettext("credit %(reference)s") % {"reference": self.reference}

    @property
    def source(self) -> str:
        """How its journals name it."""
        return f"bank_credit:{self.public_id}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def booked(self) -> Money:
        return Money(self.booked_minor, self.currency)

    @property
    def set_aside(self) -> Money:
        return Money(self.aside_minor, self.currency)
