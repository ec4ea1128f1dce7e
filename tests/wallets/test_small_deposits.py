"""Small deposits: sent once, booked as they end; guesses are counted whatever else fails."""

from datetime import timedelta

import pytest

from members.models import Notice
from members.services import members, notices
from members.services.members import MemberSuspended
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import OpenItem
from paymentsite.core.vault import Secret
from paymentsite.ledger import queries as books
from tests.members.factories import approved, member
from tests.wallets.deposits import account, confirm, draw, end, sent, spent, start, states, wrong
from tests.wallets.gateways import let_time_pass, route
from tests.wallets.saved import bank_account, card
from wallets import personal
from wallets.gateways.base import Outcome
from wallets.models import AccountProof, BankAccount, GatewayRoute, Notification, ProofDeposit, Wallet
from wallets.personal import OrdersUnderWay
from wallets.services import account_proofs, bookings, instruments, leaving, small_deposits
from wallets.services.account_proofs import NoBankAccount, TooManyProofs
from wallets.services.leaving import OrdersLeft
from wallets.services.small_deposits import (
    AccountVerified,
    ContactNotProven,
    DepositsWrong,
    NoDepositsRoute,
    NoDepositsWaiting,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]

STAFF = Actor("staff", "0")


def findings() -> list[str]:
    return [f"{each.check} {each.subject}" for each in verification.discover().run(only=["wallets", "ledger"]).findings]


def test_two_deposits_are_paid_by_us():
    saved = bank_account()

    proof = start(saved)

    total = proof.first_minor + proof.second_minor
    assert [each.amount_minor for each in sent(proof)] == [proof.first_minor, proof.second_minor]
    assert [(each.state, each.booked_to, each.currency) for each in sent()] == [("succeeded", "house", "EUR")] * 2
    assert (spent(), books.standing(bookings.clearing("sandbox", "EUR")).posted.minor) == (total, total)
    assert not Wallet.objects.exists()
    assert findings() == []


def test_who_has_not_proven_how_they_are_reached_is_sent_nothing():
    saved = bank_account()

    with pytest.raises(ContactNotProven) as refused:
        small_deposits.start(instrument=saved, by=SYSTEM)

    assert str(refused.value) == "Reach identity level 1 first: prove your e-mail address and your phone number."
    assert (sent(), spent()) == ([], 0)


def test_two_amounts_in_either_order_verify_the_account():
    saved = bank_account()
    proof = start(saved)

    verified = confirm(saved, proof.second_minor, proof.first_minor)

    assert (verified.verified, verified.bank_account.verified_by) == (True, "deposits")
    assert proof.first_minor != proof.second_minor
    with pytest.raises(NoDepositsWaiting):
        confirm(saved, proof.first_minor, proof.second_minor)
    with pytest.raises(AccountVerified):
        start(saved)


def test_asking_again_sends_nothing_more():
    saved = bank_account()

    first, again = (start(saved) for _ in range(2))

    assert first == again
    assert len(sent()) == 2


def test_three_wrong_answers_end_it_even_for_the_right_one():
    saved = bank_account()
    proof = start(saved)

    left = []
    for _ in range(3):
        with pytest.raises(DepositsWrong) as refused:
            confirm(saved, *wrong(proof))
        left.append(refused.value.facts["left"])
    with pytest.raises(NoDepositsWaiting):
        confirm(saved, proof.first_minor, proof.second_minor)

    assert left == [2, 1, 0]
    assert not BankAccount.objects.get().verified_at


def test_old_deposits_cannot_be_confirmed_and_new_ones_are_sent():
    saved = bank_account()
    proof = start(saved)

    with clock.standing(clock.now() + small_deposits.LASTS + timedelta(seconds=1)):
        with pytest.raises(NoDepositsWaiting):
            confirm(saved, proof.first_minor, proof.second_minor)
        assert start(saved) != proof
    assert len(sent()) == 4


def test_card_and_suspended_member_are_refused():
    ada = member()
    saved = bank_account(of=ada)
    start(saved)
    members.suspend(member=ada, by=STAFF, reason="looked into")

    with pytest.raises(NoBankAccount):
        start(card())
    with pytest.raises(MemberSuspended):
        confirm(saved, 1, 2)
    assert AccountProof.objects.get().tries_left == 3


def test_deposits_begun_for_another_holder_cannot_be_confirmed():
    ada = member()
    proof = start(bank_account(of=ada))

    saved = bank_account(of=ada, holder=Secret("Charles Babbage"))

    with pytest.raises(NoDepositsWaiting):
        confirm(saved, proof.first_minor, proof.second_minor)


def test_without_a_route_for_every_amount_nothing_begins(rows):
    GatewayRoute.objects.update(from_minor=50)
    saved = bank_account(of=approved(member(), 1))
    before = rows()

    with pytest.raises(NoDepositsRoute):
        start(saved)

    assert rows() == before


def test_gateway_is_one_that_takes_every_amount():
    GatewayRoute.objects.filter(kind="payout").update(to_minor=98, priority=1)
    route("payout", from_minor=99)

    assert start(bank_account()).state == "waiting"


