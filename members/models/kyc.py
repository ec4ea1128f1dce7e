"""Knowing the customer: what a member showed of who they are, and what was decided about it."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models.members import Member
from paymentsite.core.immutability import immutable
from paymentsite.core.vault.fields import DigestField, EncryptedField


class KycCaseQuerySet(models.QuerySet["KycCase"]):
    def of(self, member: Member) -> Self:
        return self.filter(member=member).order_by("pk")

    def open(self) -> Self:
        return self.filter(state__in=KycCase.OPEN)

    def approved(self) -> Self:
        return self.filter(state=KycCase.State.APPROVED)


class KycCase(models.Model):
    """A member's way to one level. Its contents are encrypted, and go when the member's data is erased."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        SUBMITTED = "submitted", _("submitted")
        MORE_NEEDED = "more_needed", _("more needed")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")

    class Document(models.TextChoices):
        ID_CARD = "id_card", _("identity card")
        PASSPORT = "passport", _("passport")
        RESIDENCE_PERMIT = "residence_permit", _("residence permit")
        DRIVING_LICENCE = "driving_licence", _("driving licence")

    class Proof(models.TextChoices):
        """What the levels take of a member."""

        EMAIL = "email", _("confirmed e-mail address")
        PHONE = "phone", _("proven phone number")
        DISPLAY_NAME = "display_name", _("name shown")
        LEGAL_NAME = "legal_name", _("name in law")
        BIRTHDAY = "birthday", _("birthday")
        DOCUMENT = "document", _("document")
        COUNTRY = "country", _("issuing country")
        NUMBER = "number", _("document number")
        FRONT = "front", _("image of the front")
        SELFIE = "selfie", _("image of the holder's face")

    EDITABLE = (State.DRAFT, State.MORE_NEEDED)
    OPEN = (*EDITABLE, State.SUBMITTED)

    public_id = models.UUIDField(unique=True, editable=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="kyc_cases")
    level = models.PositiveSmallIntegerField(_("level"))
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.DRAFT)

    legal_name = EncryptedField("kyc.legal_name", bound_to=("public_id",), null=True)
    birthday = EncryptedField("kyc.birthday", bound_to=("public_id",), null=True)
    document = models.CharField(_("document"), max_length=16, choices=Document, blank=True)
    country = models.CharField(_("issued by"), max_length=2, blank=True)
    number = EncryptedField("kyc.number", bound_to=("public_id",), null=True)
    number_digest = DigestField("kyc.number", of="number", null=True)
    note = models.CharField(_("note to the member"), max_length=500, blank=True)

    opened_at = models.DateTimeField(_("opened"))
    submitted_at = models.DateTimeField(_("submitted at"), null=True)
    decided_at = models.DateTimeField(_("decided"), null=True)

    objects = KycCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("identity case")
        verbose_name_plural = _("identity cases")
        permissions = [
            ("review_kyc", _("Can decide on identity cases")),
            ("see_kyc_documents", _("Can see names, numbers and images of identity documents")),
        ]
        constraints = [
            models.CheckConstraint(name="members_kyccase_level", condition=Q(level__gte=1, level__lte=3)),
            models.CheckConstraint(
                name="members_kyccase_decided",
                condition=Q(state__in=["approved", "rejected"], decided_at__isnull=False)
                | Q(state__in=["draft", "submitted", "more_needed"], decided_at=None),
            ),
            models.UniqueConstraint(
                name="members_kyccase_one_open",
                fields=["member"],
                condition=Q(state__in=["draft", "submitted", "more_needed"]),
            ),
            models.UniqueConstraint(
                name="members_kyccase_level_once", fields=["member", "level"], condition=Q(state="approved")
            ),
            # Two drafts may name one document, and staff decide whose it is; it serves one member only.
            models.UniqueConstraint(
                name="members_kyccase_document_once",
                fields=["document", "country", "number_digest"],
                condition=Q(state="approved"),
            ),
        ]
        indexes = [
            models.Index(name="members_kyccase_waiting", fields=["submitted_at"], condition=Q(state="submitted"))
        ]

    def __str__(self) -> str:
        return gettext("level %(level)s of member %(member)s") % {"level": self.level, "member": self.member_id}


@immutable
class KycEvent(models.Model):
    """A change of a case's state. Written once, never changed, so it holds nothing personal: reasons, not words."""

    class Reason(models.TextChoices):
        UNREADABLE = "unreadable", _("an image cannot be read")
        EXPIRED = "expired", _("the document has expired")
        MISMATCH = "mismatch", _("the details and the document differ")
        INCOMPLETE = "incomplete", _("something is missing")
        NOT_ACCEPTED = "not_accepted", _("a document of this kind is not accepted")
        DOUBTFUL = "doubtful", _("there are doubts whose document it is")

    case = models.ForeignKey(KycCase, models.PROTECT, related_name="events")
    state = models.CharField(_("state since"), max_length=12, choices=KycCase.State)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason, blank=True)
    actor = models.CharField(_("by"), max_length=80)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("change of an identity case")
        verbose_name_plural = _("changes of identity cases")
        ordering = ["pk"]

    def __str__(self) -> str:
        return gettext("%(state)s: case %(case)s") % {"state": self.get_state_display(), "case": self.case_id}


class KycImage(models.Model):
    """An image of a document; what it shows is in its chunks."""

    class Side(models.TextChoices):
        FRONT = "front", _("front")
        BACK = "back", _("back")
        SELFIE = "selfie", _("the holder's face")
        ADDRESS = "address", _("proof of address")

    public_id = models.UUIDField(unique=True, editable=False)
    case = models.ForeignKey(KycCase, models.PROTECT, related_name="images")
    side = models.CharField(max_length=8, choices=Side)
    media_type = models.CharField(max_length=20)
    size = models.PositiveIntegerField()
    added_at = models.DateTimeField()

    class Meta:
        verbose_name = _("image of a document")
        verbose_name_plural = _("images of documents")
        constraints = [
            models.UniqueConstraint(name="members_kycimage_side_once", fields=["case", "side"]),
            models.CheckConstraint(
                name="members_kycimage_kind", condition=Q(media_type__in=["image/jpeg", "image/png", "application/pdf"])
            ),
            models.CheckConstraint(name="members_kycimage_size", condition=Q(size__gt=0, size__lte=5 * 1024 * 1024)),
        ]

    def __str__(self) -> str:
        return f"{self.side} of case {self.case_id}"


class KycChunk(models.Model):
    """A part of an image, in an envelope that opens at its own place in its own image only."""

    image = models.ForeignKey(KycImage, models.CASCADE, related_name="chunks")
    position = models.PositiveSmallIntegerField()
    content = EncryptedField("kyc.image", bound_to=("image", "position"))

    class Meta:
        verbose_name = _("part of an image")
        verbose_name_plural = _("parts of images")
        constraints = [models.UniqueConstraint(name="members_kycchunk_once", fields=["image", "position"])]

    def __str__(self) -> str:
        return f"part {self.position} of image {self.image_id}"
