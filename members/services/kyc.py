"""Levels of identity, one case each: draft → submitted → approved | rejected | more needed (→ submitted again).

Level 1 takes a confirmed address, a proven phone number and a name, and is given at once. Level 2 takes the name in
law, a document and a birthday, level 3 images of the document (``kyc_images``); staff decide on both.
"""

from datetime import date
from typing import Any, Final, Unpack

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from members.models import KycCase, KycEvent, Member
from members.services import kyc_looks, members, notices
from members.services.kyc_facts import CHECKS, Facts
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.acts import act
from paymentsite.core.disclosure import clear
from paymentsite.core.errors import Conflict, Forbidden, Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.services import audit, open_items

State = KycCase.State
Proof = KycCase.Proof
Reason = KycEvent.Reason

CONTACT, NAMED, SHOWN = 1, 2, 3
ADULT: Final = 18
TWICE: Final = "kyc_document_twice"

_KINDS: Final = {
    State.APPROVED: notices.kind("kyc_approved", gettext_noop("Your identity is verified for level {level}.")),
    State.REJECTED: notices.kind("kyc_rejected", gettext_noop("Your request for level {level} was not accepted.")),
    State.MORE_NEEDED: notices.kind(
        "kyc_more_needed", gettext_noop("We need something more from you for level {level}. Look at your request.")
    ),
}


class LevelOutOfTurn(Refused):
    code = "kyc_level_out_of_turn"
    sentence = gettext_noop("Your level is {now}, so the next to ask for is {next}.")


class LevelReached(Refused):
    code = "kyc_level_reached"
    sentence = gettext_noop("You have level {now} already.")


class CaseIncomplete(Refused, missing=Proof):
    code = "kyc_incomplete"
    sentence = gettext_noop("Still missing: {missing}.")


class CaseMoved(Conflict, state=State):
    code = "kyc_case_moved"
    sentence = gettext_noop("That cannot be done now: the request is {state}.")


class TooYoung(Refused):
    code = "kyc_too_young"
    sentence = gettext_noop("Level 2 is for people of {age} years and more.")


class DocumentTaken(Conflict):
    code = "kyc_document_taken"
    sentence = gettext_noop("That document serves another member already.")


class OwnCase(Forbidden):
    code = "kyc_own_case"
    sentence = gettext_noop("Nobody decides on their own identity.")


class NotLookedAt(Refused, missing=kyc_looks.Part):
    code = "kyc_not_looked_at"
    sentence = gettext_noop("Look first at what you approve, as it is now. You have not seen: {missing}.")


@act
def begin(*, member: Member, level: int, by: Actor) -> KycCase:
    """The member's open case for ``level``, a draft when there was none. Levels are reached one after the other."""
    member = Member.objects.lock(member.pk)
    members.check_active(member)
    if level <= member.kyc_level:
        raise LevelReached(now=member.kyc_level)
    if level != member.kyc_level + 1 or level > SHOWN:
        raise LevelOutOfTurn(now=member.kyc_level, next=min(member.kyc_level + 1, SHOWN))
    if first := KycCase.objects.of(member).open().first():
        return first
    now = clock.now()
    case = KycCase.objects.create(public_id=uuid7(now), member=member, level=level, opened_at=now)
    _tell(case, by=by)
    return case


@act
def fill(*, case: KycCase, by: Actor, **facts: Unpack[Facts]) -> KycCase:
    """The case says what is given, while it is the member's to change."""
    case = editable(case)
    for name, value in facts.items():
        setattr(case, name, CHECKS[name](value))
    case.save(update_fields=[*facts, *(["number_digest"] if "number" in facts else [])])
    audit.record(by=by, act="kyc.filled", subject=case, after={"facts": sorted(facts)})
    return case


@act
def submit(*, case: KycCase, by: Actor) -> KycCase:
    """Staff are to decide; for level 1 it is decided at once. Refused while something is missing, or too young."""
    case = editable(case)
    _check_complete(case)
    now = clock.now()
    case = _move(case, KycCase.EDITABLE, State.SUBMITTED, by=by, submitted_at=now, note="")
    if case.level == CONTACT:
        return _approve(case, by=SYSTEM)
    if _serves_another(case):
        why = "the document of this case serves another member already"
        open_items.open(kind=TWICE, subject=case, why=why, by=SYSTEM)
    return case


@act
def approve(*, case: KycCase, by: Actor) -> KycCase:
    """The member has the case's level, at least. All that it takes is looked at once more.

    Who approves has looked at all of it, image by image, since it was submitted: what a member changed meanwhile is
    not approved unseen.
    """
    case = _reviewed(case, by)
    if missing := kyc_looks.unseen(case, by):
        raise NotLookedAt(missing=missing)
    _check_complete(case)
    if _serves_another(case):
        raise DocumentTaken
    return _approve(case, by=by)


