"""Joining, profiles, and whether a member may act."""

from datetime import date

import pytest

from members.models import Member, MemberEvent
from members.services import members
from members.services.members import (
    MemberClosed,
    MemberSuspended,
    NotAMember,
    ReasonMissing,
)
from members.services.profiles import HandleTaken, InvalidProfile
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import AuditEntry
from paymentsite.core.vault import Secret
from tests.members.factories import MemberFactory, UserFactory, member

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")


def kinds(of: Member) -> list[str]:
    return list(of.events.values_list("kind", flat=True))


def test_joining_twice_is_joining_once():
    user = UserFactory()

    first, second = members.join(user=user, handle="ada"), members.join(user=user, handle="other")

    assert (first.pk, first.handle, second.handle) == (user.pk, "ada", "ada")
    assert (first.state, first.kyc_level, kinds(first)) == ("active", 0, ["joined"])
    assert first.owner == f"member:{user.pk}"


def test_somebody_who_never_joined_is_no_member():
    with pytest.raises(NotAMember):
        members.of(UserFactory())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("handle", "ab"),
        ("handle", "9lives"),
        ("handle", "has space"),
        ("handle", "ünlaut"),
        ("display_name", "x" * 81),
        ("display_name", "a\0b"),
        ("phone", Secret("12345")),
        ("phone", Secret("+0123456789")),
        ("phone", Secret("+86 138 abc")),
        ("birthday", date(1899, 12, 31)),
        ("birthday", date(2199, 1, 1)),
        ("language", "de"),
        ("time_zone", "Mars/Base"),
        ("home_currency", "PTS"),
        ("home_currency", "cny"),
    ],
)
def test_profile_that_cannot_be_is_refused_and_changes_nothing(field, value):
    ada = member()
    before = Member.objects.values().get(pk=ada.pk)

    with pytest.raises(InvalidProfile):
        members.edit(member=ada, by=SYSTEM, **{field: value})

    assert Member.objects.values().get(pk=ada.pk) == before


@pytest.mark.parametrize("handle", ["ada", "@Ada", "ADA", "support"])
def test_handle_that_is_taken_is_refused_in_any_spelling(handle):
    member(handle="ada")

    with pytest.raises(HandleTaken):
        members.edit(member=member(), by=SYSTEM, handle=handle)


def test_personal_data_is_stored_encrypted_and_told_to_nobody():
    ada = member(phone=Secret("+8613800000000"), birthday=date(1990, 5, 4))

    found = Member.objects.get(phone_digest=Secret("+8613800000000"))

    assert found == ada
    assert (found.phone.decrypt().reveal(), found.birthday.decrypt().reveal()) == ("+8613800000000", "1990-05-04")
    members.edit(member=ada, by=SYSTEM, phone=Secret("+8613900000000"))
    entry = AuditEntry.objects.get(act="member.edited")
    assert (entry.before, entry.after) == ({"phone": "[hidden]"}, {"phone": "[hidden]"})


def test_profile_is_as_edited_and_the_rest_stays():
    ada = member(handle="ada", display_name="Ada")

    edited = members.edit(member=ada, by=SYSTEM, display_name="  Ada   L. ", language="zh-hans")

    assert (edited.handle, edited.display_name, edited.language) == ("ada", "Ada L.", "zh-hans")


def test_suspended_member_may_not_act_until_resumed():
    ada = member()

    members.suspend(member=ada, by=STAFF, reason="looked odd")
    again = members.suspend(member=ada, by=STAFF, reason="twice is once")

    with pytest.raises(MemberSuspended):
        members.check_active(again)
    with pytest.raises(MemberSuspended):
        members.edit(member=ada, by=SYSTEM, display_name="x")
    members.check_active(members.resume(member=ada, by=STAFF, reason="cleared up"))
    assert kinds(ada) == ["joined", "suspended", "resumed"]
    assert MemberEvent.objects.get(kind="suspended").reason == "looked odd"


def test_closed_membership_stays_closed():
    ada = member()
    members.close(member=ada, by=STAFF, reason="asked for it")

    for again in (members.suspend, members.resume):
        with pytest.raises(MemberClosed):
            again(member=ada, by=STAFF, reason="x")
    assert members.close(member=ada, by=STAFF, reason="x").state == "closed"
    assert kinds(ada) == ["joined", "closed"]


@pytest.mark.parametrize("reason", ["", " ", "x" * 256])
def test_changing_a_members_state_needs_a_reason(reason):
    with pytest.raises(ReasonMissing):
        members.suspend(member=member(), by=STAFF, reason=reason)


def test_members_are_locked_in_id_order_whatever_the_order_asked():
    one, two = MemberFactory(), MemberFactory()

    assert list(Member.objects.lock_all([two.pk, one.pk, two.pk])) == [one.pk, two.pk]
    with pytest.raises(Member.DoesNotExist):
        Member.objects.lock_all([one.pk, 10**9])
