"""Requests to pay: asked, paid once, declined, withdrawn, run out."""

from datetime import timedelta

import pytest

from members.models import Notice
from members.services import members, notices, pins
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from paymentsite.ledger.refusals import InsufficientFunds
from tests.factories import fund
from tests.members.factories import member
from tests.wallets.deciding import items, untold
from tests.wallets.factories import asked, holds, paid, sent, wallet
from wallets.models import MoneyRequest
from wallets.services import requests, wallets
from wallets.services.requests import AskingOneself, CannotBeAsked, NoSuchRequest, RequestNotOpen, TooManyRequests
from wallets.services.wording import ReferenceTaken

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")


def run_out() -> int:
    with clock.standing(clock.now() + requests.OPEN_FOR):
        return requests.expire(now=clock.now())


def test_request_that_cannot_be_ended_keeps_no_other_from_it():
    broken, whole = (asked(of=member()) for _ in range(2))

    with untold(broken.source):
        assert [run_out(), run_out()] == [1, 0]
    ended = MoneyRequest.objects.order_by("pk").values_list("pk", "state")
    assert list(ended) == [(broken.pk, "open"), (whole.pk, "expired")]
    assert OpenItem.objects.open().about(broken).get().kind == requests.STUCK
    assert (run_out(), items()) == (1, set())


def test_nobody_the_closed_and_who_blocks_are_refused_alike(rows):
    ada, bob = member(), member()
    requests.block(member=bob, other=ada, by=Actor.of(bob.user))
    gone = members.close(member=member(), by=STAFF, reason="gone")
    before = rows()

    for payer in (None, gone, bob):
        with pytest.raises(CannotBeAsked) as refusal:
            asked(of=payer, by=ada)
        assert refusal.value.facts == {}
    assert rows() == before

    requests.unblock(member=bob, other=ada, by=Actor.of(bob.user))
    assert asked(of=bob, by=ada).state == "open"


def test_one_does_not_ask_oneself():
    ada = member()

    with pytest.raises(AskingOneself):
        asked(of=ada, by=ada)


def test_nobody_is_pestered(rows):
    ada, bob = member(), member()
    for number in range(requests.OPEN_MAX_OF_ONE):
        asked(of=bob, by=ada, reference=f"q{number}")
    before = rows()

    with pytest.raises(TooManyRequests):
        asked(of=bob, by=ada, reference="more")

    assert rows() == before
    requests.cancel(request=MoneyRequest.objects.earliest("pk"), asker=ada, by=SYSTEM)
    assert asked(of=bob, by=ada, reference="more").state == "open"


def test_nobody_asks_the_whole_world():
    ada = member()
    for number in range(requests.OPEN_MAX):
        asked(of=member(), by=ada, reference=f"q{number}")

    # In these words also where there is nobody: else the refusal would tell, for nothing and unseen, who is here.
    for somebody_or_nobody in (member(), None):
        with pytest.raises(TooManyRequests):
            asked(of=somebody_or_nobody, by=ada, reference="more")


def test_suspended_member_asks_nothing_and_pays_nothing():
    ada, purse = member(), wallet(500)
    request = asked(of=purse.member)
    for who in (ada, purse.member):
        members.suspend(member=who, by=STAFF, reason="asked")

    with pytest.raises(members.MemberSuspended):
        asked(of=member(), by=ada)
    with pytest.raises(members.MemberSuspended):
        paid(request, purse)


def test_asked_again_it_is_the_first_request():
    ada, bob = member(), member()
    first = asked(of=bob, by=ada)

    assert asked(of=bob, by=ada) == first
    with pytest.raises(ReferenceTaken) as conflict:
        asked(101, of=bob, by=ada)
    assert conflict.value.facts["fields"] == ["amount"]


def test_somebody_else_neither_sees_nor_pays_nor_ends_it(rows):
    request, mallory = asked(of=member()), wallet(500)
    before = rows()

    for act in (
        lambda: requests.of(member=mallory.member, public_id=request.public_id),
        lambda: paid(request, mallory),
        lambda: requests.decline(request=request, payer=mallory.member, by=SYSTEM),
        lambda: requests.cancel(request=request, asker=mallory.member, by=SYSTEM),
    ):
        with pytest.raises(NoSuchRequest):
            act()
    assert rows() == before


