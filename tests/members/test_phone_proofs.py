"""Whose a phone number is: told by a code that went there, to nobody else, and never who had it before."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse

from members.models import Member, Notice, PhoneProof
from members.queries import payees
from members.services import members, notices, phone_proofs, privacy
from members.services.members import MemberSuspended
from members.services.phone_proofs import (
    CodeNotSent,
    PhoneMissing,
    PhoneProvenAlready,
    ProofRefused,
    ProofTooOften,
    TextMessagesMissing,
)
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.models import AuditEntry
from paymentsite.core.text_messages import NotSent
from paymentsite.core.text_messages.kept import Kept
from paymentsite.core.vault import Secret, rotation
from tests.members.factories import Phone, approved, member, reached, superuser

pytestmark = pytest.mark.django_db

NUMBER, OTHER = Secret("+8613800000000"), Secret("+447700900123")
LATER = timedelta(minutes=2)


@pytest.fixture
def ada() -> Member:
    return member(handle="ada", phone=NUMBER)


@pytest.fixture
def phone() -> Phone:
    return Phone()


def ask(who: Member, phone: Phone) -> str:
    """What asking for a code is answered with."""
    try:
        phone_proofs.request_code(member=who, by=Actor.of(who.user), through=phone)
    except (ProofTooOften, PhoneProvenAlready, PhoneMissing) as refusal:
        return refusal.code
    return "asked"


def prove(who: Member, code: Secret) -> str:
    """What telling a code is answered with."""
    try:
        phone_proofs.prove(member=who, code=code, by=Actor.of(who.user))
    except ProofRefused as refusal:
        return refusal.code
    return "proven"


def typed(who: Member, number: Secret | None) -> Member:
    return members.edit(member=who, by=Actor.of(who.user), phone=number)


def is_proven(who: Member) -> bool:
    return Member.objects.get(pk=who.pk).phone_proven_at is not None


def trail(of: Member) -> list[str]:
    return list(AuditEntry.objects.of(of).filter(act__contains="phone").order_by("pk").values_list("act", flat=True))


def test_code_that_came_to_the_phone_proves_it(ada, phone):
    assert payees.find(NUMBER.reveal()) is None

    assert (ask(ada, phone), [to for to, _text in phone.messages]) == ("asked", [NUMBER.reveal()])
    assert prove(ada, phone.code) == "proven"

    assert payees.find("+86 138 0000 0000") == ada
    assert trail(ada) == ["member.phone_code_requested", "member.phone_proven"]
    assert list(Notice.objects.of(ada).values_list("kind", flat=True)) == ["phone_proven"]
    assert (ask(ada, phone), len(phone.messages)) == ("phone_proven_already", 1)


def test_message_goes_the_sites_own_way_in_the_members_language(settings, tmp_path):
    settings.TEXT_MESSAGES_KEPT = str(tmp_path / "texts.jsonl")
    ada = member(phone=OTHER, language="zh-hans")

    phone_proofs.request_code(member=ada, by=Actor.of(ada.user))

    [message] = Kept().messages()
    assert (message.to, "10" in message.text) == (OTHER.reveal(), True)


def test_code_and_number_are_stored_as_noise(ada, phone):
    ask(ada, phone)

    stored = str(list(PhoneProof.objects.values())) + str(list(AuditEntry.objects.values()))
    assert phone.code.reveal() not in stored
    assert NUMBER.reveal() not in stored
    assert "members.PhoneProof" in {table.name for table in rotation.guarded()}


def test_changed_number_is_proven_anew_and_the_same_one_in_another_spelling_is_not(ada):
    ada = reached(ada)

    assert is_proven(typed(ada, Secret("+86-138 0000 0000")))
    assert is_proven(members.edit(member=ada, by=Actor.of(ada.user), display_name="Ada L.", language="zh-hans"))
    assert not is_proven(typed(ada, OTHER))
    assert payees.find(NUMBER.reveal()) is payees.find(OTHER.reveal()) is None
    assert not is_proven(typed(ada, NUMBER))


def test_number_changes_hands_and_who_had_it_is_told(ada, phone):
    ada, bo = reached(approved(ada, 1)), member(handle="bodo", phone=NUMBER)
    assert payees.find(NUMBER.reveal()) == ada

    ask(bo, phone)
    assert payees.find(NUMBER.reveal()) == ada
    assert prove(bo, phone.code) == "proven"

    assert payees.find(NUMBER.reveal()) == bo
    ada.refresh_from_db()
    assert (ada.phone_proven_at, ada.phone.decrypt(), ada.kyc_level) == (None, NUMBER, 1)
    lost = AuditEntry.objects.get(act="member.phone_lost")
    assert (lost.by, lost.after) == ("system:paymentsite", {"proven_by": f"members.member:{bo.pk}"})
    [notice] = Notice.objects.of(ada).filter(kind="phone_lost")
    assert "prove it again" in notices.sentence(notice)
    assert all(word not in notices.sentence(notice) + notice.subject for word in ("bodo", str(bo.public_id)))


def test_number_goes_back_to_who_proves_it_again(ada, phone):
    ada, bo = reached(ada), member(phone=NUMBER)
    for number, who in enumerate((bo, ada, bo), 1):
        with clock.standing(clock.now() + number * LATER):
            assert (ask(who, phone), prove(who, phone.code)) == ("asked", "proven")
            assert payees.find(NUMBER.reveal()) == who

    assert Notice.objects.filter(kind="phone_lost").count() == 3


@pytest.mark.attack
def test_number_typed_by_many_is_asked_for_like_one_that_nobody_has(phone):
    """Typing, asking and guessing say the same of a number that is proven, typed, closed over or nobody's."""
    reached(member(phone=NUMBER))
    member(phone=OTHER)
    members.close(member=reached(member(phone=Secret("+819012345678"))), by=Actor("staff", "0"), reason="left")

    def tried(number: str) -> list[object]:
        eve = typed(member(), Secret(number))
        told = privacy.export(member=eve, by=Actor.of(eve.user))
        asked = [ask(eve, phone), *(prove(eve, Secret("00000000")) for _ in range(4)), ask(eve, phone)]
        return [*asked, trail(eve), sorted(told), told["phone numbers"], Notice.objects.of(eve).count()]

    answers = [tried(number) for number in (NUMBER.reveal(), OTHER.reveal(), "+819012345678", "+4915112345678")]
    assert answers[1:] == answers[:-1]
    assert answers[0][:2] == ["asked", "phone_proof_refused"]


