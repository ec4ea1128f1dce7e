"""What a card took beyond what there was: owed, and paid before anything else is."""

import pytest

from cards.models import Card
from cards.services import debts, loading, use_books
from members.models import Member, Notice
from members.services import notices, privacy
from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import OpenItem
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance
from paymentsite.ledger.refusals import AccountNotOpen, InsufficientFunds
from tests.cards.using import ask, debt, loaded, spending, stands, tell
from tests.factories import cny
from tests.members.catalogue import approved, staff
from tests.members.factories import member
from tests.verified import clean
from tests.wallets.factories import fund, holds
from wallets.services import bookings, leaving, transfers
from wallets.services.leaving import MoneyLeft

pytestmark = pytest.mark.django_db


def owing(minor: int = 20_00, reference: str = "force") -> Card:
    """A debit card of which so much more was taken than there was."""
    found = spending(10_00)
    tell("capture", found, 10_00 + minor, reference=reference, final=True)
    assert (debt(found), stands(found)) == (minor, (0, 0))
    return found


def send(of: Card, minor: int) -> None:
    transfers.move(
        sender=of.member, payee=member(), amount=cny(minor), reference=f"s{minor}", by=Actor.of(of.member.user)
    )


def test_debt_is_a_matter_for_somebody_until_it_is_paid():
    found = owing()
    item = OpenItem.objects.get(kind="card_debt")
    assert "20.00" in item.why

    fund(found.account, 25_00)
    assert debts.repay_all() == 1
    assert debts.repay_all() == 0

    item.refresh_from_db()
    assert (debt(found), holds(found.wallet), item.state) == (0, cny(5_00), "done")
    assert clean()


def test_nothing_leaves_the_wallet_before_what_is_owed_is_paid():
    found = owing()
    fund(found.account, 30_00)

    with pytest.raises(InsufficientFunds):
        send(found, 15_00)
    send(found, 10_00)

    assert (debt(found), holds(found.wallet)) == (0, cny(0))
    assert clean()


def test_card_asks_for_what_is_left_after_the_debt():
    found = owing()
    fund(found.account, 30_00)

    assert (ask(found, 10_01).code, ask(found, 10_00).code) == ("insufficient_funds", "approved")
    assert (debt(found), stands(found)) == (0, (10_00, 10_00))


def test_part_is_paid_where_there_is_no_more():
    found = owing()
    fund(found.account, 5_00)

    assert ask(found, 1).code == "insufficient_funds"
    assert (debt(found), stands(found)) == (15_00, (0, 0))
    assert OpenItem.objects.open().filter(kind="card_debt").count() == 1
    assert clean()


def test_debt_of_a_loaded_card_is_paid_from_the_wallet_or_the_card():
    found = loaded(10_00)
    tell("capture", found, 30_00, reference="force", final=True)
    fund(found.wallet.account, 5_00)

    with pytest.raises(InsufficientFunds):
        loading.load(card=found, amount=cny(1_00), reference="more", by=Actor.of(found.member.user))
    assert debts.repay_all() == 1
    assert (debt(found), stands(found)) == (15_00, (0, 0))
    assert clean()


def test_nobody_leaves_with_a_debt():
    found = owing()

    with pytest.raises(MoneyLeft):
        leaving.leave(member=found.member, by=Actor.of(found.member.user), reason="bye")


def test_what_is_taken_of_somebody_who_has_left_is_owed_all_the_same_and_paid_by_what_comes_back():
    found = spending(10_00)
    ask(found, 10_00, reference="one")
    tell("capture", found, 10_00, reference="one", final=True)
    leaving.leave(member=found.member, by=Actor.of(found.member.user), reason="bye")

    tell("capture", found, 7_00, reference="two", final=True)
    assert (debt(found), clean()) == (7_00, True)
    tell("refund", found, 9_00, reference="one")
    assert (debt(found), books.standing(bookings.suspense("CNY")).posted.minor) == (0, 2_00)
    assert OpenItem.objects.filter(kind="card_refund_stuck").count() == 1
    assert clean()


