"""Levels of identity: what each takes, who decides, and that nothing lowers or doubles them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from members.models import KycCase, KycEvent, Member
from members.services import kyc, members
from members.services.kyc import (
    CaseIncomplete,
    CaseMoved,
    DocumentTaken,
    LevelOutOfTurn,
    LevelReached,
    NotLookedAt,
    OwnCase,
    TooYoung,
)
from members.services.kyc_facts import InvalidFact
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import AuditEntry, OpenItem
from paymentsite.core.vault import Secret
from tests.members.factories import PAPERS, approved, confirmed, looked_at, member, passed, reached, reviewer

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "900001")
Reason = KycEvent.Reason


@pytest.fixture
def ada() -> Member:
    return approved(member(handle="ada"), 1)


def drafted(who: Member, **facts) -> KycCase:
    by = Actor.of(who.user)
    return kyc.fill(case=kyc.begin(member=who, level=2, by=by), by=by, **{**PAPERS, **facts})


def submitted(who: Member, **facts) -> KycCase:
    return kyc.submit(case=drafted(who, **facts), by=Actor.of(who.user))


def level(who: Member) -> int:
    return Member.objects.get(pk=who.pk).kyc_level


def states(case: KycCase) -> list[str]:
    return list(case.events.values_list("state", flat=True))


@pytest.mark.parametrize("without", ["address", "proof of phone", "name"])
def test_first_level_takes_confirmed_address_proven_phone_and_name(without):
    who = member(phone=Secret("+8613800000000"), display_name="" if without == "name" else "Ada")
    if without != "address":
        confirmed(who)
    if without != "proof of phone":
        reached(who)
    case = kyc.begin(member=who, level=1, by=Actor.of(who.user))

    with pytest.raises(CaseIncomplete) as refusal:
        kyc.submit(case=case, by=Actor.of(who.user))
    assert len(refusal.value.facts["missing"]) == 1
    assert (level(who), states(case)) == (0, ["draft"])


def test_first_level_is_given_at_once(ada):
    case = KycCase.objects.get()

    assert (level(ada), case.state, states(case)) == (1, "approved", ["draft", "submitted", "approved"])
    assert case.events.last().actor == str(SYSTEM)


@pytest.mark.parametrize("asked", [0, 1])
def test_level_that_is_there_is_not_asked_for_again(ada, asked):
    with pytest.raises(LevelReached):
        kyc.begin(member=ada, level=asked, by=SYSTEM)


@pytest.mark.parametrize("asked", [3, 4])
def test_levels_come_one_after_the_other(ada, asked):
    with pytest.raises(LevelOutOfTurn):
        kyc.begin(member=ada, level=asked, by=SYSTEM)


def test_beginning_twice_is_beginning_once(ada):
    first, second = (kyc.begin(member=ada, level=2, by=SYSTEM) for _ in range(2))

    assert first == second
    assert states(first) == ["draft"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("legal_name", Secret(" ")),
        ("legal_name", Secret("a\0b")),
        ("number", Secret("12")),
        ("number", Secret("=1+1+1+1")),
        ("document", "library_card"),
        ("country", "GBR"),
        ("birthday", date(1899, 12, 31)),
        ("birthday", date(2199, 1, 1)),
    ],
)
def test_fact_that_cannot_be_is_refused(ada, field, value):
    with pytest.raises(InvalidFact):
        drafted(ada, **{field: value})


@pytest.mark.parametrize("missing", ["legal_name", "birthday", "document", "country", "number"])
def test_second_level_takes_every_fact(ada, missing):
    by = Actor.of(ada.user)
    given = {name: value for name, value in PAPERS.items() if name != missing}
    case = kyc.fill(case=kyc.begin(member=ada, level=2, by=by), by=by, **given)

    with pytest.raises(CaseIncomplete):
        kyc.submit(case=case, by=by)


def test_third_level_takes_images(ada):
    ada = approved(ada, 2)
    case = kyc.begin(member=ada, level=3, by=SYSTEM)

    with pytest.raises(CaseIncomplete, match="image of the front, image of the holder's face"):
        kyc.submit(case=case, by=SYSTEM)
    assert level(approved(ada, 3)) == 3


def test_second_level_is_for_grown_people_by_the_day_where_they_live(ada):
    day = datetime(2026, 12, 1, 0, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    with clock.standing(day):
        assert submitted(ada, birthday=date(2008, 12, 1)).state == "submitted"
    bo = approved(member(), 1)
    with clock.standing(day), pytest.raises(TooYoung):
        submitted(bo, birthday=date(2008, 12, 2), number=Secret("B99999"))
    assert KycCase.objects.get(member=bo, level=2).state == "draft"


def test_approval_gives_the_level_and_keeps_the_birthday(ada):
    passed(submitted(ada))

    assert level(ada) == 2
    assert Member.objects.get(pk=ada.pk).birthday.decrypt().reveal() == "1990-05-04"
    with pytest.raises(members.BirthdayVerified):
        members.edit(member=ada, by=Actor.of(ada.user), birthday=date(1991, 1, 1))


def test_nobody_decides_on_themself(ada):
    case = submitted(ada)
    for by in (Actor.of(ada.user), Actor("staff", str(ada.pk))):
        for decide in (kyc.approve, kyc.reject, kyc.ask_more):
            given = {} if decide is kyc.approve else {"reason": Reason.DOUBTFUL}
            with pytest.raises(OwnCase):
                decide(case=case, by=by, **given)
    assert level(ada) == 1


@pytest.mark.parametrize("state", ["draft", "approved", "rejected", "more_needed"])
def test_only_what_was_submitted_is_decided(ada, state):
    case = drafted(ada) if state == "draft" else submitted(ada)
    if state == "approved":
        passed(case)
    if state == "rejected":
        kyc.reject(case=case, reason=Reason.DOUBTFUL, by=STAFF)
    if state == "more_needed":
        kyc.ask_more(case=case, reason=Reason.EXPIRED, by=STAFF)
    before, had = states(case), level(ada)

    for decide, given in (
        (kyc.approve, {}),
        (kyc.reject, {"reason": "expired"}),
        (kyc.ask_more, {"reason": "expired"}),
    ):
        with pytest.raises(CaseMoved):
            decide(case=case, by=STAFF, **given)
    assert (states(case), level(ada)) == (before, had)


def test_submitted_case_is_not_changed(ada):
    case = submitted(ada)

    with pytest.raises(CaseMoved):
        kyc.fill(case=case, by=Actor.of(ada.user), legal_name=Secret("Somebody Else"))


def test_case_that_needs_more_is_submitted_again(ada):
    case = submitted(ada)
    kyc.ask_more(case=case, reason=Reason.MISMATCH, note="The name differs.", by=STAFF)
    assert KycCase.objects.get(pk=case.pk).note == "The name differs."

    kyc.fill(case=case, by=Actor.of(ada.user), legal_name=Secret("Ada King"))
    passed(kyc.submit(case=case, by=Actor.of(ada.user)))

    assert states(case) == ["draft", "submitted", "more_needed", "submitted", "approved"]
    assert level(ada) == 2


def test_what_changed_since_it_was_looked_at_is_not_approved_unseen(ada):
    case, by = submitted(ada), Actor.of(ada.user)
    with pytest.raises(NotLookedAt):
        kyc.approve(case=case, by=reviewer())
    looked_at(case)
    with pytest.raises(NotLookedAt):
        kyc.approve(case=case, by=STAFF)

    kyc.ask_more(case=case, reason=Reason.MISMATCH, by=STAFF)
    kyc.submit(case=kyc.fill(case=case, by=by, legal_name=Secret("Somebody Else")), by=by)
    with pytest.raises(NotLookedAt):
        kyc.approve(case=case, by=reviewer())
    assert level(ada) == 1

    passed(case)
    assert level(ada) == 2


def test_after_a_rejection_another_case_may_be_begun(ada):
    kyc.reject(case=submitted(ada), reason=Reason.DOUBTFUL, by=STAFF)

    passed(submitted(ada))
    assert level(ada) == 2


@pytest.mark.parametrize("number", ["E12345678", "e 123-456.78"])
def test_document_serves_one_member_and_the_other_learns_nothing(ada, number):
    passed(submitted(ada))
    bo = approved(member(), 1)
    case = submitted(bo, number=Secret(number))

    assert case.state == "submitted"
    assert OpenItem.objects.get(kind="kyc_document_twice").subject == f"members.kyccase:{case.pk}"
    with pytest.raises(DocumentTaken):
        passed(case)
    assert level(bo) == 1


@pytest.mark.parametrize("other", [{"country": "FR"}, {"document": "id_card"}, {"number": Secret("E12345679")}])
def test_another_document_is_another_document(ada, other):
    passed(submitted(ada))
    bo = approved(member(), 1)

    passed(submitted(bo, **other))
    assert level(bo) == 2


def test_approval_never_lowers_a_level(ada):
    case = submitted(ada)
    Member.objects.filter(pk=ada.pk).update(kyc_level=3)

    passed(case)
    assert level(ada) == 3


def test_member_who_has_left_is_not_raised(ada):
    case = submitted(ada)
    members.close(member=ada, by=STAFF, reason="left")

    with pytest.raises(members.MemberClosed):
        passed(case)


def test_what_a_case_holds_is_neither_stored_nor_told_in_clear(ada):
    case = submitted(ada)

    row = str(KycCase.objects.filter(pk=case.pk).values().get())
    trail = str(list(AuditEntry.objects.values()))
    for secret in ("Lovelace", "E12345678", "1990-05-04"):
        assert secret not in row + trail
    assert KycCase.objects.values_list("number", flat=True).get(pk=case.pk).raw.startswith(b"PV")
