"""Whatever is done to points behind the services' backs, verify finds it and names the row."""

from datetime import timedelta

import pytest
from django.db import connection, transaction

from members.models import EarnBudget, Earning, Purchase
from members.services import points
from members.verify import points as point_checks
from paymentsite.core import clock, verification
from paymentsite.ledger.models import Balance, Posting
from tests.members.factories import member
from tests.members.pointing import budget, pay, refund, rule, spend

pytestmark = pytest.mark.django_db


class Story:
    """Earned at once, pending, given later, partly refunded, owed, out of a campaign, for a referral."""

    def __init__(self):
        rule("base", qualifies=True, take_back="debt")
        rule("waiting", points=2, scope="merchant", scope_key="waiting", pending="days", pending_days=5)
        rule("campaign", stacks=True, scope="merchant", scope_key="campaign", budget=budget(150))
        rule("bring", kind="referral", points=70)
        self.ada, self.bo = member(), member()
        points.refer(member=self.bo, referrer=self.ada, now=clock.now())
        pay(self.bo, 100_00, source="p1")
        points.final(source="p1", now=clock.now())
        points.reward_due(now=clock.now())
        pay(self.ada, 100_00, source="p2", merchant="waiting")
        with clock.standing(clock.now() + timedelta(days=6)):
            points.mature_due(now=clock.now())
        pay(self.ada, 50_00, source="p3", merchant="waiting")
        pay(self.bo, 100_00, source="p4", merchant="campaign")
        refund("p4", 30_00, cause="r1")
        spend(self.bo, 100, reference="gone")
        refund("p1", cause="r2")


def earned(source):
    return Earning.objects.filter(source=source).order_by("pk")


def posting_of(source):
    return Posting.objects.filter(journal__source=source, target__unit="PTS").order_by("pk").first()


def up(rows, column, by=1):
    return lambda _story: rows().update(**{column: getattr(rows()[0], column) + by})


def account(story, who, code):
    return Balance.objects.get(account__owner=getattr(story, who).owner, account__code=code)


def raise_balance(who, code):
    def work(story):
        row = account(story, who, code)
        Balance.objects.filter(pk=row.pk).update(posted_minor=row.posted_minor + 500)

    return work


PLANTED = {
    "earned more than was issued": (
        "members.earning_is_posted",
        up(lambda: earned("p3"), "points"),
        lambda _s: "source p3",
    ),
    "issued more than was earned": (
        "members.earning_is_posted",
        lambda _s: Posting.objects.filter(pk=posting_of("p3").pk).update(amount_minor=99999),
        lambda _s: "source p3",
    ),
    "earning deleted": (
        "members.earning_is_posted",
        lambda _s: earned("p3").delete(),
        lambda _s: "source p3",
    ),
    "given less than it says": (
        "members.earning_is_given",
        lambda _s: Posting.objects.filter(journal__source=f"earning:{earned('p2').get().pk}").update(amount_minor=1),
        lambda _s: f"earning {earned('p2').get().pk}",
    ),
    "pending raised": (
        "members.points_pending_adds_up",
        raise_balance("ada", "points_pending"),
        lambda s: s.ada.owner,
    ),
    "debt made a credit": (
        "members.points_debt_is_no_credit",
        raise_balance("bo", "points_debt"),
        lambda s: s.bo.owner,
    ),
    "qualifying points made": ("members.qualifying_adds_up", raise_balance("ada", "qualifying"), lambda s: s.ada.owner),
    "taken back in words alone": (
        "members.points_went_back",
        up(lambda: earned("p3"), "taken_pending"),
        lambda s: s.ada.owner,
    ),
    "refund that took nothing": (
        "members.refund_is_taken_back",
        lambda _s: Purchase.objects.filter(source="p4").update(refunded_minor=90_00),
        lambda _s: f"purchase {Purchase.objects.get(source='p4').pk}",
    ),
    "points of a refunded payment kept": (
        "members.refund_is_taken_back",
        lambda _s: Earning.objects.filter(source="p4", rule__code="campaign").update(taken_points=0),
        lambda _s: f"earning {Earning.objects.get(source='p4', rule__code='campaign').pk}",
    ),
    "campaign counter lowered": (
        "members.campaign_budget_kept",
        lambda _s: EarnBudget.objects.update(used=0),
        lambda _s: "budget campaign",
    ),
    "campaign overrun": (
        "members.campaign_budget_kept",
        lambda _s: overrun(),
        lambda _s: "budget campaign",
    ),
}


def overrun():
    """The counter says what was given, and that less was allowed; its limit is out of the way."""
    [limit] = [each for each in EarnBudget._meta.constraints if each.name == "members_earn_budget_kept"]
    loose, tight = ("PRAGMA ignore_check_constraints = ON", "PRAGMA ignore_check_constraints = OFF")
    if connection.vendor == "postgresql":
        loose, tight = (f"ALTER TABLE members_earnbudget DROP CONSTRAINT {limit.name}", "SELECT 1")
    with connection.cursor() as cursor:
        cursor.execute(loose)
        EarnBudget.objects.update(total=1)
        cursor.execute(tight)


@pytest.mark.parametrize("what", PLANTED)
def test_corruption_is_found_and_named(unprotected, what):
    check, corrupt, named = PLANTED[what]
    story = Story()

    with transaction.atomic():
        subject = named(story)
        with unprotected():
            corrupt(story)
        report = verification.discover().run(only=[check])
        transaction.set_rollback(True)

    assert subject in {finding.subject for finding in report.findings}


def test_story_is_clean_as_it_stands():
    Story()

    assert verification.discover().run(only=["members"]).findings == []


def test_every_check_of_points_has_a_corruption():
    checks = verification.discover().checks.items()
    names = {name for name, check in checks if check.work.__module__ == point_checks.__name__}

    assert names == {check for check, _corrupt, _named in PLANTED.values()}
