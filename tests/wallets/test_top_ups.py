"""Top-ups: refused, repeated, failed, late, and come."""

from datetime import timedelta

import pytest

from members.models import LimitUse
from members.services import members
from members.services.limits import BalanceLimitExceeded
from members.services.members import MemberSuspended
from members.services.references import InvalidReference
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.ids import EPOCH
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger.models import Journal
from tests.members.factories import member
from tests.members.limiting import cap
from tests.terms import told
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, gateway, let_time_pass, route, sandboxes, top_up, wallet
from tests.wallets.saved import bank_account, card
from wallets import telling
from wallets.gateways.base import Answer, Outcome
from wallets.models import FeeRule, TopUp
from wallets.services import bookings, janitor, outcomes, wallets
from wallets.services.bank_accounts import AccountNotVerified
from wallets.services.instruments import NoSuchInstrument
from wallets.services.orders import AmountInvalid, OrderDiffers, Origin
from wallets.services.payees import AccountCurrency
from wallets.services.routing import NoRoute
from wallets.services.wallets import NoSuchWallet, WalletClosed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]

STAFF = Actor("staff", "0")


def cleared(currency: str = "EUR") -> Money:
    """What the sandbox owes us."""
    return -books.standing(bookings.clearing("sandbox", currency)).posted


def items() -> set[str]:
    return set(OpenItem.objects.open().values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("minor", "reference", "refusal"),
    [
        (0, "r", AmountInvalid),
        (-5, "r", AmountInvalid),
        (100, "", InvalidReference),
        (100, "x" * 101, InvalidReference),
    ],
)
def test_top_up_that_cannot_be_leaves_nothing(minor, reference, refusal):
    with pytest.raises(refusal):
        top_up(wallet(), minor, reference=reference)

    assert not TopUp.objects.exists()


def test_top_up_of_somebody_elses_wallet_is_refused():
    purse = wallet()
    purse.member = member()

    with pytest.raises(NoSuchWallet):
        top_up(purse, 100)


def test_top_up_by_somebody_elses_card_is_refused():
    with pytest.raises(NoSuchInstrument):
        top_up(wallet(), 100, instrument=card(of=member()))

    assert not TopUp.objects.exists()


@pytest.mark.parametrize(
    ("account", "refusal"),
    [({}, AccountNotVerified), ({"verified": True, "currency": "USD"}, AccountCurrency)],
)
def test_top_up_from_an_account_that_is_not_proven_to_be_theirs_or_in_other_money_is_refused(account, refusal):
    route(method="bank")
    purse = wallet()
    with pytest.raises(refusal):
        top_up(purse, 100, method="bank", instrument=bank_account(of=purse.member, **account))
    assert not TopUp.objects.exists()

    theirs = bank_account(of=purse.member, verified=True)
    assert top_up(purse, 100, method="bank", instrument=theirs).state == "succeeded"


def test_suspended_member_begins_none():
    purse = wallet()
    members.suspend(member=purse.member, by=STAFF, reason="x")

    with pytest.raises(MemberSuspended):
        top_up(purse, 100)


def test_closed_wallet_begins_none():
    purse = wallet()
    wallets.close(wallet=purse, by=STAFF, reason="x")

    with pytest.raises(WalletClosed):
        top_up(purse, 100)


@pytest.mark.parametrize("method", ["alipay", "", "\ud800", "\x00", "x" * 1_000])
def test_top_up_without_a_route_is_refused(method):
    with pytest.raises(NoRoute):
        top_up(wallet(), 100, method=method)


def test_top_ups_under_way_count_against_the_most_that_may_be_held():
    purse = wallet()
    cap(1_000 * 100, measure="balance", period="always", currency="EUR", member=purse.member)
    first = top_up(purse, 600_02)

    with pytest.raises(BalanceLimitExceeded) as refused:
        top_up(purse, 600_02, reference="r2")

    assert (first.state, refused.value.facts["after"]["amount"]) == ("pending", 1_200_04)
    assert TopUp.objects.get() == first
    assert LimitUse.objects.get().source == first.source


