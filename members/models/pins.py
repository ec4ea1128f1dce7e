"""The payment PIN: what a member says yes with, apart from the password that they sign in with."""

from typing import Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models.members import Member
from paymentsite.core.vault import Purpose
from paymentsite.core.vault.fields import EncryptedField

LABEL: Final = "member.pin"
TRIES: Final = 5
LOCKS: Final = 3
CODE_TRIES: Final = 3


class Pin(models.Model):
    """A member's PIN and how often it was guessed at. The row stays when the PIN is cleared.

    A try is charged before the PIN is looked at, so ``tries`` counts guesses since the last right one; the fifth locks.
    """

    member = models.OneToOneField(Member, models.PROTECT, primary_key=True, related_name="pin")
    hashed = EncryptedField(LABEL, bound_to=("member",), purpose=Purpose.PEPPER, null=True)
    version = models.PositiveIntegerField(_("changes"), default=0)
    tries = models.PositiveSmallIntegerField(_("tries since the last right one"), default=0)
    locks = models.PositiveSmallIntegerField(_("times locked since the last right one"), default=0)
    locked_until = models.DateTimeField(_("locked until"), null=True)
    set_at = models.DateTimeField(_("set"), null=True)

    class Meta:
        verbose_name = _("payment PIN")
        verbose_name_plural = _("payment PINs")
        permissions = [
            ("clear_pin", _("Can propose to clear a member's payment PIN")),
            ("approve_clear_pin", _("Can approve clearing a member's payment PIN")),
        ]
        constraints = [
            models.CheckConstraint(
                name="members_pin_lock",
                condition=Q(tries__lt=TRIES, locked_until=None) | Q(tries=TRIES, locked_until__isnull=False),
            ),
            models.CheckConstraint(
                name="members_pin_locks", condition=Q(locks__lte=LOCKS) & (Q(locked_until=None) | Q(locks__gt=0))
            ),
            models.CheckConstraint(
                name="members_pin_set",
                condition=Q(hashed__isnull=True, set_at=None) | Q(hashed__isnull=False, set_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return gettext("PIN of member %(member)s") % {"member": self.member_id}


class PinRecovery(models.Model):
    """A code sent to a member who forgot their PIN. Only the newest counts, once."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="pin_recoveries")
    digest = models.CharField(max_length=80, editable=False)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("recovery of a payment PIN")
        verbose_name_plural = _("recoveries of payment PINs")
        constraints = [models.CheckConstraint(name="members_pinrecovery_tries", condition=Q(tries__lte=CODE_TRIES))]

    def __str__(self) -> str:
        return gettext("recovery of the PIN of member %(member)s") % {"member": self.member_id}
