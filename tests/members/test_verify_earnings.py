"""Earnings and referrals that were changed behind the services' backs are named, and no others are."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.db.models import F

from members.models import Earning, Member, Purchase, Referral
from members.services import members, points
from members.verify import earnings as earning_checks
from members.verify import referrals as referral_checks
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM
from paymentsite.ledger import services as ledger
from tests.members.factories import member
from tests.members.pointing import after, budget, earning, pay, refund, rule
from tests.members.tiering import levels

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


class Story:
    """Earned at once; waiting, given and not; for bringing bo, who bought; cy was brought and has not."""

    def __init__(self) -> None:
        levels()
        rule("base", by_tier=True, qualifies=True, take_back="debt", expiry="months", expiry_months=2)
        rule("days", points=2, scope="merchant", scope_key="days", pending="days", pending_days=5, expiry="next_year")
        rule("final", points=3, scope="merchant", scope_key="final", pending="final")
        rule("campaign", stacks=True, scope="merchant", scope_key="campaign", budget=budget(150))
        rule("bring", kind="referral", points=70)
        self.ada, self.bo, self.cy = member(), member(), member()
        for who in (self.bo, self.cy):
            points.refer(member=who, referrer=self.ada, now=clock.now())
        pay(self.bo, 100_00, source="at once")
        bought_for_good("at once")
        pay(self.bo, 100_00, source="given", merchant="days")
        pay(self.bo, 100_00, source="final", merchant="final")
        bought_for_good("final")
        with after(6):
            points.mature_due(now=clock.now())
        pay(self.bo, 200_00, source="campaign", merchant="campaign")
        pay(self.bo, 30_00, source="days", merchant="days")
        pay(self.bo, 30_00, source="not final", merchant="final")


def bought_for_good(source: str) -> None:
    points.final(source=source, now=clock.now())
    points.reward_due(now=clock.now())


def found(*checks: str) -> set[str]:
    return {finding.subject for finding in verification.discover().run(only=checks or ["members"]).findings}


Plant = Callable[[Story], str]


def edited(of: str, code: str = "", /, **columns: object) -> Plant:
    """What the source ``of`` earned, by the rule ``code`` where it is more than one."""

    def plant(story: Story) -> str:
        row = Earning.objects.get(source=of.format(bo=story.bo.pk), rule__code__startswith=code)
        Earning.objects.filter(pk=row.pk).update(**columns)
        return f"earning {row.pk}"

    return plant


def of_another_purchase(_: Story) -> str:
    row = earning("days")
    Earning.objects.filter(pk=row.pk).update(purchase=Purchase.objects.get(source="not final"))
    return f"earning {row.pk}"


def of_another_member(story: Story) -> str:
    return edited("days", member=story.cy)(story)


def a_purchase(of: str, earned: str = "", **columns: object) -> Plant:
    def plant(_: Story) -> str:
        Purchase.objects.filter(source=of).update(**columns)
        return f"earning {earning(earned or of).pk}"

    return plant


def lapses_later(source: str) -> Plant:
    def plant(_: Story) -> str:
        row = earning(source)
        Earning.objects.filter(pk=row.pk).update(expires_on=F("expires_on") + DAY)
        return f"earning {row.pk}" if source == "given" else f"source {source}"

    return plant


def referral(who: str, **columns: object) -> Plant:
    def plant(story: Story) -> str:
        pk = getattr(story, who).pk
        Referral.objects.filter(pk=pk).update(**columns)
        return f"referral {pk}"

    return plant


def settled_for_nothing(story: Story) -> str:
    """As if it had been settled at the moment at which it was due, and nothing been promised."""
    pay(story.cy, 10_00, source="cy")
    points.final(source="cy", now=clock.now())
    return referral("cy", rewarded_at=clock.now())(story)


def forgotten(story: Story) -> str:
    pay(story.cy, 10_00, source="cy")
    points.final(source="cy", now=clock.now())
    return referral("cy", due_at=None)(story)


def reward_of(**columns: object) -> Plant:
    def plant(story: Story) -> str:
        Referral.objects.filter(pk=story.bo.pk).update(**columns)
        return f"earning {earning(f'referral:{story.bo.pk}').pk}"

    return plant


def brought_by_another(story: Story) -> str:
    return reward_of(referrer=story.cy)(story)


THEN, LATER = datetime(2021, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)

CORRUPTIONS: list[tuple[str, str, Plant]] = [
    ("members.earning_is_its_purchase", "its purchase is gone", edited("days", purchase=None)),
    ("members.earning_is_its_purchase", "another purchase", of_another_purchase),
    ("members.earning_is_its_purchase", "another source", edited("days", source="elsewhere")),
    ("members.earning_is_its_purchase", "another member", of_another_member),
    ("members.earning_is_its_purchase", "another moment", edited("days", at=LATER)),
    ("members.earning_is_its_purchase", "a reward of another moment", edited("referral:{bo}", at=LATER)),
    ("members.earning_is_its_purchase", "for a referral of nobody", edited("referral:{bo}", source="referral:0")),
    ("members.earning_waits_as_ruled", "for ever instead of days", edited("days", pending_until=None)),
    ("members.earning_waits_as_ruled", "fewer days", edited("days", pending_until=THEN)),
    ("members.earning_waits_as_ruled", "given too soon", edited("given", given_at=THEN)),
    ("members.earning_waits_as_ruled", "not at all, said later", edited("at once", pending_until=LATER)),
    ("members.earning_waits_as_ruled", "no longer than now", edited("not final", pending_until=THEN)),
    ("members.earning_waits_as_ruled", "for ever, though final", edited("final", pending_until=None)),
    ("members.earning_waits_as_ruled", "since another moment", edited("final", pending_until=LATER)),
    ("members.earning_waits_as_ruled", "its purchase is said to be final", a_purchase("not final", final_at=THEN)),
    ("members.earning_waits_as_ruled", "its purchase is final no more", a_purchase("final", final_at=None)),
    ("members.earning_is_its_worth", "another rate", edited("at once", earn_bp=20_000)),
    ("members.earning_is_its_worth", "fewer points", edited("days", points=59)),
    (
        "members.earning_is_its_worth",
        "more points than a budget's rule",
        edited("campaign", "campaign", points=201, given_points=201),
    ),
    ("members.earning_is_its_worth", "more for bringing somebody", edited("referral:{bo}", points=71, given_points=71)),
    ("members.earning_is_its_worth", "more qualifying points", edited("at once", qualifying=101)),
    ("members.earning_is_its_worth", "another price", a_purchase("days", earning_minor=20_00)),
    ("members.earning_expires_with_lot", "given at once, lapses later", lapses_later("at once")),
    ("members.earning_expires_with_lot", "given late, lapses later", lapses_later("given")),
    ("members.referral_rewarded_once", "of another", brought_by_another),
    ("members.referral_rewarded_once", "not noted", reward_of(rewarded_at=None)),
    ("members.referral_is_due", "though nothing was bought", referral("cy", due_at=THEN)),
    ("members.referral_is_due", "settled though nothing was bought", referral("cy", due_at=THEN, rewarded_at=THEN)),
    ("members.referral_is_due", "since another moment", referral("bo", due_at=LATER)),
    ("members.referral_is_due", "forgotten", forgotten),
    ("members.referral_kept_its_promise", "settled for nothing", settled_for_nothing),
]


@pytest.mark.parametrize(
    ("check", "plant"), [pytest.param(check, plant, id=f"{check}: {what}") for check, what, plant in CORRUPTIONS]
)
def test_corruption_is_found_and_named(unprotected, check, plant):
    story = Story()
    assert found(check) == set()

    with unprotected():
        subject = plant(story)

    assert found(check) == {subject}


def test_every_check_of_earnings_and_referrals_has_a_corruption():
    ours = {earning_checks.__name__, referral_checks.__name__}
    names = {name for name, check in verification.discover().checks.items() if check.work.__module__ in ours}

    assert names == {check for check, *_ in CORRUPTIONS}


@pytest.mark.parametrize("columns", [{"purchase": None}, {"earn_bp": 1}, {"points": 1}], ids=str)
def test_what_was_earned_never_changes(columns):
    rule()
    pay(member(), 100_00, source="p")

    with pytest.raises(DatabaseError, match="written once"), transaction.atomic():
        Earning.objects.update(**columns)


def test_story_is_clean_as_it_stands():
    Story()

    assert found() == set()


def leaves(who: Member) -> None:
    """Points and membership end in one act, as whoever keeps their wallets has it."""
    with transaction.atomic():
        locked = Member.objects.lock(who.pk)
        ledger.post(
            *points.forfeited(member=locked, now=clock.now()),
            kind="points_forfeited",
            scope="test.leaving",
            reference=str(who.pk),
            source=f"member:{who.pk}",
        )
        members.close(member=locked, by=SYSTEM, reason="left")


def test_what_was_given_early_to_who_leaves_is_clean():
    story = Story()
    leaves(story.bo)
    bought_for_good("not final")

    with after(20):
        points.mature_due(now=clock.now())
        assert found() == set()


def test_what_is_given_long_after_it_was_due_is_clean():
    Story()

    with after(900):
        points.mature_due(now=clock.now())
        assert found() == set()


def test_what_was_taken_back_before_it_was_final_is_clean():
    Story()
    refund("not final", 29_99, cause="most of it")
    bought_for_good("not final")
    refund("not final", cause="the rest")
    refund("days", cause="all of it")
    refund("at once", cause="all of that")

    assert found() == set()


def test_referral_of_whom_nothing_stands_is_clean_and_waits():
    story = Story()
    pay(story.cy, 10_00, source="cy 1")
    points.final(source="cy 1", now=clock.now())
    refund("cy 1", cause="r")
    assert found() == set()

    points.reward_due(now=clock.now())
    assert Referral.objects.get(pk=story.cy.pk).due_at is None
    assert found() == set()

    pay(story.cy, 10_00, source="cy 2")
    bought_for_good("cy 2")
    assert earning(f"referral:{story.cy.pk}").points == 70
    assert found() == set()


@pytest.mark.parametrize("promise", [{}, {"budget": 0}, {"starts_at": LATER}, {"ends_at": THEN}], ids=str)
def test_referral_to_which_nothing_was_promised_is_clean(promise):
    if promise:
        total = promise.pop("budget", None)
        rule("bring", kind="referral", points=70, budget=None if total is None else budget(total), **promise)
    ada, bo = member(), member()
    points.refer(member=bo, referrer=ada, now=clock.now())
    rule("base")
    pay(bo, 10_00, source="p")
    bought_for_good("p")

    assert Referral.objects.get().rewarded_at is not None
    assert not Earning.objects.filter(member=ada).exists()
    assert found() == set()


def test_referral_by_who_has_left_is_clean():
    story = Story()
    leaves(story.ada)
    pay(story.cy, 10_00, source="cy")
    bought_for_good("cy")

    assert Referral.objects.get(pk=story.cy.pk).rewarded_at is not None
    assert found() == set()
