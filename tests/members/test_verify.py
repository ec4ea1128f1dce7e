"""Whatever is done to members behind the services' backs, verify finds it and names the row."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import connection
from django.db.models import CheckConstraint, F, Model

from members.models import (
    KycCase,
    KycChunk,
    KycEvent,
    KycImage,
    Member,
    MemberEvent,
    Notice,
    PhoneProof,
    Pin,
    PinRecovery,
    User,
)
from members.services import members, pin_recovery, pins, privacy
from paymentsite.core import clock, verification
from paymentsite.core.actors import Actor
from paymentsite.core.models import AuditEntry
from paymentsite.core.services import approvals
from paymentsite.core.vault import Secret
from tests.made_once import MadeOnce
from tests.members.factories import approved, confirmed, member

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
        # A table with checks of foreign keys still to come cannot be altered.
        connection.check_constraints()
        for constraint in model._meta.constraints:
            if isinstance(constraint, CheckConstraint):
                run(f"ALTER TABLE {model._meta.db_table} DROP CONSTRAINT {constraint.name}")

    yield drop


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def make_ada() -> Member:
    """A member of whom everything is there that can be."""
    made = approved(confirmed(member(handle="ada")), 3)
    by = Actor.of(made.user)
    pins.set_pin(member=made, pin=Secret("482916"), by=by)
    pin_recovery.request_recovery(member=made, by=by)
    return made


@pytest.fixture(scope="module")
def made(made_once: MadeOnce) -> Member:
    return made_once(make_ada)


@pytest.fixture
def ada(made: Member, db: None) -> Member:
    return deepcopy(made)


def found(check: str) -> set[str]:
    return {finding.subject for finding in verification.discover().run(only=[check]).findings}


def someone_elses_pin(ada: Member) -> None:
    bo = member()
    pins.set_pin(member=bo, pin=Secret("730581"), by=Actor.of(bo.user))
    Pin.objects.filter(pk=ada.pk).update(hashed=Pin.objects.values_list("hashed", flat=True).get(pk=bo.pk))


Plant = Callable[[Member], object]


def every(model: type[Model], **columns: Any) -> Plant:
    return lambda _: model.objects.update(**columns)


def none(model: type[Model]) -> Plant:
    return lambda _: model.objects.all().delete()


def pin(**columns: Any) -> Plant:
    return every(Pin, **columns)


def told_otherwise(act: str) -> Plant:
    return lambda ada: AuditEntry.objects.of(ada).filter(act="member.pin_set").update(act=act)


def code_that_lives_on(_: Member) -> None:
    PinRecovery.objects.update(expires_at=clock.now() + timedelta(days=9))


def phone_typed_over(ada: Member) -> None:
    row = Member.objects.get(pk=ada.pk)
    row.phone = Secret("+447700900123")
    row.save(update_fields=["phone", "phone_digest"])


def someone_elses_phone(ada: Member) -> None:
    bo = member(phone=Secret("+447700900123"))
    Member.objects.filter(pk=ada.pk).update(phone=Member.objects.values_list("phone", flat=True).get(pk=bo.pk))


def names_swapped(ada: Member) -> None:
    bob = approved(member(), 2, legal_name=Secret("Bob"))
    held = KycCase.objects.values_list("legal_name", flat=True).get(member=bob, level=2)
    KycCase.objects.filter(member=ada, level=2).update(legal_name=held)


def chunk_gone(_: Member) -> None:
    KycChunk.objects.filter(image=KycImage.objects.get(side="front")).last().delete()


FAR = datetime(2199, 1, 1, tzinfo=UTC)

CORRUPTIONS: list[tuple[str, str, Plant, str]] = [
    ("members.state_is_last_event", "another state", every(Member, state="suspended"), "member"),
    ("members.state_is_last_event", "no events", none(MemberEvent), "member"),
    ("members.state_is_last_event", "never joined", every(MemberEvent, kind="resumed"), "member"),
    ("members.pin_counters_hold", "a try too many", pin(tries=6), "pin"),
    ("members.pin_counters_hold", "five tries and no lock", pin(tries=5), "pin"),
    ("members.pin_counters_hold", "a lock too many", pin(locks=4), "pin"),
    (
        "members.pin_counters_hold",
        "locked for ever",
        pin(tries=5, locks=1, locked_until=FAR),
        "pin",
    ),
    ("members.pin_counters_hold", "a code that lives on", code_that_lives_on, "recovery"),
    ("members.pin_is_told", "gone", none(Pin), "member"),
    ("members.pin_is_told", "emptied", pin(hashed=None, set_at=None), "member"),
    ("members.pin_is_told", "cleared by nobody", told_otherwise("member.pin_cleared"), "member"),
    ("members.pin_is_told", "set by nobody", told_otherwise("member.edited"), "member"),
    ("members.pin_decipherable", "the PIN of another member", someone_elses_pin, "pin"),
    ("members.phone_is_proven", "a number that is gone", every(Member, phone=None), "member"),
    ("members.phone_is_proven", "proven by no code", none(PhoneProof), "member"),
    ("members.phone_is_proven", "proven by a code not used", every(PhoneProof, used_at=None), "member"),
    ("members.phone_is_proven", "proven by a code not sent", every(PhoneProof, nth=None), "proof"),
    ("members.phone_is_proven", "a try too many", every(PhoneProof, tries=4), "proof"),
    ("members.phone_is_proven", "a code that lives on", every(PhoneProof, expires_at=FAR), "proof"),
    ("members.phone_is_as_proven", "another number", phone_typed_over, "member"),
    ("members.phone_is_as_proven", "a digest of another number", every(Member, phone_digest="digest-1.abc"), "member"),
    ("members.phone_is_as_proven", "the number of another member", someone_elses_phone, "member"),
    ("members.kyc_case_is_last_event", "another state", every(KycCase, state="rejected"), "case"),
    ("members.kyc_case_is_last_event", "no events", none(KycEvent), "case"),
    ("members.kyc_level_is_approved", "a level by hand", every(Member, kyc_level=1), "member"),
    ("members.kyc_level_is_approved", "approvals gone", every(KycCase, state="rejected"), "member"),
    ("members.kyc_contents_open", "the name of another member", names_swapped, "case"),
    ("members.kyc_contents_open", "a part of an image gone", chunk_gone, "image"),
    ("members.kyc_contents_open", "parts out of turn", every(KycChunk, position=F("position") + 7), "image"),
    ("members.kyc_contents_open", "an image of another size", every(KycImage, size=7), "image"),
]


@pytest.mark.parametrize(
    ("check", "plant", "subject"),
    [pytest.param(check, plant, subject, id=f"{check}: {what}") for check, what, plant, subject in CORRUPTIONS],
)
def test_corruption_is_found_and_named(ada, unprotected, unconstrained, check, plant, subject):
    named = {"member": ada.pk, "pin": ada.pk, "recovery": PinRecovery.objects.get().pk}
    named |= {"case": KycCase.objects.get(level=2).pk, "image": KycImage.objects.get(side="front").pk}
    named |= {"proof": PhoneProof.objects.get().pk}
    assert found(check) == set()

    for model in (Member, Pin, PhoneProof, KycCase):
        unconstrained(model)
    with unprotected():
        plant(ada)

    assert f"{subject} {named[subject]}" in found(check)


@pytest.fixture
def left(ada) -> Member:
    """A member whose data was erased."""
    one, two = (Actor.of(User.objects.create_superuser(f"{name}@example.com")) for name in ("ann", "bob"))
    members.close(member=ada, by=one, reason="left")
    proposal = privacy.erase(member=ada, by=one, reason="asked for it")
    approvals.approve(approval=proposal, by=two, shown=proposal.shown)
    return ada


def profile(**columns: Any) -> Plant:
    return lambda who: Member.objects.filter(pk=who.pk).update(**columns)


def sign_in(**columns: Any) -> Plant:
    return lambda who: User.objects.filter(pk=who.pk).update(**columns)


def case(**columns: Any) -> Plant:
    return lambda who: KycCase.objects.filter(member=who, level=2).update(**columns)


def owned(model: type[Model], **columns: Any) -> Plant:
    return lambda who: model.objects.create(user_id=who.pk, **columns)


def with_image(who: Member) -> None:
    [one] = KycCase.objects.filter(member=who, level=3)
    now = clock.now()
    KycImage.objects.create(
        public_id=who.public_id, case=one, side="front", media_type="image/png", size=1, added_at=now
    )


def with_pin(who: Member) -> None:
    made = pins.hashed(who, Secret("482916"))
    Pin.objects.filter(pk=who.pk).update(hashed=made, set_at=clock.now())


def with_proof(who: Member) -> None:
    now = clock.now()
    PhoneProof.objects.create(member=who, number=Secret("+447700900123"), digest="x", sent_at=now, expires_at=now)


LEFT: list[tuple[str, Plant]] = [
    ("a handle", profile(handle="ada")),
    ("a name", profile(display_name="Ada")),
    ("a phone's digest", profile(phone_digest="digest-1.abc")),
    ("an address", sign_in(email="ada@example.com")),
    ("a password", sign_in(password="argon2$x")),
    ("an open sign-in", sign_in(is_active=True)),
    ("another address", owned(EmailAddress, email="ada@example.com")),
    ("an authenticator", owned(Authenticator, type="totp", data={})),
    ("a session", owned(UserSession, session_key="x", ip="192.0.2.1", user_agent="x")),
    ("a PIN", with_pin),
    ("a proof of a phone", with_proof),
    ("a note on a case", case(note="The passport reads Lovelace")),
    ("a document's digest", case(number_digest="digest-1.abc")),
    ("an image", with_image),
    ("a notice", lambda who: Notice.objects.create(member=who, kind="x", subject="x", at=clock.now())),
]


@pytest.mark.parametrize("plant", [pytest.param(plant, id=what) for what, plant in LEFT])
def test_what_is_left_of_an_erased_member_is_found(left, plant):
    assert found("members.erased_hold_nothing") == found("members.pin_is_told") == set()

    plant(left)

    assert found("members.erased_hold_nothing") == {f"member {left.pk}"}


def test_pin_that_was_cleared_or_recovered_is_clean(ada):
    ann, bob = (Actor.of(User.objects.create_superuser(f"{name}@example.com")) for name in ("ann", "bob"))
    proposal = pins.clear_pin(member=ada, by=ann, reason="forgotten")
    approvals.approve(approval=proposal, by=bob, shown=proposal.shown)
    assert Pin.objects.get(pk=ada.pk).hashed is None
    assert found("members.pin_is_told") == set()

    made = pins.hashed(ada, Secret("640827"))
    pins.store(member=ada, made=made, version=2, by=Actor.of(ada.user), how="member.pin_recovered")
    assert found("members.pin_is_told") == set()


def test_every_check_of_members_has_a_corruption():
    ours = ("members.state", "members.pin", "members.phone", "members.kyc", "members.erased")
    names = {name for name in verification.discover().checks if name.startswith(ours)}

    assert names == {check for check, *_ in CORRUPTIONS} | {"members.erased_hold_nothing"}


def test_everything_about_a_member_is_clean(ada):
    assert verification.discover().run().findings == []
    assert MemberEvent.objects.exists()