@pytest.mark.attack
def test_who_took_a_number_does_not_read_in_their_data_that_it_was_anybodys(ada, phone):
    reached(ada)
    bo, cy = member(phone=NUMBER), member(phone=OTHER)
    for who in (bo, cy):
        ask(who, phone)
        prove(who, phone.code)

    of_bo, of_cy = (privacy.export(member=who, by=Actor.of(who.user)) for who in (bo, cy))

    assert [entry["act"] for entry in of_bo["trail"]] == [entry["act"] for entry in of_cy["trail"]]
    assert len(of_bo["notices"]) == len(of_cy["notices"])


@pytest.mark.attack
def test_code_has_three_tries(ada, phone):
    ask(ada, phone)

    assert [prove(ada, Secret("00000000")) for _ in range(3)] == ["phone_proof_refused"] * 3
    assert (prove(ada, phone.code), is_proven(ada)) == ("phone_proof_refused", False)


@pytest.mark.attack
def test_two_wrong_guesses_leave_one(ada, phone):
    ask(ada, phone)

    assert [prove(ada, Secret("00000000")) for _ in range(2)] == ["phone_proof_refused"] * 2
    assert prove(ada, phone.code) == "proven"


@pytest.mark.attack
def test_code_is_good_once(ada, phone):
    ask(ada, phone)
    code = phone.code
    assert [prove(ada, code), prove(ada, code)] == ["proven", "phone_proof_refused"]

    typed(typed(ada, OTHER), NUMBER)
    assert (prove(ada, code), is_proven(ada)) == ("phone_proof_refused", False)


@pytest.mark.attack
def test_code_of_somebody_else_for_the_same_number_is_refused(ada, phone):
    bo, theirs = member(phone=NUMBER), Phone()
    ask(ada, phone)
    ask(bo, theirs)

    assert (prove(bo, phone.code), is_proven(bo)) == ("phone_proof_refused", False)


@pytest.mark.attack
def test_code_does_not_prove_the_number_that_was_typed_after_it_was_sent(ada, phone):
    ask(ada, phone)
    typed(ada, OTHER)

    assert prove(ada, phone.code) == "phone_proof_refused"
    assert payees.find(OTHER.reveal()) is payees.find(NUMBER.reveal()) is None

    typed(ada, None)
    assert prove(ada, phone.code) == "phone_proof_refused"


