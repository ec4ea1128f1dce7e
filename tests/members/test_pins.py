"""The payment PIN: what may be one, who may guess, and how one is got back."""

import re
from datetime import date, timedelta

import pytest
from django.db import transaction

from members import weak_pins
from members.models import Member, Notice, Pin, PinRecovery, User
from members.services import pin_recovery, pins
from members.services.members import MemberSuspended, suspend
from members.services.pin_recovery import NoConfirmedAddress, RecoveryRefused, RecoveryTooOften
from members.services.pins import InvalidPin, PinExhausted, PinLocked, PinMissing, WeakPin, WrongPin
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.services import approvals
from paymentsite.core.vault import Secret, rotation
from tests.members.factories import confirmed, member

pytestmark = pytest.mark.django_db

RIGHT, WRONG = Secret("482916"), Secret("730581")


@pytest.fixture
def ada() -> Member:
    made = confirmed(member(handle="ada"))
    pins.set_pin(member=made, pin=RIGHT, by=Actor.of(made.user))
    return made


def guess(who: Member, pin: Secret | None = WRONG) -> str:
    """What a guess is answered with."""
    try:
        pins.check(member=who, pin=pin)
    except (WrongPin, PinLocked, PinExhausted, PinMissing) as refusal:
        return refusal.code
    return "right"


def locked_out(who: Member, times: int) -> None:
    """``times`` rounds of five wrong guesses, each after the lock before it."""
    moment = clock.now()
    for _ in range(times):
        with clock.standing(moment):
            assert [guess(who) for _ in range(5)] == ["pin_wrong"] * 5
        moment += timedelta(hours=3)


@pytest.mark.parametrize("digits", ["", "12345", "1234567", "48291a", "٤٨٢٩١٦", "4829 6", "-48291"])
def test_pin_is_six_digits(digits):
    with pytest.raises(InvalidPin):
        pins.set_pin(member=member(), pin=Secret(digits), by=Actor("member", "1"))


@pytest.mark.parametrize(
    "digits",
    [
        *("000000", "121212", "904904", "123456", "987654", "890123", "210987", "520131"),
        *("900504", "040590", "050490", "199005", "051990", "199054", "541990", "004711"),
    ],
)
def test_weak_pin_is_refused(digits):
    ada = member(birthday=date(1990, 5, 4), phone=Secret("+8613800004711"))

    with pytest.raises(WeakPin):
        pins.set_pin(member=ada, pin=Secret(digits), by=Actor.of(ada.user))
    assert not pins.is_set(ada)


def test_a_hundred_common_pins_are_known_and_few_others_are_weak():
    assert len(weak_pins.COMMON) >= 100
    weak = sum(
        weak_pins.is_weak(f"{n:06}", birthday=date(1990, 5, 4), phone="+8613800004711") for n in range(0, 10**6, 17)
    )
    assert weak < 1_500 / 17


def test_pin_is_stored_as_noise_and_told_to_nobody(ada):
    row = Pin.objects.values().get()

    assert row["hashed"].raw.startswith(b"PV")
    assert b"argon2" not in row["hashed"].raw
    assert "482916" not in str(list(AuditEntry.objects.values())) + str(list(Notice.objects.values()))
    assert list(Notice.objects.of(ada).values_list("kind", flat=True)) == ["pin_changed"]


def test_rotation_moves_pins_and_they_stay_right(ada):
    assert "members.Pin" in {table.name for table in rotation.guarded()}
    assert guess(ada, RIGHT) == "right"


def test_pin_copied_to_another_row_opens_nothing(ada):
    bo = member()
    pins.set_pin(member=bo, pin=WRONG, by=Actor.of(bo.user))
    Pin.objects.filter(pk=ada.pk).update(hashed=Pin.objects.values_list("hashed", flat=True).get(pk=bo.pk))

    with pytest.raises(Exception, match="cannot read"):
        pins.check(member=ada, pin=WRONG)


def test_none_given_and_none_set_are_refused_alike(ada):
    answers = {guess(ada, None), guess(member(), None), guess(member(), RIGHT)}

    assert answers == {"pin_missing"}
    assert Pin.objects.get().tries == 0


def test_guess_is_never_made_inside_an_act(ada, monkeypatch):
    monkeypatch.setattr(transaction.get_connection().atomic_blocks[-1], "_from_testcase", False)

    with pytest.raises(RuntimeError, match="durable"):
        pins.check(member=ada, pin=RIGHT)


def test_right_pin_forgets_the_wrong_ones_before_it(ada):
    assert [guess(ada), guess(ada), guess(ada, RIGHT), guess(ada)] == ["pin_wrong", "pin_wrong", "right", "pin_wrong"]
    assert Pin.objects.values_list("tries", "locks", "locked_until").get() == (1, 0, None)


def test_wrong_pin_says_how_many_tries_are_left(ada):
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(WrongPin) as refusal:
            pins.check(member=ada, pin=WRONG)
        assert refusal.value.facts == {"left": left}


def test_locked_pin_is_not_looked_at_even_when_right(ada):
    locked_out(ada, 1)

    assert [guess(ada), guess(ada, RIGHT)] == ["pin_locked", "pin_locked"]


def test_locks_double_and_the_third_ends_by_recovery_alone(ada):
    start = clock.now()
    with clock.standing(start):
        locked_out(ada, 1)
        assert Pin.objects.get().locked_until == start + timedelta(minutes=30)
    with clock.standing(start + timedelta(minutes=30)):
        locked_out(ada, 1)
        assert Pin.objects.get().locked_until == start + timedelta(minutes=90)
    with clock.standing(start + timedelta(minutes=90)):
        locked_out(ada, 1)
    with clock.standing(start + timedelta(days=365)):
        assert guess(ada, RIGHT) == "pin_exhausted"