@act
def reject(*, case: KycCase, reason: Reason, by: Actor, note: str = "") -> KycCase:
    """The member does not get the level on this case; another one may be begun."""
    return _move(
        _reviewed(case, by), (State.SUBMITTED,), State.REJECTED, by=by, reason=reason, note=_noted(note), **_decided()
    )


@act
def ask_more(*, case: KycCase, reason: Reason, by: Actor, note: str = "") -> KycCase:
    """The case is the member's again, to change and to submit anew."""
    return _move(_reviewed(case, by), (State.SUBMITTED,), State.MORE_NEEDED, by=by, reason=reason, note=_noted(note))


def editable(case: KycCase) -> KycCase:
    """The case, read again under its member's lock; raises unless the member may change it."""
    member = Member.objects.lock(case.member_id)
    members.check_active(member)
    found = KycCase.objects.select_related("member").get(pk=case.pk)
    if found.state not in KycCase.EDITABLE:
        raise CaseMoved(state=found.state)
    return found


def _reviewed(case: KycCase, by: Actor) -> KycCase:
    member = Member.objects.lock(case.member_id)
    if member.state == Member.State.CLOSED:
        members.check_active(member)
    if by.person == f"user:{member.pk}":
        raise OwnCase
    found = KycCase.objects.select_related("member").get(pk=case.pk)
    if found.state != State.SUBMITTED:
        raise CaseMoved(state=found.state)
    return found


def _approve(case: KycCase, *, by: Actor) -> KycCase:
    try:
        with transaction.atomic():
            case = _move(case, (State.SUBMITTED,), State.APPROVED, by=by, **_decided())
    except IntegrityError as error:
        if "document" in str(error):
            raise DocumentTaken from error
        raise
    member = case.member
    verified = {"birthday": case.birthday.decrypt()} if case.birthday else {}
    for name, value in {**verified, "kyc_level": max(member.kyc_level, case.level)}.items():
        setattr(member, name, value)
    member.save(update_fields=["kyc_level", *verified])
    return case


def _move(case: KycCase, old: tuple[State, ...], new: State, *, by: Actor, reason: str = "", **more: Any) -> KycCase:
    before = case.state
    if not KycCase.objects.filter(pk=case.pk, state__in=old).update(state=new, **more):
        raise CaseMoved(state=KycCase.objects.values_list("state", flat=True).get(pk=case.pk))
    case = KycCase.objects.select_related("member").get(pk=case.pk)
    event = _tell(case, by=by, reason=reason)
    audit.record(by=by, act=f"kyc.{new}", subject=case, before=before, after=new, reason=reason)
    if kind := _KINDS.get(new):
        notices.tell(member=case.member, kind=kind, subject=f"kyc:{event.pk}", level=case.level)
    return case


def _tell(case: KycCase, *, by: Actor, reason: str = "") -> KycEvent:
    return KycEvent.objects.create(case=case, state=case.state, reason=reason, actor=str(by), at=clock.now())


def _decided() -> dict[str, Any]:
    return {"decided_at": clock.now()}


def _check_complete(case: KycCase) -> None:
    if missing := _missing(case):
        raise CaseIncomplete(missing=missing)
    if case.level == NAMED and _age(case) < ADULT:
        raise TooYoung(age=ADULT)


def _missing(case: KycCase) -> list[KycCase.Proof]:
    member = case.member
    needs = {
        CONTACT: {
            Proof.EMAIL: EmailAddress.objects.filter(user=member.pk, verified=True).exists(),
            Proof.PHONE: member.phone_proven_at,
            Proof.DISPLAY_NAME: member.display_name,
        },
        NAMED: {
            Proof.LEGAL_NAME: case.legal_name,
            Proof.BIRTHDAY: case.birthday,
            Proof.DOCUMENT: case.document,
            Proof.COUNTRY: case.country,
            Proof.NUMBER: case.number,
        },
        SHOWN: {side: case.images.filter(side=side).exists() for side in (Proof.FRONT, Proof.SELFIE)},
    }
    return [name for name, there in needs[case.level].items() if not there]


def _age(case: KycCase) -> int:
    born = date.fromisoformat(case.birthday.decrypt().reveal())
    today = clock.today(case.member.time_zone)
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _serves_another(case: KycCase) -> bool:
    """Whether an approved case of somebody else names the same document, under whichever key its digest is."""
    if not case.number:
        return False
    same = KycCase.objects.approved().filter(document=case.document, country=case.country)
    return same.filter(number_digest=case.number.decrypt()).exclude(member=case.member_id).exists()


def _noted(note: str) -> str:
    return clear(note).strip()[:500]
