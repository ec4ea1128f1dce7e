"""Who is meant, and what is shown of them."""

import pytest

from members.queries import payees
from members.services import members
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.vault import Secret
from tests.members.factories import confirmed, member, reached

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")


@pytest.mark.parametrize(
    "text", ["", "@", "+", "@nobody", "nobody", "nobody@example.com", "+8613899999999", "+1", "a@"]
)
def test_nobody_is_found_by_what_nobody_has(text):
    member(handle="ada")

    assert payees.find(text) is None


@pytest.mark.parametrize("text", ["@ada", "ada", " @Ada ", "ADA@example.com", "+86 138 0000 0000", "+86-13800000000"])
def test_member_is_found_by_any_of_their_names(text):
    ada = reached(confirmed(member(handle="ada", phone=Secret("+8613800000000"), user__email="ada@example.com")))
    reached(member(handle="ada2", phone=Secret("+8613800000001")))

    assert payees.find(text) == ada


def test_address_that_is_not_confirmed_finds_nobody():
    member(user__email="ada@example.com")

    assert payees.find("ada@example.com") is None


def test_phone_that_is_typed_alone_finds_nobody():
    member(phone=Secret("+8613800000000"))

    assert payees.find("+8613800000000") is None


def test_suspended_member_is_found_and_a_closed_one_is_not():
    ada = member(handle="ada")
    members.suspend(member=ada, by=STAFF, reason="x")
    assert payees.find("@ada") == ada

    members.close(member=ada, by=STAFF, reason="x")
    assert payees.find("@ada") is None


def test_phone_that_was_taken_away_finds_nobody():
    ada = reached(member(phone=Secret("+8613800000000")))

    members.edit(member=ada, by=SYSTEM, phone=None)

    assert payees.find("+8613800000000") is None


@pytest.mark.parametrize(
    ("name", "handle", "masked"),
    [
        ("Ada Lovelace", "ada", "A** L**"),
        ("Bo", "bo_", "B**"),
        ("王小明", "ming", "**明"),
        ("李明", "ming", "**明"),
        ("", "ada", "@a**"),
        ("", None, "**"),
    ],
)
def test_name_is_shown_masked(name, handle, masked):
    assert payees.masked_name(member(display_name=name, handle=handle)) == masked
