"""Orders to gateways: top-ups, withdrawals and small deposits."""

from datetime import datetime
from typing import Any, ClassVar, Final, Self, TypeVar

from django.db import models
from django.db.models import Case, F, Q, Sum, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from members.models import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.money import Money
from paymentsite.core.vault.fields import EncryptedField
from paymentsite.ledger.models import Hold, Journal
from wallets.models.instruments import AccountProof
from wallets.models.wallets import Wallet


class State(models.TextChoices):
    """How an order stands. Undecided ones are asked about until the gateway says how they ended."""

    CREATED = "created", _("created")
    PENDING = "pending", _("under way")
    REQUIRES_ACTION = "requires_action", _("waits for the member")
    UNKNOWN = "unknown", _("outcome not known")
    CONFLICT = "conflict", _("differs, waits for staff")
    RETURNING = "returning", _("being given back")
    SUCCEEDED = "succeeded", _("done")
    FAILED = "failed", _("failed")
    RETURNED = "returned", _("returned")


# What the gateway has not decided yet, as far as we know.
UNDECIDED = (State.CREATED, State.PENDING, State.REQUIRES_ACTION, State.UNKNOWN)
# What is over, as far as we know; any other still waits for its gateway, or for staff.
ENDED = (State.SUCCEEDED, State.FAILED, State.RETURNED)

# What becomes of an order. All else is what was asked for, whose and of whom, and is written once.
_BECOMES: Final = frozenset(
    {
        "fee_minor",
        "gateway",
        "gateway_reference",
        "state",
        "reason",
        "moved_minor",
        "moved_currency",
        "came_back_minor",
        "booked_to",
        "journal_id",
        "return_journal_id",
        "changed_at",
        "next_query_at",
        "queries",
    }
)
# Erased with its member, and encrypted anew with another key.
_PAID_TO: Final = frozenset({"destination", "payee"})


OrderT = TypeVar("OrderT", bound="GatewayOrder")


class GatewayOrderQuerySet(models.QuerySet[OrderT]):
    def of(self, member: Member) -> Self:
        return self.filter(member=member)

    def undecided(self) -> Self:
        return self.filter(state__in=UNDECIDED)

    def not_ended(self) -> Self:
        return self.exclude(state__in=ENDED)

    def due(self, now: datetime) -> Self:
        """Those to ask the gateway about by now, the longest waiting first."""
        return self.filter(next_query_at__lte=now).order_by("next_query_at", "pk")