def test_what_is_under_way_counts_without_its_fee_and_only_in_its_currency():
    purse = wallet()
    told(FeeRule.objects.create(kind="top_up", currency="EUR", fixed_minor=100, starts_at=EPOCH, set_by="test:1"))
    cap(1_804, measure="balance", period="always", currency="EUR", member=purse.member)
    dollars = wallets.open(member=purse.member, currency="USD", by=STAFF)
    route(currency="USD")
    top_up(dollars, 5_002, reference="dollars")

    states = [top_up(purse, 1_002, reference=reference).state for reference in ("r1", "r2")]

    assert states == ["pending", "pending"]


def test_top_up_that_failed_leaves_its_room_to_others():
    purse = wallet()
    cap(1_500, measure="balance", period="always", currency="EUR", member=purse.member)
    top_up(purse, 1_003)
    let_time_pass()

    assert top_up(purse, 1_000, reference="r2").state == "succeeded"


def test_repeated_reference_is_the_first_order_and_asks_nobody():
    purse = wallet()

    first, again = top_up(purse, 1000), top_up(purse, 1000)

    assert (again, holds(purse), TopUp.objects.count()) == (first, eur(1000), 1)


def test_repeated_reference_for_something_else_is_refused():
    purse = wallet()
    top_up(purse, 1000)

    with pytest.raises(OrderDiffers) as refused:
        top_up(purse, 2000)

    assert refused.value.facts["fields"] == ["amount"]


def test_success_is_on_the_wallet_at_once():
    purse = wallet()

    order = top_up(purse, 1000)

    assert (order.state, holds(purse), cleared()) == ("succeeded", eur(1000), eur(1000))
    assert Journal.objects.get(pk=order.journal_id).source == f"top_up:{order.public_id}"


@pytest.mark.parametrize(
    ("ending", "first", "last", "came"),
    [
        (1, "failed", "failed", 0),
        (2, "pending", "succeeded", 1002),
        (3, "pending", "failed", 0),
        (4, "requires_action", "succeeded", 1004),
        (5, "requires_action", "failed", 0),
        (6, "succeeded", "succeeded", 1006),
        (7, "unknown", "succeeded", 1007),
        (8, "unknown", "failed", 0),
        (9, "succeeded", "succeeded", 1009),
        (12, "succeeded", "returned", 1012),
        (13, "failed", "failed", 0),
        (14, "unknown", "failed", 0),
        (15, "failed", "succeeded", 1015),
        (17, "unknown", "succeeded", 1017),
        (18, "unknown", "returned", 0),
        (22, "requires_action", "failed", 0),
    ],
)
@pytest.mark.parametrize("notified", [True, False], ids=["told", "asked"])
def test_each_outcome_ends_as_it_should(ending, first, last, came, notified):
    purse = wallet()

    order = top_up(purse, 1000 + ending)
    begun = order.state
    let_time_pass(notified=notified)

    order.refresh_from_db()
    if ending in {12, 15} and not notified:
        last, came = {12: ("succeeded", 1012), 15: ("failed", 0)}[ending]
    assert (begun, order.state, holds(purse)) == (first, last, eur(came))
    assert cleared() == eur(0 if last == "returned" else came)


def test_requires_action_says_where():
    order = top_up(wallet(), 1004)

    assert order.action_url.endswith(order.public_id.hex + "/")


def test_address_of_its_page_is_kept_though_a_message_was_faster():
    """The gateway says that it is pending before the call is answered, with the page that the member is to go to."""
    order = top_up(wallet(), 1016)
    for origin, answer in (
        (Origin.NOTIFICATION, Answer(outcome=Outcome.PENDING)),
        (Origin.CALL, Answer(outcome=Outcome.REQUIRES_ACTION, action_url="https://pay.example/1")),
    ):
        outcomes.settle(order=order, answer=answer, origin=origin, gateway=order.gateway)

    order.refresh_from_db()
    assert (order.state, order.action_url) == ("requires_action", "https://pay.example/1")


def test_member_acts_and_it_is_done_before_its_time():
    purse = wallet()
    order = top_up(purse, 1005)

    gateway().confirm(order.public_id.hex, agreed=True)
    let_time_pass(timedelta(seconds=10), since=clock.now() - timedelta(seconds=1))

    assert holds(purse) == eur(1005)