@pytest.mark.parametrize(
    ("ending", "how"),
    [
        (0, ("succeeded", "waiting")),
        (1, ("failed", "failed")),
        (2, ("succeeded", "waiting")),
        (3, ("failed", "failed")),
        (7, ("succeeded", "waiting")),
        (8, ("failed", "failed")),
        (9, ("succeeded", "waiting")),
        (10, ("succeeded", "failed")),
        (11, ("succeeded", "failed")),
        (12, ("returned", "failed")),
        (13, ("failed", "failed")),
        (14, ("succeeded", "waiting")),
        (15, ("succeeded", "failed")),
        (16, ("unknown", "waiting")),
        (17, ("succeeded", "waiting")),
    ],
)
def test_however_it_ends_proof_and_books_follow(monkeypatch, ending: int, how: tuple[str, str]):
    draw(monkeypatch, 83, 97)
    start(account(ending))
    let_time_pass()

    proof = AccountProof.objects.get()
    assert (states(), proof.state) == ([how[0]] * 2, how[1])
    assert Notice.objects.filter(kind="deposits_not_paid").count() == (how[1] == "failed")
    paid = sum(each.moved.minor for each in sent() if each.state == "succeeded" and each.moved.unit == "EUR")
    assert spent() == paid
    with clock.standing(clock.now() + timedelta(days=2, minutes=1)):
        assert findings() == []


def test_deposit_that_came_back_is_ours_again_whole_and_the_proof_fails():
    saved = bank_account()
    proof = start(saved)
    first, second = sent()

    end(first, Outcome.RETURNED)

    assert (states(), spent()) == (["returned", "succeeded"], second.amount_minor)
    with pytest.raises(NoDepositsWaiting):
        confirm(saved, proof.first_minor, proof.second_minor)
    assert findings() == []


def test_member_is_told_once_that_the_deposits_failed():
    start(account(1))

    notice = Notice.objects.get(kind="deposits_not_paid")
    assert notice.facts == {"account": "CN ···· 0001"}


@pytest.mark.parametrize(("days", "outcome"), [(0, Outcome.FAILED), (1, Outcome.RETURNED), (15, Outcome.RETURNED)])
def test_what_the_member_is_told_is_true_whatever_became_of_a_deposit_and_whenever(days, outcome):
    start(bank_account())

    with clock.standing(clock.now() + timedelta(days=days)):
        end(sent()[0], outcome)

    assert notices.sentence(Notice.objects.get(kind="deposits_not_paid")) == (
        "Not all of the small deposits to DE ···· 3000 arrived as they were sent, or one came back: they do not verify"
        " it. Check what you saved before you ask for new ones."
    )


def test_proof_that_passed_though_a_deposit_is_not_there_is_before_a_person():
    saved = account(2)
    proof = start(saved)
    confirm(saved, proof.first_minor, proof.second_minor)

    end(sent()[0], Outcome.FAILED)

    assert AccountProof.objects.get().state == "passed"
    assert OpenItem.objects.open().filter(kind="order_contradicts").count() == 1


def test_deposit_of_another_amount_is_booked_as_it_moved_and_before_a_person(monkeypatch):
    draw(monkeypatch, 83, 97)
    start(account(10))

    assert (spent(), states()) == (82 + 96, ["succeeded"] * 2)
    assert OpenItem.objects.open().filter(kind="order_differs").count() == 2


def test_deposit_of_which_nothing_moved_failed(monkeypatch):
    draw(monkeypatch, 1, 97)

    start(account(10))

    assert (spent(), states()) == (96, ["failed", "succeeded"])


def test_deposits_that_were_lost_on_their_way_are_sent_again():
    start(account(14))
    assert states() == ["unknown"] * 2

    let_time_pass(timedelta(minutes=10))

    assert states() == ["succeeded"] * 2


def test_deposits_whose_sender_was_cut_off_are_sent_by_the_janitor(monkeypatch):
    class Cut(BaseException):
        pass

    def cut(_order):
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(small_deposits.payouts, "send", cut)
        with pytest.raises(Cut):
            start(bank_account())
    assert states() == ["created"] * 2

    let_time_pass(timedelta(minutes=10))

    assert states() == ["succeeded"] * 2


def test_deposits_to_whom_was_suspended_meanwhile_are_not_sent_again():
    ada = member()
    start(account(14, of=ada))
    members.suspend(member=ada, by=STAFF, reason="looked into")

    let_time_pass(timedelta(hours=1))

    assert states() == ["unknown"] * 2


def test_removed_account_ends_the_proof_and_not_the_deposits():
    saved = account(2)
    start(saved)

    instruments.remove(instrument=saved, by=SYSTEM)
    let_time_pass()

    assert (states(), AccountProof.objects.get().state) == (["succeeded"] * 2, "failed")
    assert not Notice.objects.filter(kind="deposits_not_paid").exists()


def test_name_may_verify_while_the_deposits_are_under_way():
    saved = account(2)
    start(saved)

    account_proofs.match_name(instrument=saved, legal_name=Secret("Ada Lovelace"), by=SYSTEM)
    let_time_pass()

    assert BankAccount.objects.get().verified_by == "name"
    assert ProofDeposit.objects.filter(state="succeeded").count() == 2


def test_where_they_went_is_gone_when_their_member_is_erased():
    ada = member()
    start(account(2, of=ada))
    with pytest.raises(OrdersUnderWay):
        personal.forgotten(ada)
    with pytest.raises(OrdersLeft):
        leaving.leave(member=ada, by=Actor.of(ada.user), reason="moved away")
    let_time_pass()

    personal.forgotten(ada)

    assert [(each.payee, each.destination) for each in sent()] == [(None, "")] * 2
    assert not Notification.objects.filter(body__isnull=False).exists()


def test_too_many_are_refused_whatever_became_of_them():
    ada = member()
    for number in range(account_proofs.STARTS_IN_ALL):
        with clock.standing(clock.now() + timedelta(seconds=number)):
            start(account(1, of=ada))

    with pytest.raises(TooManyProofs) as refused:
        start(account(1, of=ada))
    assert refused.value.facts == {"most": account_proofs.STARTS_IN_ALL}
