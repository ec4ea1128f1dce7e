"""Arguments that wait for an approval come back as they went in."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from django.db import models

from members.models import User
from paymentsite.core import canonical
from paymentsite.core.actors import Actor
from paymentsite.core.arguments import ArgumentGone, carried, readable, restored, stored
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret


class Colour(models.TextChoices):
    RED = "red"


class Number(Enum):
    ONE = 1


@carried
@dataclass(frozen=True)
class Leg:
    amount: Money
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Stranger:
    name: str


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**70),
        "text",
        "",
        [],
        [1, [2, "x"]],
        (),
        (1, (2,)),
        {},
        {"is": "money", "value": {"a": (1,)}},
        Decimal("1.10"),
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=8))),
        date(2026, 1, 2),
        timedelta(days=-1, microseconds=1),
        UUID(int=5),
        Money(-5, "JPY"),
        Actor("staff", "1"),
        Leg(Money(1, "PTS"), ("a",)),
        [Leg(Money(1, "PTS"), ()), {"when": date(2026, 1, 2)}],
    ],
)
def test_argument_comes_back_equal_and_of_its_type(value: object) -> None:
    written = stored(value)

    again = restored(written)

    assert (again, type(again)) == (value, type(value))
    assert canonical.text(stored(again)) == canonical.text(written)


def test_choice_comes_back_as_its_value() -> None:
    assert (restored(stored(Colour.RED)), restored(stored(Number.ONE))) == ("red", 1)


@pytest.mark.parametrize(
    "value",
    [0.5, b"x", {1}, {1: "x"}, object(), Secret("x"), Stranger("x"), [Stranger("x")], User(), lambda: None],
)
def test_argument_that_could_not_come_back_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot wait for an approval"):
        stored(value)


def test_carried_takes_dataclasses_only() -> None:
    with pytest.raises(TypeError, match="is no dataclass"):
        carried(object)


def test_carried_takes_one_class_of_a_name() -> None:
    with pytest.raises(TypeError, match="another Leg is carried already"):
        carried(dataclass(type("Leg", (), {})))


@pytest.mark.django_db
def test_row_comes_back_as_it_is_now() -> None:
    user = User.objects.create_user("ann@example.com")
    written = stored(user)
    User.objects.update(email="bob@example.com")

    assert restored(written) == user
    assert restored(written).email == "bob@example.com"


@pytest.mark.django_db
def test_row_that_is_gone_is_named() -> None:
    user = User.objects.create_user("ann@example.com")
    written, pk = stored(user), user.pk
    user.delete()

    with pytest.raises(ArgumentGone) as refusal:
        restored(written)

    assert refusal.value.facts == {"subject": f"members.user:{pk}"}


def test_argument_is_readable() -> None:
    value = {
        "user": User(pk=7),
        "leg": Leg(Money(5, "CNY"), ("a", "b")),
        "on": date(2026, 1, 2),
        "note": None,
        "list": [Decimal("1.10"), 3],
    }

    assert readable(stored(value)) == {
        "user": "members.user:7",
        "leg": {"amount": {"amount": 5, "currency": "CNY"}, "tags": ["a", "b"]},
        "on": "2026-01-02",
        "note": None,
        "list": ["1.10", 3],
    }
