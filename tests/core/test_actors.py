"""Who acts, and what they may."""

import pytest
from django.contrib.auth.models import AnonymousUser, Permission

from members.models import User
from paymentsite.core.actors import SYSTEM, Actor

pytestmark = pytest.mark.django_db

RIGHT = "members.change_user"


def user(**fields) -> User:
    made = User.objects.create_user("ann@example.com", **fields)
    made.user_permissions.add(Permission.objects.get(codename="change_user"))
    return made


@pytest.mark.parametrize("nobody", [AnonymousUser(), User(email="x@example.com")])
def test_nobody_is_no_actor(nobody) -> None:
    with pytest.raises(TypeError, match="nobody is signed in"):
        Actor.of(nobody)


@pytest.mark.parametrize("text", ["", "staff", "staff:", ":1"])
def test_parse_refuses_what_names_no_actor(text: str) -> None:
    with pytest.raises(ValueError, match="names no actor"):
        Actor.parse(text)


@pytest.mark.attack
@pytest.mark.parametrize("key", ["07", "000", "\u0667", "\uff17"])
def test_one_number_is_written_in_one_way(key: str) -> None:
    """Written otherwise, it would be somebody else, who may approve what the first one proposed."""
    with pytest.raises(ValueError, match="is not how that key is written"):
        Actor("staff", key)
    with pytest.raises(ValueError, match="is not how that key is written"):
        Actor.parse(f"member:{key}")
    assert Actor("partner", f"a{key}").key == f"a{key}"


def test_actor_is_told_by_rank_and_key() -> None:
    member, staff = User(pk=5), User(pk=6, is_staff=True)

    assert (str(Actor.of(member)), str(Actor.of(staff))) == ("member:5", "staff:6")
    assert Actor.parse("partner:a:b") == Actor("partner", "a:b")


def test_person_stays_the_same_whatever_the_rank() -> None:
    assert Actor("member", "5").person == Actor("staff", "5").person == "user:5"
    assert (Actor("partner", "5").person, SYSTEM.person) == ("partner:5", "system:paymentsite")


@pytest.mark.parametrize("kind", ["partner", "system"])
def test_rights_are_for_people(kind: str) -> None:
    assert not Actor(kind, str(user(is_superuser=True).pk)).may(RIGHT)


def test_rights_are_those_of_the_moment() -> None:
    ann = user(is_staff=True)
    actor = Actor.of(ann)
    assert actor.may(RIGHT)
    assert not actor.may("members.delete_user")

    User.objects.update(is_active=False)
    assert not actor.may(RIGHT)


def test_rights_of_staff_end_with_the_rank() -> None:
    ann = user()

    assert not Actor("staff", str(ann.pk)).may(RIGHT)
    assert Actor("member", str(ann.pk)).may(RIGHT)


@pytest.mark.parametrize("key", ["0", "x", "-1"])
def test_nobody_of_that_name_has_no_rights(key: str) -> None:
    assert not Actor("staff", key).may(RIGHT)
