"""Approving a case takes having looked at each thing that it consists of, as it is now."""

from datetime import timedelta

import pytest

from members.models import KycCase, KycEvent, KycImage, Member
from members.services import kyc, kyc_images, kyc_looks
from members.services.kyc import NotLookedAt
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from tests.members.factories import JPEG, PAPERS, approved, looked_at, member, reviewer, superuser

pytestmark = [pytest.mark.django_db, pytest.mark.attack]

Side = KycImage.Side
Part = kyc_looks.Part


@pytest.fixture
def ada() -> Member:
    return approved(member(handle="ada"), 2)


def drafted(who: Member, *sides: Side, level: int = 3) -> KycCase:
    by = Actor.of(who.user)
    case = kyc.begin(member=who, level=level, by=by)
    for side in sides:
        kyc_images.attach(case=case, side=side, content=JPEG, by=by)
    return case


def submitted(case: KycCase) -> KycCase:
    return kyc.submit(case=case, by=Actor.of(case.member.user))


def refused(case: KycCase, *missing: Part) -> None:
    with pytest.raises(NotLookedAt) as refusal:
        kyc.approve(case=case, by=reviewer())
    assert refusal.value.facts == {"missing": [part.value for part in missing]}
    assert KycCase.objects.get(pk=case.pk).state == "submitted"


def look(case: KycCase, *sides: Side) -> None:
    for image in case.images.filter(side__in=sides).select_related("case"):
        kyc_images.look(image=image, by=reviewer())


def test_each_image_is_looked_at(ada):
    case = submitted(drafted(ada, Side.FRONT, Side.BACK, Side.SELFIE))

    refused(case, Part.FRONT, Part.BACK, Part.SELFIE)
    kyc_images.look_at_facts(case=case, by=reviewer())
    refused(case, Part.FRONT, Part.BACK, Part.SELFIE)
    look(case, Side.FRONT, Side.SELFIE)
    refused(case, Part.BACK)
    look(case, Side.BACK)

    assert kyc.approve(case=case, by=reviewer()).state == "approved"
    assert Member.objects.get(pk=ada.pk).kyc_level == 3


def test_images_of_a_case_with_a_name_are_looked_at_beside_it():
    bo = approved(member(), 1)
    case = drafted(bo, Side.FRONT, level=2)
    case = submitted(kyc.fill(case=case, by=Actor.of(bo.user), **PAPERS))

    kyc_images.look_at_facts(case=case, by=reviewer())
    refused(case, Part.FRONT)
    look(case, Side.FRONT)

    assert kyc.approve(case=case, by=reviewer()).state == "approved"


def test_name_of_a_case_with_images_is_looked_at_beside_them(ada):
    case = drafted(ada, Side.FRONT, Side.SELFIE)
    case = submitted(kyc.fill(case=case, by=Actor.of(ada.user), legal_name=PAPERS["legal_name"]))

    look(case, Side.FRONT, Side.SELFIE)
    refused(case, Part.FACTS)
    looked_at(case)

    assert kyc.approve(case=case, by=reviewer()).state == "approved"


def test_what_somebody_else_looked_at_is_not_seen(ada):
    case = submitted(drafted(ada, Side.FRONT, Side.SELFIE))
    another = Actor.of(superuser("another@example.com"))
    for image in case.images.select_related("case"):
        kyc_images.look(image=image, by=another)

    refused(case, Part.FRONT, Part.SELFIE)


def test_image_put_in_place_of_one_looked_at_is_not_seen(ada):
    case = submitted(drafted(ada, Side.FRONT, Side.SELFIE))
    looked_at(case)
    with clock.standing(clock.now() + timedelta(minutes=1)):
        kyc.ask_more(case=case, reason=KycEvent.Reason.UNREADABLE, by=reviewer())
        kyc_images.attach(case=case, side=Side.FRONT, content=JPEG, by=Actor.of(ada.user))
        # Looked at before it was submitted: the member can still put another one there.
        look(case, Side.FRONT, Side.SELFIE)
    with clock.standing(clock.now() + timedelta(minutes=2)):
        submitted(case)
        refused(case, Part.SELFIE, Part.FRONT)
        look(case, Side.SELFIE)
        refused(case, Part.FRONT)


def test_look_within_the_moment_of_submitting_does_not_pass_for_another_image(ada):
    with clock.standing(clock.now()):
        case = drafted(ada, Side.FRONT, Side.SELFIE)
        looked_at(case)
        kyc_images.attach(case=case, side=Side.FRONT, content=JPEG, by=Actor.of(ada.user))
        case = submitted(case)

        refused(case, Part.FRONT)