def test_who_was_erased_is_told_nothing_of_what_is_asked_of_their_card():
    found = spending(10_00)
    ask(found, 10_00, reference="one")
    tell("capture", found, 10_00, reference="one", final=True)
    leaving.leave(member=found.member, by=Actor.of(found.member.user), reason="bye")
    people = staff("maker"), staff("checker", "approve_erasure")
    approved(privacy.erase(member=Member.objects.get(pk=found.member_id), by=people[0], reason="asked"), people[1])

    assert ask(found, 1).code == "card_closed"
    assert not Notice.objects.filter(member=found.member_id).exists()
    assert verification.discover().run(only=["cards", "members.erased_hold_nothing"]).findings == []


def frozen_debt() -> Card:
    """What is owed cannot be paid, though there is enough."""
    found = owing()
    fund(found.account, 50_00)
    account = use_books.debt_account(found.member, "CNY")
    ledger.set_status(account=account, status=Balance.Status.FROZEN, by=SYSTEM, reason="doubt")
    return found


def test_debt_that_cannot_be_paid_keeps_no_other_from_being_paid():
    bad, good = frozen_debt(), owing(reference="another")
    fund(good.account, 20_00)

    assert debts.repay_all() == 1
    assert (debt(bad), debt(good)) == (20_00, 0)


def test_debt_whose_payment_fails_is_before_a_person_until_it_is_paid(monkeypatch):
    bad, good = owing(), owing(reference="another")
    for found in (bad, good):
        fund(found.account, 20_00)
    sources = debts._sources

    def failing(found: Member, currency: str) -> list[Account]:
        if found.pk == bad.member_id:
            raise RuntimeError("a bug")
        return sources(found, currency)

    monkeypatch.setattr(debts, "_sources", failing)
    assert debts.repay_all() == 1
    assert (debt(bad), debt(good)) == (20_00, 0)
    assert OpenItem.objects.open().filter(kind="card_debt_stuck").count() == 1

    monkeypatch.undo()
    assert debts.repay_all() == 1
    assert debt(bad) == 0
    assert not OpenItem.objects.open().filter(kind__startswith="card_debt").exists()


def test_nothing_is_spent_of_what_is_owed_and_cannot_be_paid():
    found = frozen_debt()

    assert ask(found, 1_00).code == "wallet_unusable"
    with pytest.raises(AccountNotOpen):
        send(found, 1_00)
    assert (debt(found), stands(found), clean()) == (20_00, (50_00, 0), True)


def test_message_is_taken_in_though_a_debt_cannot_be_paid():
    found = frozen_debt()

    assert tell("capture", found, 10_00, reference="later", final=True).state == "captured"
    assert (debt(found), stands(found), clean()) == (20_00, (40_00, 0), True)


def test_nobody_is_told_of_a_debt_that_was_paid_at_once():
    found = loaded(10_00)
    fund(found.wallet.account, 100_00)

    assert tell("capture", found, 50_00, reference="above", final=True).debt == cny(40_00)

    assert (debt(found), holds(found.wallet)) == (0, cny(60_00))
    assert not Notice.objects.filter(kind="card_debt").exists()
    assert not OpenItem.objects.filter(kind="card_debt").exists()
    assert clean()


def test_member_is_told_of_what_they_owe_still():
    found = loaded(10_00)
    fund(found.wallet.account, 15_00)

    tell("capture", found, 50_00, reference="above", final=True)

    notice = Notice.objects.get(kind="card_debt")
    assert "25.00" in notices.sentence(notice)
    assert "25.00" in OpenItem.objects.get(kind="card_debt").why
    assert (debt(found), holds(found.wallet), clean()) == (25_00, cny(0), True)


def test_what_was_owed_before_is_told_of_once():
    found = owing()

    tell("capture", found, 5_00, reference="more", final=True)

    told = [notices.sentence(notice) for notice in Notice.objects.filter(kind="card_debt").order_by("pk")]
    assert ["20.00" in told[0], "5.00" in told[1]] == [True, True]
    assert debt(found) == 25_00
