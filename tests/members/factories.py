"""Members to arrange tests with: joined as the site joins them."""

import re
from datetime import date
from typing import Any
from uuid import uuid4

import factory
from allauth.account.models import EmailAddress

from members.models import KycCase, KycEvent, KycImage, Limit, Member, User
from members.models.limits import CAP_MAX
from members.services import kyc, kyc_images, members, phone_proofs, rights
from members.services.kyc_facts import Facts
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.ids import EPOCH
from paymentsite.core.vault import Secret
from tests.terms import told

CURRENCIES = ("CNY", "EUR", "USD", "JPY", "HKD", "GBP", "KWD")
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 300
PAPERS: Facts = {
    "legal_name": Secret("Ada Lovelace"),
    "birthday": date(1990, 5, 4),
    "document": KycCase.Document.PASSPORT,
    "country": "GB",
    "number": Secret("E12345678"),
}


def signed_up(email: str, **fields: Any) -> User:
    """Who signs in so; staff as whoever runs the site makes them."""
    user = User.objects.create_user(email, **fields)
    if user.is_staff or user.is_superuser:
        rights.appoint(user=user, superuser=user.is_superuser, by=SYSTEM, reason="test")
    return user


def superuser(email: str) -> User:
    return signed_up(email, is_staff=True, is_superuser=True)


class UserFactory(factory.Factory[User]):
    class Meta:
        model = signed_up

    email = factory.Sequence(lambda number: f"person{number}@example.com")


def unlimited() -> None:
    """Where no limit is set nothing is allowed: let everybody do all that a test may ask for."""
    sorts = (("amount", "act"), ("balance", "always"))
    if not Limit.objects.exists():
        limits = Limit.objects.bulk_create(
            Limit(
                kind="any",
                currency=currency,
                measure=measure,
                period=period,
                cap=CAP_MAX,
                starts_at=EPOCH,
                set_by="test:1",
            )
            for currency in CURRENCIES
            for measure, period in sorts
        )
        told(*limits)


def joined(**fields: Any) -> Member:
    unlimited()
    return members.join(**fields)


class MemberFactory(factory.Factory[Member]):
    class Meta:
        model = joined

    user = factory.SubFactory(UserFactory)
    handle = factory.Sequence(lambda number: f"person{number}")
    display_name = factory.Sequence(lambda number: f"Person {number}")


def member(**fields: Any) -> Member:
    made: Member = MemberFactory(**fields)
    return made


def confirmed(member: Member) -> Member:
    """The member with a confirmed e-mail address, as everybody who can sign in has."""
    address = {"verified": True, "primary": True}
    EmailAddress.objects.get_or_create(user=member.user, email=member.user.email, defaults=address)
    return member


class Phone:
    """A phone that is here: what is sent to it can be read."""

    leaves = False

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def send(self, *, to: Secret, text: Secret) -> None:
        self.messages.append((to.reveal(), text.reveal()))

    @property
    def code(self) -> Secret:
        """The code that came last; none that could be right when there is none."""
        found = re.search(r"\b\d{8}\b", self.messages[-1][1]) if self.messages else None
        return Secret(found[0] if found else "")


def reached(member: Member) -> Member:
    """The member, who has proven the phone number in their profile; one is made up where there is none."""
    member, by, phone = Member.objects.get(pk=member.pk), Actor.of(member.user), Phone()
    if not member.phone:
        member = members.edit(member=member, by=by, phone=Secret(f"+86139{member.pk:08}"))
    if member.phone_proven_at:
        return member
    phone_proofs.request_code(member=member, by=by, through=phone)
    return phone_proofs.prove(member=member, code=phone.code, by=by)


def reviewer() -> Actor:
    """Somebody who may look at identity cases and decide on them."""
    email = "reviewer@example.com"
    return Actor.of(User.objects.filter(email=email).first() or superuser(email))


def looked_at(case: KycCase) -> KycCase:
    """The case, of which the reviewer has seen everything as it is."""
    kyc_images.look_at_facts(case=case, by=reviewer())
    for image in case.images.select_related("case"):
        kyc_images.look(image=image, by=reviewer())
    return case


def passed(case: KycCase) -> KycCase:
    """The case, looked at and approved."""
    return kyc.approve(case=looked_at(case), by=reviewer())


def reachable(member: Member) -> None:
    """The member is at level 1, by its rows alone: for tests of something else, which need it by the hundred."""
    now = clock.now()
    passed = {"state": KycCase.State.APPROVED, "decided_at": now}
    case = KycCase.objects.create(
        public_id=uuid4(), member=member, level=kyc.CONTACT, opened_at=now, submitted_at=now, **passed
    )
    KycEvent.objects.create(case=case, state=case.state, actor=str(SYSTEM), at=now)
    Member.objects.filter(pk=member.pk).update(kyc_level=kyc.CONTACT)


def approved(member: Member, level: int, **facts: Any) -> Member:
    """The member at ``level``, by the way that leads there."""
    member = reached(confirmed(member))
    by = Actor.of(member.user)
    for each in range(member.kyc_level + 1, level + 1):
        case = kyc.begin(member=member, level=each, by=by)
        if each == kyc.NAMED:
            kyc.fill(case=case, by=by, **{**PAPERS, "number": Secret(f"E{member.pk:08}"), **facts})
        if each == kyc.SHOWN:
            for side in ("front", "selfie"):
                kyc_images.attach(case=case, side=KycImage.Side(side), content=JPEG, by=by)
        case = kyc.submit(case=case, by=by)
        if each > kyc.CONTACT:
            passed(case)
    return Member.objects.get(pk=member.pk)
