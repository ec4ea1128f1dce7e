"""Codes sent to phone numbers, by which members prove that a number is theirs."""

from typing import Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models.members import Member
from paymentsite.core.vault.fields import DigestField, EncryptedField

LABEL: Final = "phone_proof.number"
CODE_TRIES: Final = 3


class PhoneProof(models.Model):
    """A code for one member and one number. Only the member's newest counts, once.

    ``nth`` numbers the text messages to a number, whoever asked for them. Without one none was sent: the number had had
    enough for a day, which its owner's business alone is, so the row is there all the same.
    """

    member = models.ForeignKey(Member, models.PROTECT, related_name="phone_proofs")
    number = EncryptedField(LABEL, bound_to=("member",))
    number_digest = DigestField(LABEL, of="number")
    nth = models.PositiveIntegerField(null=True)
    digest = models.CharField(max_length=80, editable=False)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("proof of a phone number")
        verbose_name_plural = _("proofs of phone numbers")
        constraints = [
            models.CheckConstraint(name="members_phoneproof_tries", condition=Q(tries__lte=CODE_TRIES)),
            models.CheckConstraint(
                name="members_phoneproof_used_was_sent", condition=Q(used_at=None) | Q(nth__isnull=False)
            ),
            # Two who ask at once for texts to one number cannot both be the nth: the second counts again.
            models.UniqueConstraint(name="members_phoneproof_nth", fields=["number_digest", "nth"]),
        ]

    def __str__(self) -> str:
        return gettext("proof of the phone of member %(member)s") % {"member": self.member_id}
