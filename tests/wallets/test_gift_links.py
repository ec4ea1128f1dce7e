"""Gift links: set aside, taken once, given back whole."""

from datetime import timedelta

import pytest

from members.models import Notice
from members.services import members, notices, pins
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.refusals import AccountNotOpen, InsufficientFunds
from tests.factories import fund
from tests.members.factories import member
from tests.wallets.deciding import items, untold
from tests.wallets.factories import claimed, given, holds, wallet
from wallets import tasks, telling
from wallets.models import Gift, Wallet
from wallets.services import gift_links, wallets
from wallets.services.gift_links import GiftNotOpen, GiftNotToBeTaken, GiftToOneself, Made, NoSuchGift
from wallets.services.wallets import WalletFrozen, WalletNotEmpty
from wallets.services.wording import ReferenceTaken

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")


def left(purse: Wallet) -> tuple[int, int]:
    """What is in it, and what of that can be spent."""
    standing = books.standing(purse.account)
    assert standing.available
    return standing.posted.minor, standing.available.minor


def run_out() -> int:
    with clock.standing(clock.now() + gift_links.OPEN_FOR):
        return gift_links.return_due(now=clock.now())


def test_more_than_there_is_cannot_be_given(rows):
    purse = wallet(99)
    before = rows()

    with pytest.raises(InsufficientFunds):
        given(100, purse)

    assert rows() == before


def test_more_than_there_is_can_be_given_under_its_reference_once_there_is_enough():
    purse = wallet(99)
    with pytest.raises(InsufficientFunds):
        given(100, purse)

    fund(purse.account, 1)

    assert (given(100, purse).gift.state, left(purse)) == ("open", (100, 0))


def test_account_that_the_ledger_froze_gives_again_under_the_same_reference_once_it_is_open():
    purse = wallet(100)
    ledger.set_status(account=purse.account, status="frozen", by=STAFF, reason="court order")
    with pytest.raises(AccountNotOpen) as refusal:
        given(100, purse)
    assert refusal.value.facts == {"account": str(purse.account.public_id), "status": "frozen"}

    ledger.set_status(account=purse.account, status="open", by=STAFF, reason="over")

    assert given(100, purse).gift.state == "open"


def test_what_the_ledger_alone_refused_gives_again_under_the_same_reference(monkeypatch):
    purse = wallet(100)

    def spent_meanwhile(*_args: object) -> None:
        """What nobody's lock keeps from happening: between the look and the hold, it is spent."""
        house = ledger.house("test", purse.currency)
        spent = ledger.Move(Money(1, purse.currency), purse.account, house)
        ledger.post(spent, scope="test", kind="spent", reference="r")

    with monkeypatch.context() as patched:
        patched.setattr(gift_links, "check_covered", spent_meanwhile)
        with pytest.raises(InsufficientFunds):
            given(100, purse)

    assert (given(100, purse).gift.state, left(purse)) == ("open", (100, 0))


def test_gift_that_cannot_go_back_keeps_no_other_from_it():
    broken, whole = (given(100, wallet(500)).gift for _ in range(2))
    ledger.post(ledger.Release(broken.hold), scope="test", kind="broken", reference="r")

    assert [run_out(), run_out()] == [1, 0]
    assert list(Gift.objects.order_by("pk").values_list("pk", "state")) == [(broken.pk, "open"), (whole.pk, "returned")]
    assert OpenItem.objects.open().about(broken).get().kind == gift_links.STUCK


def test_gift_that_went_back_after_all_is_before_nobody():
    gift = given(100, wallet(500)).gift

    with untold(gift.source):
        run_out()
    assert items() == {gift_links.STUCK}
    assert (run_out(), items()) == (1, set())


def test_gift_that_could_not_go_back_and_was_cancelled_is_before_nobody_from_the_night_on():
    gift = given(100, wallet(500)).gift
    with untold(gift.source):
        run_out()

    gift_links.cancel(gift=gift, sender=gift.sender, by=SYSTEM)
    tasks.catch_up_nightly(now=clock.now())

    assert items() == set()


def test_suspended_member_and_frozen_wallet_give_nothing():
    one, other = wallet(500), wallet(500)
    members.suspend(member=one.member, by=STAFF, reason="asked")
    wallets.freeze(wallet=other, by=STAFF, reason="asked")

    with pytest.raises(members.MemberSuspended):
        given(1, one)
    with pytest.raises(WalletFrozen):
        given(1, other)


def test_much_takes_the_pin(settings):
    settings.TRANSFER_PIN_ABOVE = {"CNY": 100}

    with pytest.raises(pins.PinMissing):
        given(101, wallet(500))


def test_repeated_reference_is_the_first_gift_without_its_token():
    purse = wallet(500)
    first = given(100, purse)

    assert given(100, purse) == Made(first.gift, None)
    with pytest.raises(ReferenceTaken) as conflict:
        given(101, purse)
    assert conflict.value.facts["fields"] == ["amount"]
    assert left(purse) == (500, 400)


def test_token_is_kept_nowhere(rows):
    made = given(100, wallet(500))

    assert made.token
    assert made.token.reveal() not in str(rows())
    assert made.token.reveal() not in repr(made)


def test_unknown_token_is_no_gift():
    given(100, wallet(500))

    with pytest.raises(NoSuchGift):
        gift_links.claim(token=Secret("x" * 22), member=member(), by=SYSTEM)


def test_what_is_given_cannot_be_spent_and_keeps_the_wallet_open():
    purse = wallet(100)
    given(60, purse)

    assert left(purse) == (100, 40)
    with pytest.raises(InsufficientFunds):
        given(41, purse, reference="g2")
    with pytest.raises(WalletNotEmpty):
        wallets.close(wallet=purse, by=STAFF, reason="x")


