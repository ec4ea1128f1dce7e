"""Images of documents: taken in, encrypted part by part, and shown to who may see them, on record."""

import base64
from itertools import count
from typing import Final

from django.utils.translation import gettext_noop

from members import images
from members.models import KycCase, KycChunk, KycImage
from members.services import kyc, kyc_looks
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Forbidden, Invalid
from paymentsite.core.ids import uuid7
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret, Undecipherable

CHUNK: Final = 64 * 1024
RIGHT: Final = "members.see_kyc_documents"


class ImageRefused(Invalid):
    code = "kyc_image_refused"
    sentence = gettext_noop("Images are JPEG, PNG or PDF.")


class ImageTooLarge(Invalid):
    code = "kyc_image_too_large"
    sentence = gettext_noop("An image has at most {most} bytes, this one has {size}.")


class NotToBeSeen(Forbidden):
    code = "kyc_not_to_be_seen"
    sentence = gettext_noop("Seeing identity documents takes a right of its own.")


@act
def attach(*, case: KycCase, side: KycImage.Side, content: bytes, by: Actor) -> KycImage:
    """The case has this image of that side, instead of an earlier one."""
    if len(content) > images.SIZE_MAX:
        raise ImageTooLarge(most=images.SIZE_MAX, size=len(content))
    media_type = images.kind(content)
    if media_type is None:
        raise ImageRefused
    case = kyc.editable(case)
    case.images.filter(side=side).delete()
    now = clock.now()
    image = KycImage.objects.create(
        public_id=uuid7(now), case=case, side=side, media_type=media_type, size=len(content), added_at=now
    )
    parts = zip(count(), range(0, len(content), CHUNK), strict=False)
    KycChunk.objects.bulk_create(
        KycChunk(image=image, position=position, content=_shut(content[begin : begin + CHUNK]))
        for position, begin in parts
    )
    audit.record(by=by, act="kyc.image_attached", subject=case, after={"side": side, "size": len(content)})
    return image


@act
def look(*, image: KycImage, by: Actor) -> bytes:
    """What the image shows, to somebody who holds the right; that they looked is on the audit trail."""
    if not by.may(RIGHT):
        raise NotToBeSeen
    kyc_looks.image_seen(image, by=by)
    return content_of(image)


@act
def look_at_facts(*, case: KycCase, by: Actor) -> dict[str, str]:
    """The name in law, birthday and number, to somebody who holds the right; that they looked is on the audit trail."""
    if not by.may(RIGHT):
        raise NotToBeSeen
    kyc_looks.facts_seen(case, by=by)
    held = {"legal_name": case.legal_name, "birthday": case.birthday, "number": case.number}
    return {name: content.decrypt().reveal() if content else "" for name, content in held.items()}


def content_of(image: KycImage) -> bytes:
    """The image whole; raises ``Undecipherable`` when a part was altered, moved or is missing."""
    parts = list(image.chunks.order_by("position"))
    content = b"".join(base64.b64decode(part.content.decrypt().reveal()) for part in parts)
    if [part.position for part in parts] != list(range(len(parts))) or len(content) != image.size:
        raise Undecipherable
    return content


def _shut(part: bytes) -> Secret:
    return Secret(base64.b64encode(part).decode())
