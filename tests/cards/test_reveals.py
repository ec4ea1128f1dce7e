"""A card's number and code are shown to its member, for a proof, once, and are nowhere else."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection

from cards.models import Card, CardReveal
from cards.services import codes, ending, life, reveals
from cards.services.life import CardEnded, Channel, NoSuchCard
from cards.services.reveals import (
    A_DAY_MAX,
    CardBlocked,
    Permit,
    ProofMissing,
    RevealGone,
    Shown,
    TooManyReveals,
)
from members.models import Notice, Pin
from members.services import members, pins
from members.services.members import MemberSuspended
from members.services.pins import WrongPin
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import AuditEntry
from paymentsite.core.vault import Secret
from tests.cards.factories import card, debit, issued, product
from tests.members.factories import member

pytestmark = pytest.mark.django_db

PIN = Secret("802751")
STAFF = Actor("staff", "0")
NOW = timedelta(0)


def holder(of: Card) -> Actor:
    return Actor.of(of.member.user)


def with_pin(**how: object) -> Card:
    found = card(member(), **how)
    pins.set_pin(member=found.member, pin=PIN, by=SYSTEM)
    return found


def permitted(of: Card, **proof: object) -> Permit:
    return reveals.permit(card=of, by=holder(of), channel=Channel.WEB, **(proof or {"signed_in": NOW}))


def shown(of: Card) -> Shown:
    return reveals.show(token=permitted(of).token, by=holder(of))


def everything_kept() -> str:
    """All that is in the database, as text."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")  # noqa: S608  names from our models
            found.append(str([tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in cursor]))
    return "\n".join(found)


@pytest.mark.parametrize("proof", [{"pin": PIN}, {"signed_in": NOW}, {"signed_in": timedelta(minutes=5)}])
def test_who_proves_that_it_is_them_sees_number_and_code(proof):
    found = with_pin()

    seen = reveals.show(token=permitted(found, **proof).token, by=holder(found))

    assert seen.number.reveal() == found.number.decrypt().reveal()
    assert seen.code.reveal() == codes.of(found, clock.now()).reveal()
    assert (seen.expires_on, seen.seconds) == (found.expires_on, 30)
    assert Notice.objects.filter(member=found.member, kind="card_shown").count() == 1


@pytest.mark.parametrize("made", [product, debit])
def test_whatever_the_product_and_also_before_it_is_active(made):
    found = issued(made=made())

    assert shown(found).number.reveal().endswith(found.last_four)


@pytest.mark.parametrize("signed_in", [None, timedelta(minutes=5, seconds=1), timedelta(seconds=-1)])
def test_without_a_proof_nothing_is_permitted(signed_in):
    with pytest.raises(ProofMissing):
        permitted(with_pin(), signed_in=signed_in)
    assert not CardReveal.objects.exists()


def test_wrong_pin_counts_and_permits_nothing():
    found = with_pin()

    with pytest.raises(WrongPin):
        permitted(found, pin=Secret("118822"))

    assert (Pin.objects.get().tries, CardReveal.objects.count()) == (1, 0)


@pytest.mark.attack
def test_to_nobody_else_not_even_to_whoever_they_are_here():
    found, other = with_pin(), member()
    others = [Actor.of(other.user), Actor("staff", str(found.member.user_id)), STAFF, SYSTEM]
    token = permitted(found).token

    for by in others:
        with pytest.raises(NoSuchCard):
            reveals.permit(card=found, by=by, channel=Channel.WEB, pin=PIN, signed_in=NOW)
        with pytest.raises(NoSuchCard):
            reveals.show(token=token, by=by)
    assert reveals.show(token=token, by=holder(found))


@pytest.mark.attack
def test_once():
    found = with_pin()
    token = permitted(found).token
    reveals.show(token=token, by=holder(found))

    with pytest.raises(RevealGone):
        reveals.show(token=token, by=holder(found))
    assert AuditEntry.objects.filter(act="card.shown").count() == 1


@pytest.mark.attack
def test_not_after_its_minute_and_not_for_what_is_no_token():
    found = with_pin()
    with clock.standing(clock.now()):
        made, now = permitted(found), clock.now()
        assert made.expires_at - now == timedelta(minutes=1)
    with clock.standing(made.expires_at), pytest.raises(RevealGone):
        reveals.show(token=made.token, by=holder(found))
    with pytest.raises(RevealGone):
        reveals.show(token=Secret("guessed"), by=holder(found))


def test_what_happened_since_it_was_permitted_counts():
    found = with_pin()
    token, again = permitted(found).token, permitted(found).token
    life.block(card=found, by=STAFF, reason="strange")

    with pytest.raises(CardBlocked):
        reveals.show(token=token, by=holder(found))
    with pytest.raises(CardBlocked):
        permitted(found)
    life.unblock(card=found, by=STAFF, reason="not so strange")
    members.suspend(member=found.member, by=STAFF, reason="court")
    with pytest.raises(MemberSuspended):
        reveals.show(token=token, by=holder(found))
    members.resume(member=found.member, by=STAFF, reason="over")
    assert reveals.show(token=token, by=holder(found))
    ending.close(card=found, by=holder(found), channel=Channel.WEB, reason="done")
    with pytest.raises(CardEnded):
        reveals.show(token=again, by=holder(found))


def test_so_many_a_day_and_no_more():
    found = with_pin()
    began = clock.now()
    with clock.standing(began):
        for _ in range(A_DAY_MAX):
            permitted(found)
        with pytest.raises(TooManyReveals):
            permitted(found)
        assert permitted(with_pin())
    with clock.standing(began + timedelta(days=1)):
        assert permitted(found)


@pytest.mark.attack
def test_neither_number_nor_code_nor_token_is_kept_anywhere():
    found = with_pin()
    made = permitted(found)
    seen = reveals.show(token=made.token, by=holder(found))
    kept = everything_kept()

    assert found.last_four in kept
    assert [secret for secret in (seen.number.reveal(), made.token.reveal()) if secret in kept] == []
    assert [row for row in CardReveal.objects.values_list() if seen.code.reveal() in map(str, row)] == []
    assert seen.number.reveal() not in repr(seen) + str(seen)
