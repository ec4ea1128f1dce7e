"""Histories of points: whatever happens in whatever order, none appears from nowhere, and refunds undo earnings."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from members.models import Earning, Purchase
from members.services import points
from members.services.points import accounts, budgets
from paymentsite.core import clock, verification
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.refusals import InsufficientFunds
from tests.examples import some
from tests.members.factories import member
from tests.members.pointing import budget, house, pay, refund, rule, spend, standing
from tests.members.tiering import day

pytestmark = pytest.mark.django_db

CHECKS = (
    "members.earning_is_its_purchase",
    "members.earning_waits_as_ruled",
    "members.earning_is_its_worth",
    "members.earning_expires_with_lot",
    "members.earning_is_posted",
    "members.earning_is_given",
    "members.points_pending_adds_up",
    "members.points_debt_is_no_credit",
    "members.qualifying_adds_up",
    "members.points_went_back",
    "members.refund_is_taken_back",
    "members.campaign_budget_kept",
    "members.referral_rewarded_once",
    "members.referral_is_due",
    "members.referral_kept_its_promise",
)
PLACES = ("at once", "waiting", "final", "owing", "kept")

pay_some = st.tuples(
    st.just("pay"), st.integers(0, 1), st.integers(1, 900_00), st.sampled_from(PLACES), st.integers(0, 400)
)
refund_some = st.tuples(st.just("refund"), st.integers(0, 30), st.integers(1, 900_00) | st.none())
act = st.one_of(
    pay_some,
    pay_some,
    refund_some,
    refund_some,
    st.tuples(st.just("spend"), st.integers(0, 1), st.integers(1, 600)),
    st.tuples(st.just("final"), st.integers(0, 30)),
    st.tuples(st.just("wait"), st.sampled_from([0, 1, 5, 31, 200])),
)


def rules() -> None:
    rule("general", points=1, qualifies=True, take_back="debt", expiry="months", expiry_months=2)
    rule("waiting", points=2, scope="merchant", scope_key="waiting", pending="days", pending_days=5, expiry="next_year")
    rule("final", points=3, per_minor=700, scope="merchant", scope_key="final", pending="final", qualifies=True)
    rule("owing", points=2, scope="merchant", scope_key="owing", take_back="debt", pending="days", pending_days=1)
    rule("kept", points=2, scope="merchant", scope_key="kept", take_back="pending", pending="days", pending_days=1)
    rule("welcome", kind="first_purchase", points=50, stacks=True, take_back="debt")
    rule("campaign", points=1, per_minor=300, stacks=True, budget=budget(700), take_back="zero", expiry="next_year")


class History:
    """Two members, and what they do."""

    def __init__(self) -> None:
        rules()
        self.people = [member(), member()]
        self.now = day("2030-06-20")
        self.count = 0

    def do(self, what: str, *how: Any) -> None:
        self.count += 1
        with clock.standing(self.now):
            getattr(self, what)(*how)
            self.look()

    def pay(self, who: int, minor: int, merchant: str, spending: int) -> None:
        try:
            with transaction.atomic():
                pay(self.people[who], minor, source=f"p{self.count}", merchant=merchant, spending=spending)
        except InsufficientFunds:
            pay(self.people[who], minor, source=f"q{self.count}", merchant=merchant)

    def refund(self, which: int, minor: int | None) -> None:
        some = list(Purchase.objects.order_by("pk"))
        if some and (left := (found := some[which % len(some)]).amount_minor - found.refunded_minor):
            refund(found.source, None if minor is None else 1 + minor % left, cause=f"r{self.count}")

    def spend(self, who: int, minor: int) -> None:
        try:
            with transaction.atomic():
                spend(self.people[who], minor, reference=f"s{self.count}")
        except InsufficientFunds:
            return

    def final(self, which: int) -> None:
        if some := list(Purchase.objects.order_by("pk")):
            points.final(source=some[which % len(some)].source, now=self.now)

    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)
        with clock.standing(self.now):
            points.mature_due(now=self.now)
            ledger.lapse_lots(today=clock.today())

    def look(self) -> None:
        theirs = [sum(standing(each)[:3]) for each in self.people]
        assert sum(theirs) + house("points") + house("rewards") + house("breakage") == 0
        assert -house("points") == sum(each.points - each.taken for each in Earning.objects.all())
        assert -house("qualifying", "QPT") == sum(standing(each)[3] for each in self.people)
        assert all(min(figures[0], figures[1], -figures[2], figures[3]) >= 0 for figures in map(standing, self.people))

    def undo(self) -> None:
        """Refund all that is left of everything."""
        for number, purchase in enumerate(Purchase.objects.order_by("pk")):
            if purchase.refunded_minor < purchase.amount_minor:
                refund(purchase.source, cause=f"end{number}")


# What refunds have to meet in histories that are worth it.
ENDS = ("taken_pending", "taken_points", "taken_repaid", "taken_debt", "lapsed", "forgiven")


def live(examples: int, **options: Any) -> Counter[str]:
    """Live through so many histories; what became of earnings in them."""
    met: Counter[str] = Counter()

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck), **options)
    @given(st.lists(act, min_size=5, max_size=25))
    def one(acts: list[tuple[Any, ...]]) -> None:
        with transaction.atomic():
            history = History()
            for what, *how in acts:
                history.do(what, *how)
            assert verification.discover().run(only=CHECKS).findings == []
            with clock.standing(history.now):
                history.undo()
                history.look()
            assert_undone(met)
            transaction.set_rollback(True)

    one()
    return met


def assert_undone(met: Counter[str]) -> None:
    assert verification.discover().run(only=CHECKS).findings == []
    earnings = list(Earning.objects.select_related("rule"))
    for each in earnings:
        assert each.state == "taken_back"
        assert each.points == each.taken + each.lapsed + each.forgiven
        assert each.forgiven == 0 or each.rule.take_back != "debt"
        met.update(name for name in ENDS if getattr(each, name))
    # What had lapsed, or was left to the members by policy, is all that the house has given out.
    assert -house("points") == sum(each.lapsed + each.forgiven for each in earnings)
    assert house("qualifying", "QPT") == 0


def test_points_come_from_payments_and_go_back_with_them():
    met = live(some(20), derandomize=True)

    assert met["taken_pending"]
    assert met["taken_points"]


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(8))
def test_points_of_thousands_of_histories_go_back_with_their_payments(chunk):
    met = live(250, derandomize=False)

    assert {name for name in ENDS if met[name]} == set(ENDS)


# Controls: each plants a bug that the histories must find.


def found() -> None:
    with pytest.raises(AssertionError):
        live(200, derandomize=True, phases=[Phase.generate])


@pytest.mark.long
def test_budget_that_nothing_comes_back_to_is_heard_of(monkeypatch):
    monkeypatch.setattr(budgets, "give_back", lambda _taken: None)
    found()


@pytest.mark.long
def test_debt_that_is_repaid_twice_is_heard_of(monkeypatch):
    monkeypatch.setattr(accounts, "owed", lambda theirs: 2 * -min(0, books.standing(theirs.debt).posted.minor))
    found()
