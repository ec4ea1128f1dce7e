"""What of an identity case somebody has looked at, as it is now: told by the traces that looking leaves."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from members.models import KycCase, KycImage
from paymentsite.core.actors import Actor
from paymentsite.core.disclosure import disclosed
from paymentsite.core.models import AuditEntry
from paymentsite.core.services import audit

FACTS_SEEN: Final = "kyc.facts_seen"
IMAGE_SEEN: Final = "kyc.image_seen"


class Part(TextChoices):
    """What a case can consist of; images by their sides."""

    FACTS = "facts", _("name, birthday and number")
    FRONT = "front", _("image of the front")
    BACK = "back", _("image of the back")
    SELFIE = "selfie", _("image of the holder's face")
    ADDRESS = "address", _("image of the proof of address")


def facts_seen(case: KycCase, *, by: Actor) -> None:
    """It is on the trail that ``by`` looked at name, birthday and number."""
    audit.record(by=by, act=FACTS_SEEN, subject=case)


def image_seen(image: KycImage, *, by: Actor) -> None:
    """It is on the trail that ``by`` looked at this very image: one put in its place has another id."""
    audit.record(by=by, act=IMAGE_SEEN, subject=image.case, after=_named(image))


def unseen(case: KycCase, by: Actor) -> list[Part]:
    """What the case consists of that ``by`` has not looked at since it was submitted."""
    looks = AuditEntry.objects.of(case).filter(by=str(by), at__gte=case.submitted_at)
    seen = list(looks.filter(act__in=(FACTS_SEEN, IMAGE_SEEN)).values_list("act", "after"))
    parts = [Part.FACTS] if _has_facts(case) and all(act != FACTS_SEEN for act, _after in seen) else []
    images = case.images.order_by("pk")
    return [*parts, *(Part(each.side) for each in images if (IMAGE_SEEN, disclosed(_named(each))) not in seen)]


def _has_facts(case: KycCase) -> bool:
    return any(each is not None for each in (case.legal_name, case.birthday, case.number))


def _named(image: KycImage) -> dict[str, object]:
    return {"image": image.public_id, "side": image.side}