def test_paying_takes_the_pin_as_sending_does(settings):
    settings.TRANSFER_PIN_ABOVE = {"CNY": 99}
    purse = wallet(500)

    with pytest.raises(pins.PinMissing):
        paid(asked(of=purse.member), purse)


def test_paid_it_is_a_transfer_that_names_it():
    ada, purse = member(), wallet(500)
    request = asked(of=purse.member, by=ada, note="lunch")

    transfer = paid(request, purse)

    request.refresh_from_db()
    assert (request.state, request.transfer) == ("paid", transfer)
    assert (transfer.occasion, transfer.note, transfer.receiver) == (request.source, "lunch", ada)
    assert holds(wallets.of(member=ada, currency="CNY")) == Money(100, "CNY")


def test_paid_again_by_its_reference_it_is_the_same_transfer_and_by_another_it_is_refused(rows):
    purse = wallet(500)
    request = asked(of=purse.member)
    first = paid(request, purse)
    before = rows()

    assert paid(request, purse) == first
    with pytest.raises(RequestNotOpen) as refusal:
        paid(request, purse, reference="p2")
    assert refusal.value.facts == {"state": "paid"}
    assert rows() == before


def test_earlier_transfer_does_not_pass_for_the_payment(rows):
    ada, purse = member(), wallet(500)
    request = asked(of=purse.member, by=ada)
    sent(100, sender=purse, to=ada, reference="p")
    before = rows()

    with pytest.raises(ReferenceTaken) as conflict:
        paid(request, purse)

    assert conflict.value.facts["fields"] == ["occasion"]
    assert rows() == before


def test_without_the_money_it_stays_open_and_can_be_paid_later(rows):
    purse = wallet(99)
    request = asked(of=purse.member)
    before = rows()

    with pytest.raises(InsufficientFunds):
        paid(request, purse)
    assert rows() == before

    fund(purse.account, 1)
    assert paid(request, purse, reference="p2").amount_minor == 100


@pytest.mark.parametrize("end", ["declined", "cancelled", "expired"])
def test_ended_it_is_not_paid_any_more(rows, end):
    purse = wallet(500)
    request = asked(of=purse.member)
    for _twice in range(2):
        if end == "declined":
            requests.decline(request=request, payer=purse.member, by=SYSTEM)
        elif end == "cancelled":
            requests.cancel(request=request, asker=request.asker, by=SYSTEM)
        else:
            run_out()
    before = rows()

    with pytest.raises(RequestNotOpen) as refusal:
        paid(request, purse)

    assert refusal.value.facts == {"state": end}
    assert rows() == before


def test_paid_it_is_neither_declined_nor_expired_any_more():
    purse = wallet(500)
    request = asked(of=purse.member)
    paid(request, purse)

    with pytest.raises(RequestNotOpen):
        requests.decline(request=request, payer=purse.member, by=SYSTEM)
    assert run_out() == 0
    assert MoneyRequest.objects.get().state == "paid"


def test_time_over_it_is_refused_before_the_job_comes():
    purse = wallet(500)
    request = asked(of=purse.member)

    with clock.standing(clock.now() + requests.OPEN_FOR), pytest.raises(RequestNotOpen) as refusal:
        paid(request, purse)

    assert refusal.value.facts == {"state": "expired"}


def test_job_is_due_when_the_first_open_request_runs_out():
    first = asked(of=member())
    with clock.standing(clock.now() + timedelta(hours=1)):
        second = asked(of=member())

    assert requests.next_expiry(clock.now()) == first.expires_at
    assert requests.next_expiry(first.expires_at) == second.expires_at
    assert [run_out(), run_out()] == [1, 0]


def test_both_are_told():
    ada, purse = member(handle="ada"), wallet(500, handle="bob")
    request = asked(of=purse.member, by=ada)
    paid(request, purse)

    about_it = Notice.objects.filter(subject=request.source).order_by("pk")
    assert [(n.member_id, notices.sentence(n)) for n in about_it] == [
        (purse.member_id, "@ada asks you for 1.00 CNY."),
        (ada.pk, "@bob paid the 1.00 CNY that you asked for."),
    ]
