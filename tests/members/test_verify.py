"""Whatever is done to members behind the services' backs, verify finds it and names the row."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import CheckConstraint, Model

from members.models import Member, MemberEvent, Pin, PinRecovery
from members.services import pin_recovery, pins
from paymentsite.core import clock, verification
from paymentsite.core.actors import Actor
from paymentsite.core.vault import Secret
from tests.members.factories import confirmed, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def unconstrained() -> Iterator[Callable[[type[Model]], None]]:
    """``unconstrained(Model)``: its conditions stand in the way no more, as for somebody with all rights."""
    if connection.vendor == "sqlite":
        run("PRAGMA ignore_check_constraints = ON")
        yield lambda _model: None
        run("PRAGMA ignore_check_constraints = OFF")
        return

    def drop(model: type[Model]) -> None:
        for constraint in model._meta.constraints:
            if isinstance(constraint, CheckConstraint):
                run(f"ALTER TABLE {model._meta.db_table} DROP CONSTRAINT {constraint.name}")

    yield drop


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def ada(mailoutbox) -> Member:
    """A member of whom everything is there that can be."""
    made = confirmed(member(handle="ada"))
    by = Actor.of(made.user)
    pins.set_pin(member=made, pin=Secret("482916"), by=by)
    pin_recovery.request_recovery(member=made, by=by)
    return made


def found(check: str) -> set[str]:
    return {finding.subject for finding in verification.discover().run(only=[check]).findings}


def someone_elses_pin(ada: Member) -> None:
    bo = member()
    pins.set_pin(member=bo, pin=Secret("730581"), by=Actor.of(bo.user))
    Pin.objects.filter(pk=ada.pk).update(hashed=Pin.objects.values_list("hashed", flat=True).get(pk=bo.pk))


Plant = Callable[[Member], object]


def state(_: Member) -> None:
    Member.objects.update(state="suspended")


def no_events(_: Member) -> None:
    MemberEvent.objects.all().delete()


def never_joined(_: Member) -> None:
    MemberEvent.objects.update(kind="resumed")


def pin(**columns: Any) -> Plant:
    return lambda _: Pin.objects.update(**columns)


def code_that_lives_on(_: Member) -> None:
    PinRecovery.objects.update(expires_at=clock.now() + timedelta(days=9))


CORRUPTIONS: list[tuple[str, str, Plant, str]] = [
    ("members.state_is_last_event", "another state", state, "member"),
    ("members.state_is_last_event", "no events", no_events, "member"),
    ("members.state_is_last_event", "never joined", never_joined, "member"),
    ("members.pin_counters_hold", "a try too many", pin(tries=6), "pin"),
    ("members.pin_counters_hold", "five tries and no lock", pin(tries=5), "pin"),
    ("members.pin_counters_hold", "a lock too many", pin(locks=4), "pin"),
    (
        "members.pin_counters_hold",
        "locked for ever",
        pin(tries=5, locks=1, locked_until=datetime(2199, 1, 1, tzinfo=UTC)),
        "pin",
    ),
    ("members.pin_counters_hold", "a code that lives on", code_that_lives_on, "recovery"),
    ("members.pin_decipherable", "the PIN of another member", someone_elses_pin, "pin"),
]


@pytest.mark.parametrize(
    ("check", "plant", "subject"),
    [pytest.param(check, plant, subject, id=f"{check}: {what}") for check, what, plant, subject in CORRUPTIONS],
)
def test_corruption_is_found_and_named(ada, unprotected, unconstrained, check, plant, subject):
    named = {"member": ada.pk, "pin": ada.pk, "recovery": PinRecovery.objects.get().pk}
    assert found(check) == set()

    for model in (Member, Pin):
        unconstrained(model)
    with unprotected():
        plant(ada)

    assert found(check) == {f"{subject} {named[subject]}"}


def test_every_check_of_members_has_a_corruption():
    names = {name for name in verification.discover().checks if name.startswith("members.")}

    assert names == {check for check, *_ in CORRUPTIONS}


def test_everything_about_a_member_is_clean(ada):
    assert verification.discover().run().findings == []
    assert MemberEvent.objects.exists()