@pytest.mark.attack
def test_code_is_void_after_ten_minutes_and_when_another_was_sent(ada, phone):
    ask(ada, phone)
    first = phone.code
    with clock.standing(clock.now() + LATER):
        ask(ada, phone)
        assert prove(ada, first) == "phone_proof_refused"
    with clock.standing(clock.now() + LATER + timedelta(minutes=10)):
        assert (prove(ada, phone.code), is_proven(ada)) == ("phone_proof_refused", False)


@pytest.mark.attack
def test_number_nobody_asked_a_code_for_cannot_be_proven(ada):
    assert prove(ada, Secret("")) == prove(ada, Secret("00000000")) == "phone_proof_refused"


@pytest.mark.attack
def test_member_is_sent_few_messages_whatever_numbers_they_type(ada, phone):
    start = clock.now()
    for number in range(5):
        with clock.standing(start + number * LATER):
            typed(ada, Secret(f"+86139{number:08}"))
            assert [ask(ada, phone), ask(ada, phone)] == ["asked", "phone_proof_too_often"]
    with clock.standing(start + timedelta(hours=23)):
        assert ask(typed(ada, OTHER), phone) == "phone_proof_too_often"
    with clock.standing(start + timedelta(hours=25)):
        assert ask(ada, phone) == "asked"
    assert len(phone.messages) == 6


@pytest.mark.attack
def test_number_is_sent_few_messages_whoever_asks_and_nobody_hears_of_it(phone):
    crowd = [member(phone=NUMBER) for _ in range(12)]

    assert {ask(each, phone) for each in crowd} == {"asked"}
    assert len(phone.messages) == phone_proofs.DAILY_TO_NUMBER

    withheld = crowd[-1]
    assert {prove(withheld, Secret(f"{guess:08}")) for guess in range(4)} == {"phone_proof_refused"}
    assert PhoneProof.objects.get(member=withheld).tries == 0
    assert trail(withheld) == trail(crowd[0])
    with clock.standing(clock.now() + timedelta(hours=25)):
        assert (ask(withheld, phone), len(phone.messages)) == ("asked", 11)
        assert prove(withheld, phone.code) == "proven"


def test_operators_see_whether_a_number_is_proven_and_not_the_number(client, ada):
    client.force_login(superuser("ann@example.com"))
    page = reverse("admin:members_member_change", args=[ada.pk])
    before = client.get(page).content.decode()

    reached(ada)

    after = client.get(page).content.decode()
    assert "phone number proven" in before.lower()
    assert before.count(str(clock.now().year)) < after.count(str(clock.now().year))
    assert "13800000000" not in before + after


def test_member_without_a_number_is_told_so(phone):
    assert ask(member(), phone) == "phone_missing"


def test_without_text_messages_it_is_said_that_there_are_none(ada, settings):
    settings.TEXT_MESSAGES = ""

    with pytest.raises(TextMessagesMissing, match="not set up here"):
        phone_proofs.request_code(member=ada, by=Actor.of(ada.user))
    assert not PhoneProof.objects.exists()


def test_message_that_nobody_took_is_said_and_counts(ada, phone, monkeypatch):
    def broken(**_message: Secret) -> None:
        raise NotSent("answered 500")

    with monkeypatch.context() as patch:
        patch.setattr(phone, "send", broken)
        with pytest.raises(CodeNotSent):
            ask(ada, phone)

    assert ask(ada, phone) == "phone_proof_too_often"


def test_suspended_member_asks_for_nothing_and_proves_nothing(ada, phone):
    ask(ada, phone)
    members.suspend(member=ada, by=Actor("staff", "0"), reason="odd")

    with pytest.raises(MemberSuspended):
        prove(ada, phone.code)
    with pytest.raises(MemberSuspended):
        ask(ada, phone)
    assert not is_proven(ada)


def test_nothing_is_sent_and_no_try_is_paid_for_inside_an_act(ada, phone, monkeypatch):
    ask(ada, phone)
    monkeypatch.setattr(transaction.get_connection().atomic_blocks[-1], "_from_testcase", False)

    for inside in (lambda: ask(ada, phone), lambda: prove(ada, phone.code)):
        with pytest.raises(RuntimeError, match="durable"):
            inside()
    assert len(phone.messages) == 1
