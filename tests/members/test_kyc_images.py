"""Images of documents: what is taken in, how it lies there, and who sees it."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from members import images
from members.models import KycChunk, KycImage, Member, User
from members.services import kyc, kyc_images
from members.services.kyc import CaseMoved
from members.services.kyc_images import ImageRefused, ImageTooLarge, NotToBeSeen
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import AuditEntry
from paymentsite.core.vault import Undecipherable
from tests.members.factories import JPEG, approved, member, reviewer

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
PDF = b"%PDF-1.7\n" + bytes(100)
FRONT, SELFIE = KycImage.Side.FRONT, KycImage.Side.SELFIE


@pytest.fixture
def case():
    ada = approved(member(handle="ada"), 2)
    return kyc.begin(member=ada, level=3, by=Actor.of(ada.user))


def attach(case, content=JPEG, side=FRONT) -> KycImage:
    return kyc_images.attach(case=case, side=side, content=content, by=SYSTEM)


def staff(*rights: str) -> User:
    user = User.objects.create_user(f"staff{User.objects.count()}@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return user


@pytest.mark.attack
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns=",
        b"<!DOCTYPE html>",
        b"MZ\x90",
        b"PK\x03\x04",
        b" %PDF-1.7",
        b"\x00" * 64,
        b"\xff\xd8",
    ],
)
def test_what_begins_as_no_image_is_refused(case, content):
    with pytest.raises(ImageRefused):
        attach(case, content)
    assert not KycImage.objects.exists()


def test_image_above_five_megabytes_is_refused(case):
    with pytest.raises(ImageTooLarge):
        attach(case, PNG + bytes(images.SIZE_MAX))
    assert attach(case, PNG + bytes(images.SIZE_MAX - len(PNG))).size == images.SIZE_MAX


@pytest.mark.parametrize("content", [JPEG, PNG, PDF, JPEG[: 64 * 1024], JPEG[: 64 * 1024 + 1]])
def test_image_comes_back_as_it_was_and_lies_encrypted(case, content):
    image = attach(case, content)

    assert kyc_images.content_of(image) == content
    for chunk in KycChunk.objects.values_list("content", flat=True):
        assert chunk.raw.startswith(b"PV")
        assert content[:32] not in chunk.raw


def test_image_of_a_side_replaces_the_one_before(case):
    attach(case, JPEG)
    attach(case, PNG)
    attach(case, PDF, SELFIE)

    assert sorted(KycImage.objects.values_list("side", "media_type")) == [
        ("front", "image/png"),
        ("selfie", "application/pdf"),
    ]
    assert KycChunk.objects.count() == 2


def test_image_of_a_submitted_case_is_not_replaced(case):
    attach(case)
    attach(case, side=SELFIE)
    kyc.submit(case=case, by=SYSTEM)

    with pytest.raises(CaseMoved):
        attach(case, PNG)


@pytest.mark.attack
def test_parts_that_were_moved_or_lost_are_no_image(case):
    image, other = attach(case), attach(case, JPEG[::-1].replace(JPEG[::-1][:3], b"\xff\xd8\xff", 1), SELFIE)
    first = KycChunk.objects.values_list("content", flat=True).get(image=other, position=0)

    KycChunk.objects.filter(image=image, position=0).update(content=first)
    with pytest.raises(Undecipherable):
        kyc_images.content_of(image)
    other.chunks.last().delete()
    with pytest.raises(Undecipherable):
        kyc_images.content_of(other)


def test_looking_takes_its_right_and_is_on_the_trail(case):
    image = attach(case)
    for by in (SYSTEM, Actor.of(case.member.user), Actor.of(staff("review_kyc"))):
        with pytest.raises(NotToBeSeen):
            kyc_images.look(image=image, by=by)
        with pytest.raises(NotToBeSeen):
            kyc_images.look_at_facts(case=case, by=by)
    assert not AuditEntry.objects.filter(act__endswith="_seen").exclude(by=str(reviewer())).exists()

    ann = Actor.of(staff("see_kyc_documents"))
    assert kyc_images.look(image=image, by=ann) == JPEG
    assert AuditEntry.objects.get(act="kyc.image_seen").by == str(ann)


def url(name: str, case, *more) -> str:
    return reverse(f"admin:members_kyccase_{name}", args=[case.pk, *more])


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.attack
def test_images_are_shown_to_nobody_without_the_right(case):
    image = attach(case)
    other = browser(staff("view_kyccase", "review_kyc"))

    for page in (url("contents", case), url("image", case, image.public_id)):
        assert other.get(page).status_code == 403
        assert browser(case.member.user).get(page).status_code == 302
        assert Client().get(page).status_code == 302
    assert not AuditEntry.objects.filter(act__endswith="_seen").exclude(by=str(reviewer())).exists()


@pytest.mark.attack
def test_image_of_another_case_is_not_there(case):
    other = kyc.begin(member=approved(member(), 2), level=3, by=SYSTEM)
    image = attach(other)

    seer = browser(staff("view_kyccase", "see_kyc_documents"))
    assert seer.get(url("image", case, image.public_id)).status_code == 404
    assert seer.get(url("image", other, image.public_id)).status_code == 200


def test_image_is_shown_on_record_and_kept_nowhere(case):
    image, pdf = attach(case), attach(case, PDF, SELFIE)
    ann = staff("view_kyccase", "see_kyc_documents")
    seer = browser(ann)

    shown, taken = (seer.get(url("image", case, each.public_id)) for each in (image, pdf))
    assert (shown.content, shown.headers["Content-Type"]) == (JPEG, "image/jpeg")
    assert "no-store" in shown.headers["Cache-Control"]
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert taken.headers["Content-Disposition"].startswith("attachment")
    assert [entry.by for entry in AuditEntry.objects.filter(act="kyc.image_seen")] == [f"staff:{ann.pk}"] * 2


def test_name_and_number_are_on_the_recorded_page_alone(case):
    second = case.member.kyc_cases.get(level=2)
    attach(case)
    ann = staff("view_kyccase", "see_kyc_documents", "review_kyc")

    plain = browser(ann).get(url("change", second)).content.decode()
    seen = browser(ann).get(url("contents", second))
    assert "Lovelace" not in plain
    assert "Lovelace" in seen.content.decode()
    assert "no-store" in seen.headers["Cache-Control"]
    assert AuditEntry.objects.of(second).filter(act="kyc.facts_seen", by=f"staff:{ann.pk}").count() == 1


@pytest.mark.parametrize(
    ("deed", "answers", "state", "level"),
    [
        ("approve", {}, "approved", 3),
        ("ask_more", {"reason": "unreadable", "note": "Too dark."}, "more_needed", 2),
        ("reject", {"reason": "doubtful", "note": ""}, "rejected", 2),
    ],
)
def test_reviewer_decides_by_deeds(case, deed, answers, state, level):
    attach(case)
    attach(case, side=SELFIE)
    kyc.submit(case=case, by=SYSTEM)
    page = url(deed, case)
    assert browser(staff("view_kyccase")).post(page, answers).status_code == 403

    ann = browser(staff("view_kyccase", "review_kyc", "see_kyc_documents"))
    assert page in ann.get(url("change", case)).content.decode()
    ann.get(url("contents", case))
    for image in case.images.all():
        ann.get(url("image", case, image.public_id))
    ann.post(page, answers)

    case.refresh_from_db()
    assert (case.state, Member.objects.get(pk=case.member_id).kyc_level) == (state, level)


@pytest.mark.attack
def test_page_about_the_images_is_not_the_images(case):
    front = attach(case)
    attach(case, side=SELFIE)
    kyc.submit(case=case, by=SYSTEM)
    ann = browser(staff("view_kyccase", "review_kyc", "see_kyc_documents"))
    ann.get(url("contents", case))
    ann.get(url("image", case, front.public_id))

    answer = ann.post(url("approve", case), follow=True)

    assert "You have not seen: image of the holder&#x27;s face." in answer.content.decode()
    case.refresh_from_db()
    assert case.state == "submitted"


def test_reviewer_is_told_to_look_before_approving(case):
    attach(case)
    attach(case, side=SELFIE)
    kyc.submit(case=case, by=SYSTEM)
    ann = browser(staff("view_kyccase", "review_kyc", "see_kyc_documents"))

    answer = ann.post(url("approve", case), follow=True)

    assert "You have not seen: image of the front, image of the holder&#x27;s face." in answer.content.decode()
    case.refresh_from_db()
    assert case.state == "submitted"


def test_reviewer_is_offered_nothing_on_their_own_case(case):
    attach(case)
    attach(case, side=SELFIE)
    kyc.submit(case=case, by=SYSTEM)
    user = case.member.user
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_kyccase", "review_kyc"]))

    own = browser(user)
    assert url("approve", case) not in own.get(url("change", case)).content.decode()
    own.post(url("approve", case))
    case.refresh_from_db()
    assert case.state == "submitted"
