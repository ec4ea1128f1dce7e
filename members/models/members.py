"""Members: who holds wallets, cards and points here."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models.users import User
from paymentsite.core.immutability import immutable
from paymentsite.core.vault import Secret
from paymentsite.core.vault.fields import DigestField, EncryptedField


class MemberQuerySet(models.QuerySet["Member"]):
    def active(self) -> Self:
        return self.filter(state=Member.State.ACTIVE)

    def proven(self, number: Secret) -> Self:
        """Whoever has proven that this phone number is theirs: one at most."""
        return self.filter(phone_digest=number, phone_proven_at__isnull=False)

    def lock(self, pk: int) -> "Member":
        """The member, whose row nobody else holds until this transaction ends: what is decided about them queues."""
        return self.select_for_update().get(pk=pk)

    def lock_all(self, pks: Iterable[int]) -> dict[int, "Member"]:
        """Several, by id, locked in id order so that acts that cross do not wait for each other."""
        wanted = sorted(set(pks))
        found = {member.pk: member for member in self.select_for_update().filter(pk__in=wanted).order_by("pk")}
        if len(found) != len(wanted):
            raise Member.DoesNotExist
        return found


class Member(models.Model):
    """A customer. Their sign-in is the same person's, so both have one id: ``member:7`` is user 7."""

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")
        CLOSED = "closed", _("closed")

    user = models.OneToOneField(User, models.PROTECT, primary_key=True, verbose_name=_("sign-in"))
    public_id = models.UUIDField(unique=True, editable=False)
    handle = models.CharField(_("handle"), max_length=30, unique=True, null=True, blank=True)
    # The same as the vault keeps it for this member alone: an edited handle would send others' money to somebody else.
    handle_kept = EncryptedField("member.handle", bound_to=("public_id",), null=True)
    display_name = models.CharField(_("name shown"), max_length=80, blank=True)
    phone = EncryptedField("member.phone", bound_to=("public_id",), null=True)
    phone_digest = DigestField("member.phone", of="phone", null=True)
    phone_proven_at = models.DateTimeField(_("phone number proven"), null=True)
    birthday = EncryptedField("member.birthday", bound_to=("public_id",), null=True)

    language = models.CharField(_("language"), max_length=10, default="en")
    time_zone = models.CharField(_("time zone"), max_length=60, default="Asia/Shanghai")
    home_currency = models.CharField(_("home currency"), max_length=3, default="CNY")

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    kyc_level = models.PositiveSmallIntegerField(_("identity level"), default=0)
    joined_at = models.DateTimeField(_("joined"))
    erased_at = models.DateTimeField(_("personal data erased"), null=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        permissions = [
            ("suspend", _("Can suspend members and let them act again")),
            ("erase", _("Can propose to erase the personal data of members who have left")),
            ("approve_erasure", _("Can approve erasing personal data")),
        ]
        constraints = [
            models.CheckConstraint(
                name="members_member_handle_lower", condition=Q(handle=None) | Q(handle=Lower("handle"))
            ),
            models.CheckConstraint(name="members_member_kyc_level", condition=Q(kyc_level__lte=3)),
            models.CheckConstraint(
                name="members_member_erased_is_closed", condition=Q(erased_at=None) | Q(state="closed")
            ),
            models.CheckConstraint(
                name="members_member_proven_phone_is_there",
                condition=Q(phone_proven_at=None) | Q(phone__isnull=False, phone_digest__isnull=False),
            ),
            # Anybody may type a number; whose it is must be one.
            models.UniqueConstraint(
                name="members_member_proven_phone_once",
                fields=["phone_digest"],
                condition=Q(phone_proven_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"@{self.handle}" if self.handle else gettext("member %(member)s") % {"member": self.pk}

    @property
    def owner(self) -> str:
        """How the ledger calls them as the owner of accounts."""
        return f"member:{self.pk}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def local(self, moment: datetime) -> datetime:
        """``moment`` by the clock on their wall."""
        return moment.astimezone(self.zone)


@immutable
class MemberEvent(models.Model):
    """A change of a member's state. Written once, never changed."""

    class Kind(models.TextChoices):
        JOINED = "joined", _("joined")
        SUSPENDED = "suspended", _("suspended")
        RESUMED = "resumed", _("resumed")
        CLOSED = "closed", _("closed")
        ERASED = "erased", _("personal data erased")

    member = models.ForeignKey(Member, models.PROTECT, related_name="events")
    kind = models.CharField(_("what"), max_length=10, choices=Kind)
    state = models.CharField(_("state since"), max_length=10, choices=Member.State)
    actor = models.CharField(_("by"), max_length=80)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("change of a member")
        verbose_name_plural = _("changes of members")
        ordering = ["pk"]

    def __str__(self) -> str:
        return gettext("%(what)s: member %(member)s") % {"what": self.get_kind_display(), "member": self.member_id}
