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


@pytest.mark.parametrize("text", ["\ud800", "@\ud800", "a\ud800@example.com", "+86\ud800", "\x00", "a\nb"])
def test_what_cannot_be_written_is_nobody(text):
    ada = member(handle="ada", display_name="Ada")

    assert payees.find(text) is None
    assert payees.shown(text) == (None, payees.masked_name(ada))


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


NAMES = [("Ada Lovelace", "ada"), ("Bo", "bo_"), ("Ada King Lovelace", None), ("zoë ölm", None), ("王小明", "ming")]


def many(count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        name, handle = NAMES[number % len(NAMES)]
        member(display_name=name, handle=f"{handle}{number}" if handle else None)


def test_nobody_is_shown_as_somebody_who_is_here():
    """So that no form and no letter tells them apart, however odd the names of the members."""
    many(20)
    member(display_name="", handle=None)
    gone = member(display_name="Xerxes", handle="xerxes")
    members.close(member=gone, by=STAFF, reason="x")

    names = {payees.name_of_nobody(f"nobody{number}@example.com") for number in range(400)}

    assert names == {"A** L**", "B**", "A** K** L**", "z** ö**", "**明", "**"}


def test_name_of_nobody_is_the_same_whenever_the_same_is_typed():
    """And only then: what would find the same member is the same, and what would not is not."""
    many(40)
    same = [
        ("@Nobody_here", "nobody_here ", "@nobody_here"),
        ("nobody@example.com", " Nobody@EXAMPLE.com"),
        ("+8613800009999", "+86 138-0000-9999", "+86 (138) 00009999"),
    ]

    for texts in same:
        assert len({payees.name_of_nobody(text) for text in texts}) == 1
    for wrote, other in (("nobody{}@example.com", "@nobody{}@example.com"), ("@nobody{}", "@no body{}")):
        names = [(payees.name_of_nobody(wrote.format(n)), payees.name_of_nobody(other.format(n))) for n in range(50)]
        assert sum(one != two for one, two in names) > 20


def test_name_of_nobody_stays_for_nearly_all_when_members_join():
    """A name that changed would be nobody's: those of others hardly ever do."""
    many(40)
    before = [payees.name_of_nobody(f"nobody{number}") for number in range(500)]
    many(4, first=40)

    after = [payees.name_of_nobody(f"nobody{number}") for number in range(500)]

    assert sum(old != new for old, new in zip(before, after, strict=True)) < 100


def test_nobody_who_is_meant_by_a_handle_is_shown_with_its_letter_where_others_are():
    """Whoever has no name is shown by their handle, whose letter the payer has just typed."""
    member(display_name="", handle="ada")

    assert payees.name_of_nobody("@zed") == payees.name_of_nobody(" Zed") == "@z**"
    assert payees.name_of_nobody("zed@example.com") == payees.name_of_nobody("+8613800000009") == "@a**"


def test_name_is_read_from_the_database_alike_for_somebody_and_nobody(django_assert_num_queries):
    member(handle="ada")

    with django_assert_num_queries(3):
        payees.shown("@ada")
    with django_assert_num_queries(3):
        payees.shown("@nobody")
