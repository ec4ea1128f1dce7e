"""Members of every level of identity, one of them waiting for a decision and one asked for more."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from allauth.account.models import EmailAddress

from members.models import KycCase, KycEvent, KycImage, Member, User
from members.services import kyc, kyc_images, members, phone_proofs, pins
from members.services.kyc_facts import Facts
from members.services.profiles import Profile
from paymentsite.core.actors import Actor
from paymentsite.core.text_messages.kept import Kept
from paymentsite.core.vault import Secret

PIN: Final = "482916"
# The smallest PNG there is: one transparent point.
_POINT: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000001000525a8a30000000049454e44ae426082"
)


@dataclass(frozen=True, slots=True)
class Sample:
    email: str
    password: str
    profile: Profile
    papers: Facts
    level: int
    then: str = ""


def _papers(name: str, born: date, document: KycCase.Document, country: str, number: str) -> Facts:
    return {
        "legal_name": Secret(name),
        "birthday": born,
        "document": document,
        "country": country,
        "number": Secret(number),
    }


MEMBER: Final = Sample(
    "member@example.com",
    "maple-lantern-17",
    {"handle": "lin", "display_name": "林样例", "phone": Secret("+8613800000001")},
    _papers("林样例", date(1992, 3, 14), KycCase.Document.ID_CARD, "CN", "11010119920314002X"),
    level=2,
)
OTHERS: Final = (
    Sample(
        "wang@example.com",
        "cedar-ribbon-23",
        {"handle": "wang_lei", "display_name": "王样例", "phone": Secret("+8613800000002"), "language": "zh-hans"},
        _papers("王样例", date(1985, 11, 2), KycCase.Document.ID_CARD, "CN", "310101198511020016"),
        level=3,
    ),
    Sample(
        "ada@example.com",
        "amber-window-35",
        {"handle": "ada", "display_name": "Ada Sample", "phone": Secret("+447700900123"), "home_currency": "GBP"},
        _papers("Ada Sample", date(1990, 12, 10), KycCase.Document.PASSPORT, "GB", "925665416"),
        level=1,
        then="waiting",
    ),
    Sample(
        "kenji@example.com",
        "quartz-meadow-58",
        {"handle": "kenji", "display_name": "Kenji Sample", "phone": Secret("+819012345678"), "home_currency": "JPY"},
        _papers("Kenji Sample", date(1978, 7, 7), KycCase.Document.PASSPORT, "JP", "TK1234567"),
        level=2,
        then="asked for more",
    ),
)


def fill(operator: User) -> None:
    """Each sample member has joined, with a payment PIN and at least the level of identity that it shows."""
    for sample in (MEMBER, *OTHERS):
        _fill(sample, Actor.of(operator))


def person(email: str, password: str) -> User:
    """Who signs in so, with a confirmed address; made when there is nobody yet."""
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, password)
    EmailAddress.objects.get_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    return user


def _fill(sample: Sample, staff: Actor) -> None:
    user = person(sample.email, sample.password)
    by = Actor.of(user)
    if Member.objects.filter(pk=user.pk, handle__isnull=False).exists():
        return
    member = members.edit(member=members.join(user=user), by=by, **sample.profile)
    member = _proven(member, sample.profile["phone"], by)
    pins.set_pin(member=member, pin=Secret(PIN), by=by)
    for level in range(member.kyc_level + 1, sample.level + 1):
        _decide(_submitted(member, level, sample, by), staff, "")
    if sample.then:
        _decide(_submitted(member, sample.level + 1, sample, by), staff, sample.then)


def _proven(member: Member, number: Secret | None, by: Actor) -> Member:
    """The member has their number. Its code stays here whoever else sends text messages: these may be real people's."""
    if number is None or member.phone_proven_at is not None:
        return member
    phones = Kept()
    phone_proofs.request_code(member=member, by=by, through=phones)
    message = phones.newest(number)
    code = re.search(r"\d{8}", message.text) if message else None
    return phone_proofs.prove(member=member, code=Secret(code[0] if code else ""), by=by)


def _submitted(member: Member, level: int, sample: Sample, by: Actor) -> KycCase:
    case = kyc.begin(member=member, level=level, by=by)
    if level == kyc.NAMED:
        kyc.fill(case=case, by=by, **sample.papers)
    if level == kyc.SHOWN:
        for side in (KycImage.Side.FRONT, KycImage.Side.SELFIE):
            kyc_images.attach(case=case, side=side, content=_POINT, by=by)
    return kyc.submit(case=case, by=by)


def _decide(case: KycCase, staff: Actor, then: str) -> None:
    if then == "asked for more":
        kyc.ask_more(case=case, reason=KycEvent.Reason.UNREADABLE, note="The image is too small.", by=staff)
    elif not then and case.state == KycCase.State.SUBMITTED:
        kyc_images.look_at_facts(case=case, by=staff)
        for image in case.images.select_related("case"):
            kyc_images.look(image=image, by=staff)
        kyc.approve(case=case, by=staff)