class GatewayOrder(models.Model):
    """What we asked of a gateway, for whom, and how it ended. Its public id is its reference at the gateway."""

    State = State

    class BookedTo(models.TextChoices):
        """Where what moved stands in the books."""

        NOTHING = "", _("not booked")
        WALLET = "wallet", _("the wallet")
        SUSPENSE = "suspense", _("suspense, for staff to settle")
        HOUSE = "house", _("us, who pay it")

    # How journals, and the column of its events, call one; and what is read together with it.
    noun: ClassVar[str]
    joined: ClassVar[tuple[str, ...]] = ("member", "wallet__account")

    public_id = models.UUIDField(unique=True, editable=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="%(class)ss")
    reference = models.CharField(_("reference"), max_length=100, help_text=_("the caller's own"))
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0)
    method = models.CharField(_("method"), max_length=40)
    instrument = models.CharField(_("instrument"), max_length=80, blank=True)
    gateway = models.CharField(_("gateway"), max_length=40)
    gateway_reference = models.CharField(_("the gateway's reference"), max_length=128, blank=True)

    state = models.CharField(_("state"), max_length=16, choices=State, default=State.CREATED)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    moved_minor = models.BigIntegerField(null=True, help_text=_("what the gateway says really moved"))
    moved_currency = models.CharField(max_length=3, blank=True)
    came_back_minor = models.BigIntegerField(default=0, help_text=_("what came back before it was booked, in all"))
    booked_to = models.CharField(_("booked to"), max_length=8, choices=BookedTo, blank=True)
    journal = models.ForeignKey(Journal, models.PROTECT, null=True, related_name="+")
    return_journal = models.ForeignKey(Journal, models.PROTECT, null=True, related_name="+")

    created_at = models.DateTimeField(_("created"))
    changed_at = models.DateTimeField(_("last change"))
    next_query_at = models.DateTimeField(_("next question"), null=True)
    queries = models.PositiveSmallIntegerField(_("questions"), default=0)

    objects: models.Manager[Any]

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(name="%(app_label)s_%(class)s_once", fields=["member", "reference"]),
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_amounts", condition=Q(amount_minor__gt=0, fee_minor__gte=0)
            ),
            models.CheckConstraint(name="%(app_label)s_%(class)s_came_back", condition=Q(came_back_minor__gte=0)),
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_booked",
                condition=Q(journal=None, booked_to="") | (Q(journal__isnull=False) & ~Q(booked_to="")),
            ),
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_done_is_booked",
                condition=(Q(state="succeeded") & Q(journal__isnull=False, return_journal=None))
                | Q(state="returned")
                | (~Q(state__in=["succeeded", "returned"]) & Q(journal=None, return_journal=None)),
            ),
        ]
        indexes = [
            models.Index(
                name="%(app_label)s_%(class)s_due", fields=["next_query_at"], condition=Q(next_query_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.public_id}"

    @property
    def source(self) -> str:
        """How journals name it."""
        return f"{self.noun}:{self.public_id}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.currency)

    @property
    def moved(self) -> Money:
        """What really moved, and stayed so: what we asked for, unless the gateway said otherwise."""
        return self.amount if self.moved_minor is None else Money(self.moved_minor, self.moved_currency)

    @property
    def came_back(self) -> Money:
        """What had moved besides, and came back before anything was booked."""
        return Money(self.came_back_minor, self.moved.unit)

    @property
    def decided(self) -> bool:
        return self.state not in UNDECIDED


class TopUpQuerySet(GatewayOrderQuerySet["TopUp"]):
    def may_come(self) -> Self:
        """Still under way, or come otherwise than asked for and waiting for staff, who may accept it: also where they
        have it given back, which may not succeed."""
        return self.filter(state__in=(*UNDECIDED, State.CONFLICT, State.RETURNING))

    def coming(self, currency: str) -> Money:
        """What these put on wallets in ``currency`` when all of them come, less their fees: of what came otherwise than
        asked for, that."""
        here = Q(moved_currency=currency) | Q(moved_currency="", currency=currency)
        fee = Case(When(currency=currency, then=F("fee_minor")), default=0)
        nets = self.filter(here).aggregate(net=Sum(Coalesce("moved_minor", "amount_minor") - fee))
        return Money(nets["net"] or 0, currency)


class WithdrawalQuerySet(GatewayOrderQuerySet["Withdrawal"]):
    pass


class ProofDepositQuerySet(GatewayOrderQuerySet["ProofDeposit"]):
    pass


@immutable(except_columns=_BECOMES | {"action_url", "action_code", "refund_id"})
class TopUp(GatewayOrder):
    """Money from outside into a wallet. The fee is taken from what comes."""

    noun = "top_up"

    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="%(class)ss")
    action_url = models.TextField(blank=True)
    action_code = models.TextField(blank=True)
    refund_id = models.UUIDField(null=True, unique=True, help_text=_("under which it is given back"))

    objects = TopUpQuerySet.as_manager()

    class Meta(GatewayOrder.Meta):
        verbose_name = _("top-up")
        verbose_name_plural = _("top-ups")
        permissions = [
            ("ask_gateway", _("Can have gateways asked about orders")),
            ("propose_order", _("Can propose how a differing order ends")),
            ("decide_order", _("Can approve how a differing order ends")),
        ]
        constraints = [
            *GatewayOrder.Meta.constraints,
            models.CheckConstraint(name="wallets_topup_fee_within", condition=Q(fee_minor__lt=F("amount_minor"))),
        ]

    @property
    def net(self) -> Money:
        """What the wallet gets: what came, less the fee where it is taken in the same currency."""
        return self.moved - self.fee if self.fee_minor else self.moved


class Payout(GatewayOrder):
    """Money out, to an account that is kept with it: the member may remove it meanwhile.

    ``times_sent``: so often its gateway was asked to send it, the first request included, made or about to be made.
    """

    times_sent = models.PositiveSmallIntegerField(_("sent so often"), default=1)
    destination = models.CharField(_("destination"), max_length=80)
    payee: Any

    class Meta(GatewayOrder.Meta):
        abstract = True


@immutable(except_columns=_BECOMES | _PAID_TO | {"times_sent"})
class Withdrawal(Payout):
    """Money from a wallet to the member's bank account. The fee is taken beside it; both are on hold meanwhile."""

    noun = "withdrawal"

    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="%(class)ss")
    hold = models.OneToOneField(Hold, models.PROTECT, related_name="+")
    payee = EncryptedField("withdrawal.payee", bound_to=("public_id",), null=True)

    objects = WithdrawalQuerySet.as_manager()

    class Meta(Payout.Meta):
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")

    @property
    def total(self) -> Money:
        """What leaves the wallet."""
        return self.amount + self.fee


@immutable(except_columns=_BECOMES | _PAID_TO | {"times_sent"})
class ProofDeposit(Payout):
    """One of the two small amounts by which a bank account is proved, paid by us. Only the account's bank tells it."""

    noun = "proof_deposit"
    joined = ("member", "proof")

    proof = models.ForeignKey(AccountProof, models.PROTECT, related_name="deposits")
    payee = EncryptedField("proof_deposit.payee", bound_to=("public_id",), null=True)

    objects = ProofDepositQuerySet.as_manager()

    class Meta(Payout.Meta):
        verbose_name = _("small deposit")
        verbose_name_plural = _("small deposits")
        constraints = [
            *Payout.Meta.constraints,
            models.CheckConstraint(name="wallets_proofdeposit_free", condition=Q(fee_minor=0)),
        ]


ORDER_KINDS: Final[tuple[type[TopUp | Withdrawal | ProofDeposit], ...]] = (TopUp, Withdrawal, ProofDeposit)