def test_unknown_for_ever_is_asked_five_times_and_then_shown_to_a_person():
    order = top_up(wallet(), 1016)
    assert items() == set()

    let_time_pass(timedelta(days=1, minutes=1))

    order.refresh_from_db()
    assert (order.state, order.queries, items()) == ("unknown", 5, {"order_stuck"})


def test_item_closes_itself_when_the_outcome_comes():
    order = top_up(wallet(), 1017)
    TopUp.objects.filter(pk=order.pk).update(queries=4)

    janitor.ask(order=order)

    assert (OpenItem.objects.get().state, OpenItem.objects.get().kind) == ("done", "order_stuck")


def test_late_success_is_booked_and_shown_to_a_person():
    purse = wallet()

    top_up(purse, 1015)
    let_time_pass()

    assert (holds(purse), items()) == (eur(1015), {"order_late"})


def test_what_comes_for_a_suspended_member_is_kept():
    purse = wallet()
    top_up(purse, 1002)
    members.suspend(member=purse.member, by=STAFF, reason="x")

    let_time_pass()

    assert holds(purse) == eur(1002)


def test_what_comes_for_a_frozen_wallet_is_kept():
    purse = wallet()
    top_up(purse, 1002)
    wallets.freeze(wallet=purse, by=STAFF, reason="x")

    let_time_pass()

    assert holds(purse) == eur(1002)


def test_what_comes_for_a_closed_wallet_is_in_suspense_and_shown_to_a_person():
    purse = wallet()
    order = top_up(purse, 1002)
    wallets.close(wallet=purse, by=STAFF, reason="x")

    let_time_pass()

    order.refresh_from_db()
    assert (order.state, order.booked_to, items()) == ("succeeded", "suspense", {"order_in_suspense"})
    assert books.standing(bookings.suspense("EUR")).posted == eur(1002)


@pytest.mark.parametrize(("ending", "moved"), [(10, Money(1009, "EUR")), (11, Money(1011, "USD"))])
def test_other_amount_or_currency_waits_for_staff(ending, moved):
    purse = wallet()

    order = top_up(purse, 1000 + ending)
    let_time_pass()

    order.refresh_from_db()
    assert (order.state, order.moved, holds(purse), items()) == ("conflict", moved, eur(0), {"order_differs"})
    assert not Journal.objects.filter(source=order.source).exists()


def test_charge_back_leaves_the_wallet_and_is_shown_to_a_person():
    purse = wallet()

    top_up(purse, 1012)
    let_time_pass()

    assert (holds(purse), items()) == (eur(1012), {"order_charged_back"})
    assert books.standing(bookings.suspense("EUR")).posted == eur(-1012)


def test_route_is_left_only_where_the_first_surely_did_nothing(tmp_path):
    with sandboxes(tmp_path, "sandbox", "second"):
        route("top_up", gateway="second", priority=200)
        refused, unknown = wallet(), wallet()

        moved_on = top_up(refused, 1013)
        stayed = top_up(unknown, 1016)

    assert (moved_on.gateway, moved_on.state) == ("second", "failed")
    assert (stayed.gateway, stayed.state) == ("sandbox", "unknown")


def test_gateway_that_was_not_reached_of_late_comes_last(tmp_path):
    with sandboxes(tmp_path, "sandbox", "second"):
        route("top_up", gateway="second", priority=200)
        for number in range(3):
            top_up(wallet(), 1016, reference=f"r{number}")

        assert top_up(wallet(), 1000).gateway == "second"


def test_saved_card_chooses_its_outcome():
    purse = wallet()

    order = top_up(purse, 1000, instrument=card(of=purse.member, number="4000000000000002"))

    assert (order.state, holds(purse)) == ("failed", eur(0))


def test_statement_tells_of_it_in_plain_words():
    order = top_up(wallet(), 1000)

    [told] = telling.told([Journal.objects.get(pk=order.journal_id)], order.member).values()

    assert (told.words, told.counterparty, told.subject) == ("Top-up", "card", order.source)