def test_right_pin_after_a_lock_starts_afresh(ada):
    locked_out(ada, 2)

    with clock.standing(clock.now() + timedelta(days=1)):
        assert guess(ada, RIGHT) == "right"
    assert Pin.objects.values_list("tries", "locks", "locked_until").get() == (0, 0, None)


def test_new_pin_takes_the_current_one_which_counts_as_a_try(ada):
    new = Secret("615204")
    with pytest.raises(PinMissing):
        pins.set_pin(member=ada, pin=new, by=Actor.of(ada.user))
    with pytest.raises(WrongPin):
        pins.set_pin(member=ada, pin=new, current=WRONG, by=Actor.of(ada.user))
    assert Pin.objects.get().tries == 1

    pins.set_pin(member=ada, pin=new, current=RIGHT, by=Actor.of(ada.user))
    assert [guess(ada, RIGHT), guess(ada, new)] == ["pin_wrong", "right"]


def test_suspended_member_sets_no_pin():
    ada = member()
    suspend(member=ada, by=Actor("staff", "0"), reason="odd")

    with pytest.raises(MemberSuspended):
        pins.set_pin(member=ada, pin=RIGHT, by=Actor.of(ada.user))


def code_sent(who: Member, mails) -> Secret:
    pin_recovery.request_recovery(member=who, by=Actor.of(who.user))
    assert mails[-1].to == [who.user.email]
    return Secret(re.search(r"\b\d{8}\b", mails[-1].body)[0])


def recover(who: Member, code: Secret, pin: Secret = WRONG) -> str:
    try:
        pin_recovery.recover(member=who, code=code, pin=pin, by=Actor.of(who.user))
    except (RecoveryRefused, WeakPin) as refusal:
        return refusal.code
    return "done"


def test_code_sets_a_new_pin_once_and_takes_off_all_locks(ada, mailoutbox):
    locked_out(ada, 3)
    code = code_sent(ada, mailoutbox)

    assert [recover(ada, code), recover(ada, code, RIGHT)] == ["done", "pin_recovery_refused"]
    assert guess(ada, WRONG) == "right"
    assert code.reveal() not in str(list(PinRecovery.objects.values()))


def test_code_of_somebody_else_is_refused(ada, mailoutbox):
    bo = confirmed(member())
    code = code_sent(ada, mailoutbox)
    code_sent(bo, mailoutbox)

    assert recover(bo, code) == "pin_recovery_refused"


def test_code_has_three_tries(ada, mailoutbox):
    code = code_sent(ada, mailoutbox)

    assert [recover(ada, Secret("00000000")) for _ in range(3)] == ["pin_recovery_refused"] * 3
    assert recover(ada, code) == "pin_recovery_refused"


def test_weak_pin_costs_no_try_of_the_code(ada, mailoutbox):
    code = code_sent(ada, mailoutbox)

    assert recover(ada, code, Secret("111111")) == "pin_weak"
    assert PinRecovery.objects.get().tries == 0


def test_code_is_void_after_ten_minutes_and_when_another_was_sent(ada, mailoutbox):
    first = code_sent(ada, mailoutbox)
    with clock.standing(clock.now() + timedelta(minutes=2)):
        code_sent(ada, mailoutbox)
        assert recover(ada, first) == "pin_recovery_refused"
        late = Secret(re.search(r"\b\d{8}\b", mailoutbox[-1].body)[0])
    with clock.standing(clock.now() + timedelta(minutes=13)):
        assert recover(ada, late) == "pin_recovery_refused"


def test_codes_are_sent_seldom(ada, mailoutbox):
    start = clock.now()
    for number in range(5):
        with clock.standing(start + number * timedelta(minutes=1)):
            code_sent(ada, mailoutbox)
            with pytest.raises(RecoveryTooOften):
                code_sent(ada, mailoutbox)
    with clock.standing(start + timedelta(hours=23)), pytest.raises(RecoveryTooOften):
        code_sent(ada, mailoutbox)
    assert len(mailoutbox) == 5


def test_recovery_says_the_same_with_and_without_a_pin(ada, mailoutbox):
    bo = confirmed(member())
    code_sent(bo, mailoutbox)
    code_sent(ada, mailoutbox)

    assert mailoutbox[0].body.split()[4:] == mailoutbox[1].body.split()[4:]
    assert recover(bo, Secret("00000000")) == recover(ada, Secret("00000000")) == recover(confirmed(member()), WRONG)


def test_code_goes_to_a_confirmed_address_only(mailoutbox):
    with pytest.raises(NoConfirmedAddress):
        pin_recovery.request_recovery(member=member(), by=Actor("member", "1"))
    assert mailoutbox == []


def test_clearing_takes_two_people(ada):
    ann = User.objects.create_superuser("ann@example.com")
    bob = User.objects.create_superuser("bob@example.com")
    proposal = pins.clear_pin(member=ada, by=Actor.of(ann), reason="lost her mailbox")
    assert guess(ada, RIGHT) == "right"

    with pytest.raises(approvals.OwnProposal):
        approvals.approve(approval=proposal, by=Actor.of(ann), shown=proposal.shown)
    approvals.approve(approval=proposal, by=Actor.of(bob), shown=proposal.shown)

    assert guess(ada, RIGHT) == "pin_missing"
    pins.set_pin(member=ada, pin=WRONG, by=Actor.of(ada.user))
    assert guess(ada, WRONG) == "right"
    assert Approval.objects.get().state == "approved"
