"""Guessing at a PIN from many sides at once."""

import pytest
from django.db.models import Q

from members.models import Pin, PinRecovery
from members.services import pin_recovery, pins
from members.services.pins import PinLocked, WrongPin
from paymentsite.core import clock, vault
from paymentsite.core.actors import Actor
from paymentsite.core.vault import Secret
from tests.members.factories import confirmed, member

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

RIGHT = Secret("482916")


def guesses(together, count: int) -> list[type]:
    """``count`` wrong PINs at once; what each was answered with."""
    ada = member()
    pins.set_pin(member=ada, pin=RIGHT, by=Actor.of(ada.user))
    return [
        type(answer) for answer in together(count, lambda n: pins.check(member=ada, pin=Secret(f"{730000 + n * 17}")))
    ]


@pytest.mark.parametrize("count", [8, 32, 64])
def test_exactly_five_guesses_are_looked_at(together, count):
    answers = guesses(together, count)

    assert (answers.count(WrongPin), answers.count(PinLocked)) == (5, count - 5)
    assert Pin.objects.values_list("tries", "locks").get() == (5, 1)


def test_counter_that_is_read_before_it_is_written_lets_more_in(together, monkeypatch):
    """The control: the same guesses against a counter that decides on what it read."""

    def charge(member, now):
        held = Pin.objects.get(pk=member.pk)
        if held.locked_until is not None:
            raise PinLocked(until=held.locked_until)
        tries = min(held.tries + 1, 4)
        Pin.objects.filter(pk=member.pk).update(tries=tries)
        return pins._Charged(Pin.objects.values_list("hashed", flat=True).get(), held.version, tries)

    monkeypatch.setattr(pins, "_charge", charge)

    assert guesses(together, 32).count(WrongPin) > 5


def test_counter_without_its_condition_lets_more_in(together, monkeypatch):
    """The control: the statement without its WHERE."""
    monkeypatch.setattr(pins, "_guessable", lambda _now: Q())

    assert guesses(together, 32).count(WrongPin) > 5


def codes(together, count: int) -> list[object]:
    """The right code, ``count`` times at once."""
    ada, code, now = confirmed(member()), Secret("12345678"), clock.now()
    digest = vault.digest(pin_recovery._bound(ada, code), label=pin_recovery._LABEL)
    PinRecovery.objects.create(member=ada, digest=digest, sent_at=now, expires_at=now + pin_recovery.LIVES)
    by = Actor.of(ada.user)
    return together(
        count, lambda n: pin_recovery.recover(member=ada, code=code, pin=Secret(f"{730000 + n * 17}"), by=by)
    )


def test_one_code_sets_one_pin(together):
    answers = codes(together, 32)

    assert answers.count(None) == 1
    assert {type(answer) for answer in answers} == {type(None), pin_recovery.RecoveryRefused}
    assert Pin.objects.get().version == 1
