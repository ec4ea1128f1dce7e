"""Leaving: refused while anything is left; then over for ever, with all that would go on by itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from members.models import Member, Notice
from members.services import members
from members.services.members import MemberSuspended, ReasonMissing
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance, Journal
from paymentsite.ledger.refusals import AccountNotOpen
from tests.factories import cny, hold
from tests.ledger.soundness import assert_sound
from tests.members import pointing
from tests.members.factories import member
from tests.wallets import deciding, gateways
from tests.wallets.deciding import clean, decide
from tests.wallets.factories import asked, given, holds, sent, wallet
from tests.wallets.races import due_order
from wallets.gateways.base import Answer, Outcome
from wallets.models import Gift, MoneyRequest, StandingOrder, TopUp, Wallet, Withdrawal
from wallets.services import bookings, conflicts, gift_links, leaving, outcomes, wallets
from wallets.services.leaving import GiftsLeft, HoldsLeft, MoneyLeft, OrdersLeft, PointsLeft, PointsOwed
from wallets.services.orders import Origin
from wallets.services.transfers import PayeeCannotReceive

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")
CHECK = "wallets.closed_members_hold_nothing"


def leave(who: Member, **fields: Any) -> Member:
    return leaving.leave(member=who, **{"by": Actor.of(who.user), "reason": "moves away", **fields})


def state(who: Member) -> str:
    return Member.objects.get(pk=who.pk).state


def findings(*names: str) -> list[tuple[str, str, str]]:
    report = verification.discover().run(only=names)
    return [(found.check, found.subject, found.detail) for found in report.findings]


def broken(*names: str) -> set[tuple[str, str]]:
    return {(check, subject) for check, subject, _detail in findings(*names)}


class TestRefused:
    def test_money_is_named_in_each_currency(self, rows):
        purse = wallet(100)
        wallet(250, of=purse.member, currency="EUR")
        before = rows()

        with pytest.raises(MoneyLeft) as refused:
            leave(purse.member, forfeit_points=True)

        assert str(refused.value) == "A membership ends with nothing in it; there is still 1.00 CNY, 2.50 EUR."
        assert rows() == before

    def test_what_is_on_hold(self):
        purse = wallet(100)
        hold(purse.account, 100)

        with pytest.raises(HoldsLeft) as refused:
            leave(purse.member)

        assert refused.value.facts == {"held": [{"amount": 100, "currency": "CNY"}]}

    def test_gift_that_nobody_took(self):
        purse = wallet(100)
        given(100, purse)

        with pytest.raises(GiftsLeft) as refused:
            leave(purse.member)

        assert refused.value.facts == {"gifts": [{"amount": 100, "currency": "CNY"}]}

    @pytest.mark.usefixtures("routed")
    @pytest.mark.parametrize("where", ["pending", "conflict"])
    def test_order_at_a_gateway(self, where):
        purse = gateways.wallet()
        order = gateways.top_up(purse, 1000)
        TopUp.objects.filter(pk=order.pk).update(state=where, journal=None, booked_to="")

        with pytest.raises(OrdersLeft) as refused:
            leave(purse.member)

        assert refused.value.facts == {"count": 1, "orders": [order.source]}

    def test_points_and_what_is_pending_unless_the_member_was_told(self):
        ada = member()
        pointing.rule()
        pointing.rule("later", scope="category", scope_key="books", stacks=True, pending="days", pending_days=9)
        pointing.pay(ada, 500, source="payment:1", category="books")

        with pytest.raises(PointsLeft) as refused:
            leave(ada)

        assert str(refused.value) == ("5 PTS would be lost, and 5 PTS that are pending. Say that they may be.")
        assert state(ada) == "active"

    def test_debt_of_points_however_much_is_forfeited(self):
        ada = member()
        pointing.rule(take_back="debt")
        pointing.pay(ada, 500, source="payment:1")
        pointing.spend(ada, 5, reference="s")
        pointing.refund("payment:1", cause="refund:1")

        with pytest.raises(PointsOwed) as refused:
            leave(ada, forfeit_points=True)

        assert refused.value.facts == {"owed": {"amount": 5, "currency": "PTS"}}

    def test_negative_account_of_whichever_app(self):
        ada = member()
        owing = ledger.open_account(owner=ada.owner, code="card", unit="CNY", kind="liability", floor_minor=None)
        ledger.post(ledger.Move(cny(7), owing, ledger.house("cash", "CNY")), reference="r", scope="test")

        with pytest.raises(MoneyLeft) as refused:
            leave(ada)

        assert refused.value.facts == {"money": [{"amount": -7, "currency": "CNY"}]}

    def test_suspended_member_but_not_staff_for_them(self):
        ada = members.suspend(member=member(), by=STAFF, reason="asked")

        with pytest.raises(MemberSuspended):
            leave(ada)

        assert leave(ada, by=STAFF).state == "closed"

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 256])
    def test_reason_that_is_none(self, reason):
        with pytest.raises(ReasonMissing):
            leave(member(), reason=reason)


class TestLeft:
    def test_wallets_requests_and_standing_orders_end_with_it(self):
        purse, other = wallet(), member()
        ada = purse.member
        wallets.freeze(wallet=wallet(of=ada, currency="EUR"), by=STAFF, reason="asked")
        asked(of=ada, by=other)
        asked(of=other, by=ada)
        due_order(ada, other)

        assert leave(ada).state == "closed"

        assert set(Wallet.objects.of(ada).values_list("state", flat=True)) == {"closed"}
        assert set(MoneyRequest.objects.values_list("state", flat=True)) == {"cancelled"}
        # Whoever asked for something hears that it is over, and who was asked has nothing to hear.
        [told] = Notice.objects.filter(kind="request_over")
        assert (told.member, told.facts["amount"]) == (other, MoneyRequest.objects.get(asker=other).amount.to_wire())
        assert [order.state for order in StandingOrder.objects.all()] == ["ended"]
        assert [event.reason for event in ada.events.filter(kind="closed")] == ["moves away"]
        assert not broken("wallets", "members", "core.audit_trail")

    def test_request_that_ran_out_keeps_nobody(self):
        request = asked(of=member())
        with clock.standing(request.expires_at + timedelta(minutes=1)):
            assert leave(request.asker).state == "closed"

    def test_again_it_changes_nothing(self, rows):
        purse = wallet()
        leave(purse.member)
        before = rows()

        assert leave(purse.member, reason="again").state == "closed"
        assert rows() == before

    def test_points_spendable_pending_and_dead_are_the_houses(self):
        ada = member()
        pointing.rule(expiry="months", expiry_months=1)
        begin = clock.now()
        pointing.pay(ada, 300, source="payment:1")
        with clock.standing(begin + timedelta(days=70)):
            pointing.rule("later", scope="category", scope_key="books", stacks=True, pending="final")
            pointing.pay(ada, 500, source="payment:2", category="books")

            leave(ada, forfeit_points=True)

            assert pointing.standing(ada)[:3] == (0, 0, 0)
            assert pointing.house("breakage") == 13
            journal = Journal.objects.get(scope="wallets.leaving")
            assert (journal.kind, journal.postings.count()) == ("points_forfeited", 2)
            assert not broken("members", "wallets")
        assert_sound()

    def test_whoever_was_refused_leaves_as_soon_as_their_points_may_move(self):
        ada = member()
        pointing.rule(pending="final")
        pointing.pay(ada, 500, source="payment:1")
        account = Account.objects.get(owner=ada.owner, code="points_pending")
        ledger.set_status(account=account, status=Balance.Status.FROZEN, by=SYSTEM, reason="a court says so")
        with pytest.raises(AccountNotOpen):
            leave(ada, forfeit_points=True)
        ledger.set_status(account=account, status=Balance.Status.OPEN, by=SYSTEM, reason="and thinks better of it")

        assert leave(ada, forfeit_points=True).state == "closed"
        assert (pointing.house("breakage"), broken("members", "wallets")) == (5, set())

    @pytest.mark.parametrize("pending", ["none", "final"])
    def test_refund_after_that_makes_nobody_owe(self, pending):
        ada = member()
        pointing.rule(take_back="debt", pending=pending)
        pointing.pay(ada, 500, source="payment:1")
        leave(ada, forfeit_points=True)

        taken = pointing.refund("payment:1", cause="refund:1")

        assert (taken.owed.minor, taken.forgiven.minor, pointing.standing(ada)) == (0, 5, (0, 0, 0, 0))
        assert not broken("members")

    def test_points_that_a_refund_gives_back_after_that_are_the_houses(self):
        ada = member()
        pointing.rule(take_back="debt", qualifies=True)
        pointing.pay(ada, 100_00, source="payment:1")
        pointing.pay(ada, 50_00, source="payment:2", spending=60)
        leave(ada, forfeit_points=True)

        for part, breakage in ((25_00, 95), (25_00, 100)):
            taken = pointing.refund("payment:2", part, cause=f"refund:{breakage}")

            assert (taken.returned.minor, taken.taken.minor) == (30, 25)
            assert pointing.house("breakage") == breakage
        assert pointing.standing(ada) == (0, 0, 0, 100)
        assert not broken("members", "wallets")
        assert_sound()

    def test_so_are_those_of_which_some_have_expired_meanwhile(self):
        ada, begin = member(), clock.now()
        pointing.rule("short", expiry="months", expiry_months=1, scope="merchant", scope_key="short")
        pointing.rule("long", expiry="months", expiry_months=9, scope="merchant", scope_key="long")
        pointing.pay(ada, 10_00, source="payment:1", merchant="short")
        pointing.pay(ada, 10_00, source="payment:2", merchant="long")
        pointing.pay(ada, 30_00, source="payment:3", spending=15)
        leave(ada, forfeit_points=True)

        with clock.standing(begin + timedelta(days=70)):
            for part, breakage in ((4_00, 7), (10_00, 12), (16_00, 20)):
                pointing.refund("payment:3", part, cause=f"refund:{breakage}")

                assert (pointing.standing(ada), pointing.house("breakage")) == ((0, 0, 0, 0), breakage)
            assert not broken("members", "wallets")
        assert_sound()

    def test_nothing_is_sent_to_who_has_left(self):
        purse, ada = wallet(100), member()
        leave(ada)

        with pytest.raises(PayeeCannotReceive):
            sent(10, sender=purse, to=ada)


class TestComesBack:
    """What comes back for who has left is in suspense, before a person, and opens nothing again."""

    @pytest.mark.usefixtures("routed")
    def test_withdrawal(self):
        purse = gateways.wallet(1000)
        order = gateways.withdraw(purse, 1000)
        leave(purse.member)

        outcomes.settle(
            order=order, answer=Answer(outcome=Outcome.RETURNED), origin=Origin.QUERY, gateway=order.gateway
        )

        assert books.standing(bookings.suspense("EUR")).posted == gateways.eur(1000)
        assert (holds(purse), Wallet.objects.get(pk=purse.pk).state) == (gateways.eur(0), "closed")
        assert list(OpenItem.objects.open().values_list("kind", flat=True)) == ["order_in_suspense"]

    @pytest.mark.usefixtures("routed")
    def test_withdrawal_of_who_was_closed_with_a_wallet_open(self):
        """By the lower act alone, as nobody should."""
        purse = gateways.wallet(1000)
        order = gateways.withdraw(purse, 1000)
        members.close(member=purse.member, by=STAFF, reason="x")

        outcomes.settle(
            order=order, answer=Answer(outcome=Outcome.RETURNED), origin=Origin.QUERY, gateway=order.gateway
        )

        assert (holds(purse), books.standing(bookings.suspense("EUR")).posted) == (gateways.eur(0), gateways.eur(1000))
        assert list(OpenItem.objects.open().values_list("kind", flat=True)) == ["order_in_suspense"]

    @pytest.mark.usefixtures("routed")
    @pytest.mark.parametrize("moved", [gateways.eur(900), Money(1001, "USD")])
    def test_top_up_that_came_otherwise_after_all(self, moved):
        """It waits for staff, which is no fault of the books; accepted, it is in suspense, and opens no wallet."""
        purse = gateways.wallet()
        order = gateways.top_up(purse, 1001)
        assert order.state == "failed"
        leave(purse.member)
        came = Answer(outcome=Outcome.SUCCEEDED, amount=moved)
        outcomes.settle(order=order, answer=came, origin=Origin.NOTIFICATION, gateway=order.gateway)
        assert clean()

        decide(conflicts.accept(order=order, by=deciding.staff(), reason="seen"))

        order.refresh_from_db()
        assert (order.state, order.booked_to, order.moved) == ("succeeded", "suspense", moved)
        assert books.standing(bookings.suspense(moved.unit)).posted == moved
        assert clean()

    @pytest.mark.parametrize("frozen", [False, True])
    @pytest.mark.parametrize("how", ["cancelled", "returned by staff", "run out"])
    def test_gift_of_who_was_closed_with_it_open(self, how, frozen):
        purse = wallet(100)
        gift = given(60, purse).gift
        if frozen:
            wallets.freeze(wallet=purse, by=STAFF, reason="asked")
        members.close(member=purse.member, by=STAFF, reason="x")

        for _again in range(2):
            match how:
                case "cancelled":
                    gift_links.cancel(gift=gift, sender=purse.member, by=SYSTEM)
                case "returned by staff":
                    gift_links.give_back(gift=gift, by=STAFF)
                case _:
                    gift_links.return_due(now=gift.expires_at)

        assert (holds(purse), books.standing(bookings.suspense("CNY")).posted) == (cny(40), cny(60))
        assert list(OpenItem.objects.open().values_list("kind", flat=True)) == ["gift_in_suspense"]
        assert Gift.objects.get().state == ("cancelled" if how == "cancelled" else "returned")
        assert not broken("wallets.gift_is_held", "wallets.held_for_a_gift")
        assert_sound()


def nothing_more(purse: Wallet) -> None:
    """The wallet itself is too much."""
    assert purse.state == "open"


def top_up_under_way(purse: Wallet) -> None:
    order = gateways.top_up(purse, 1000)
    TopUp.objects.filter(pk=order.pk).update(state="pending", journal=None, booked_to="")


def withdrawal_under_way(purse: Wallet) -> None:
    order = gateways.withdraw(purse, 50)
    Withdrawal.objects.filter(pk=order.pk).update(state="pending", journal=None, booked_to="")


PLANTED: dict[str, Callable[[Wallet], Any]] = {
    "a wallet": nothing_more,
    "something on the account": nothing_more,
    "something on hold": lambda purse: hold(purse.account, 10),
    "a gift that nobody took": lambda purse: given(10, purse),
    "a standing order": lambda purse: due_order(purse.member, member()),
    "a top-up under way": top_up_under_way,
    "a withdrawal under way": withdrawal_under_way,
}


@pytest.mark.usefixtures("routed")
@pytest.mark.parametrize("what", PLANTED)
def test_verify_finds_what_is_left_of_who_has_left(what):
    purse = gateways.wallet(100)
    PLANTED[what](purse)
    assert findings(CHECK) == []

    Member.objects.filter(pk=purse.member_id).update(state="closed")

    assert broken(CHECK) == {(CHECK, f"member {purse.member_id}")}
    assert any(f"has {what}" in detail for _check, _subject, detail in findings(CHECK))