def test_ones_own_gift_is_not_claimed():
    purse = wallet(500)

    with pytest.raises(GiftToOneself):
        claimed(given(100, purse), purse.member)


def test_suspended_member_claims_nothing_until_they_may_act_again(rows):
    made, ada = given(100, wallet(500)), member()
    members.suspend(member=ada, by=STAFF, reason="asked")
    before = rows()

    with pytest.raises(members.MemberSuspended):
        claimed(made, ada)
    assert rows() == before

    members.resume(member=ada, by=STAFF, reason="cleared up")
    assert claimed(made, ada).state == "claimed"


def test_claimed_it_is_in_the_wallet_of_the_first_who_came(rows):
    purse, ada, bob = wallet(500), member(), member()
    made = given(100, purse)

    gift = claimed(made, ada)

    assert (gift.state, gift.claimed_by, left(purse)) == ("claimed", ada, (400, 400))
    assert holds(wallets.of(member=ada, currency="CNY")) == Money(100, "CNY")
    before = rows()
    assert claimed(made, ada) == gift
    with pytest.raises(GiftNotOpen) as refusal:
        claimed(made, bob)
    assert refusal.value.facts == {"state": "claimed"}
    assert rows() == before


@pytest.mark.parametrize("what", ["suspended", "frozen"])
def test_what_was_given_is_given_whatever_becomes_of_the_giver(what):
    purse, ada = wallet(500), member()
    made = given(100, purse)
    if what == "suspended":
        members.suspend(member=purse.member, by=STAFF, reason="asked")
    else:
        wallets.freeze(wallet=purse, by=STAFF, reason="asked")

    claimed(made, ada)

    assert holds(wallets.of(member=ada, currency="CNY")) == Money(100, "CNY")


@pytest.mark.parametrize("end", ["cancelled", "run out", "returned by staff"])
@pytest.mark.parametrize("frozen", [True, False])
def test_given_back_it_is_whole_and_nobody_claims_it(end, frozen):
    purse = wallet(500)
    made = given(100, purse)
    if frozen:
        wallets.freeze(wallet=purse, by=STAFF, reason="asked")

    for _twice in range(2):
        if end == "cancelled":
            gift_links.cancel(gift=made.gift, sender=purse.member, by=SYSTEM)
        elif end == "run out":
            run_out()
        else:
            gift_links.give_back(gift=made.gift, by=STAFF)

    assert left(purse) == (500, 500)
    assert Gift.objects.get().state == ("cancelled" if end == "cancelled" else "returned")
    with pytest.raises(GiftNotOpen):
        claimed(made, member())


def test_claimed_it_does_not_come_back():
    purse, ada = wallet(500), member()
    made = given(100, purse)
    claimed(made, ada)

    with pytest.raises(GiftNotOpen):
        gift_links.cancel(gift=made.gift, sender=purse.member, by=SYSTEM)
    assert run_out() == 0
    assert left(purse) == (400, 400)


def test_somebody_elses_gift_is_not_found():
    made, mallory = given(100, wallet(500)), member()

    with pytest.raises(NoSuchGift):
        gift_links.cancel(gift=made.gift, sender=mallory, by=SYSTEM)
    with pytest.raises(NoSuchGift):
        gift_links.of(sender=mallory, public_id=made.gift.public_id)


def test_time_over_it_is_refused_before_the_job_comes():
    made = given(100, wallet(500))

    with clock.standing(clock.now() + gift_links.OPEN_FOR), pytest.raises(GiftNotOpen):
        claimed(made, member())


def test_job_is_due_when_the_first_open_gift_goes_back():
    purse = wallet(500)
    first = given(1, purse).gift
    with clock.standing(clock.now() + timedelta(hours=1)):
        second = given(1, purse, reference="g2").gift

    assert gift_links.next_return(clock.now()) == first.expires_at
    assert gift_links.next_return(first.expires_at) == second.expires_at
    assert [run_out(), run_out()] == [1, 0]


def test_both_are_told_and_their_statements_say_what_it_was():
    purse, ada = wallet(500, handle="bob"), member(handle="ada")
    gift = claimed(given(100, purse, note="happy birthday"), ada)

    assert [(n.member_id, notices.sentence(n)) for n in Notice.objects.order_by("pk")] == [
        (purse.member_id, "@ada took your gift of 1.00 CNY."),
        (ada.pk, "@bob gave you 1.00 CNY."),
    ]
    assert gift.journal
    said = [telling.told([gift.journal], who)[gift.journal.pk] for who in (purse.member, ada)]
    assert [told.words for told in said] == ["Gift taken by @ada: happy birthday", "Gift from @bob: happy birthday"]


def test_giver_is_told_that_it_came_back():
    given(100, wallet(500))
    run_out()

    assert [notices.sentence(n) for n in Notice.objects.all()] == [
        "Nobody took your gift of 1.00 CNY: it is yours again."
    ]


def test_what_became_of_the_givers_account_is_not_for_the_taker_to_hear(rows):
    purse, taker = wallet(500), member()
    made = given(100, purse)
    wallet(of=taker)
    ledger.set_status(account=purse.account, status="frozen", by=STAFF, reason="court order")
    before = rows()

    with pytest.raises(GiftNotToBeTaken) as refusal:
        claimed(made, taker)

    assert (refusal.value.facts, rows() == before) == ({}, True)
    ledger.set_status(account=purse.account, status="open", by=STAFF, reason="over")
    assert claimed(made, taker).state == "claimed"


def test_giver_hears_of_a_gift_that_staff_gave_back():
    made = given(100, wallet(500))
    for _ in range(2):
        gift_links.give_back(gift=made.gift, by=STAFF)

    assert Notice.objects.filter(member=made.gift.sender, kind="gift_returned").count() == 1
