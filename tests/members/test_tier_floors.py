"""What is bought on top of a gift, or given on top of what was bought: each ends on its own day, the other goes on."""

from datetime import datetime, timedelta

import pytest

from members.models import Member, MemberTier, Tier, TierChange, TierProgramme
from members.queries import progress as earnings
from members.services import tier_gifts, tiers, upgrades
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM
from tests.members.catalogue import approved, staff
from tests.members.factories import MemberFactory
from tests.members.tiering import day, earn, fund_points, held, levels, reasons

pytestmark = pytest.mark.django_db

NOW = day("2026-03-05")
FAR = day("2036-03-05")
CHECKS = ["members.tier_is_its_changes", "members.tier_is_earned", "members.tier_bought_once"]
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def stands():
    with clock.standing(NOW):
        yield


@pytest.fixture
def made() -> dict[str, Tier]:
    return levels()


@pytest.fixture
def ada() -> Member:
    found = MemberFactory()
    fund_points(found, 10_000)
    return found


def give(who: Member, tier: Tier, until: datetime) -> None:
    proposal = tier_gifts.give(member=who, tier=tier, until=until, by=staff(f"maker{until}"), reason="goodwill")
    approved(proposal, staff(f"checker{until}", "approve_member_tier"))


def buy(who: Member, tier: Tier) -> datetime:
    upgrades.buy(member=who, tier=tier, reference=tier.code, by=SYSTEM)
    return kept(who)[1]


def kept(who: Member) -> tuple[str | None, datetime | None, str]:
    row = MemberTier.objects.select_related("kept").get(member=who)
    return row.kept.code if row.kept else None, row.kept_until, row.kept_by


def whole(at: datetime) -> bool:
    with clock.standing(at):
        return verification.discover().run(only=CHECKS).findings == []


def pass_to(moment: datetime) -> None:
    """What falls due until then happens when it is due."""
    at = NOW
    while (at := earnings.next_due(at)) and at <= moment:
        tiers.evaluate_due(now=at)


@pytest.mark.parametrize("window", ["rolling", "year"])
def test_bought_on_top_of_a_gift_lasts_one_window(ada, window):
    made = levels(window=window)
    give(ada, made["silver"], FAR)

    end = buy(ada, made["gold"])

    assert end <= NOW + timedelta(days=366)
    assert tiers.progress_of(ada, NOW).keeps_until == end
    assert tiers.progress_of(ada, NOW).falls_to == made["silver"]
    assert held(ada, end - SECOND) == "gold"


def test_gift_goes_on_when_what_was_bought_on_top_has_ended(ada, made):
    give(ada, made["silver"], FAR)
    end = buy(ada, made["gold"])

    assert held(ada, end) == "silver"
    assert tiers.evaluate_due(now=end) == 1
    assert kept(ada) == ("silver", FAR, "given")
    assert (held(ada, end), held(ada, FAR - SECOND), held(ada, FAR)) == ("silver", "silver", "bronze")
    assert whole(end)

    assert tiers.evaluate_due(now=FAR) == 1
    assert kept(ada) == (None, None, "")
    assert whole(FAR)
    changes = [("bronze", "earned"), ("silver", "given"), ("gold", "bought"), ("silver", "bought_ended")]
    assert reasons(ada) == [*changes, ("bronze", "given_ended")]


def test_gift_that_ended_meanwhile_does_not_come_back(ada, made):
    give(ada, made["silver"], NOW + timedelta(days=30))
    end = buy(ada, made["gold"])

    assert held(ada, end) == "bronze"
    tiers.evaluate_due(now=end)
    assert (kept(ada), held(ada, end), whole(end)) == ((None, None, ""), "bronze", True)


def test_gift_that_ended_before_the_late_job_does_not_come_back(ada, made):
    end = NOW + timedelta(days=370)
    give(ada, made["silver"], end)
    buy(ada, made["gold"])

    tiers.evaluate_due(now=end)

    assert (kept(ada), held(ada, end), whole(end)) == ((None, None, ""), "bronze", True)


def test_earned_above_the_gift_stays_and_the_gift_waits_below(ada, made):
    give(ada, made["silver"], FAR)
    with clock.standing(NOW + timedelta(days=300)):
        earn(ada, 5_000, clock.now())
    end = buy(ada, made["platinum"])

    tiers.evaluate_due(now=end)

    assert (kept(ada), held(ada, end), whole(end)) == (("silver", FAR, "given"), "gold", True)
    pass_to(end + timedelta(days=366))
    assert held(ada, end + timedelta(days=366)) == "silver"


def test_what_was_bought_goes_on_when_a_shorter_purchase_on_top_has_ended(ada):
    made = levels(window="ever")
    buy(ada, made["silver"])
    TierProgramme.objects.update(window="year", version=1)

    end = buy(ada, made["gold"])
    tiers.evaluate_due(now=end)

    assert end == NOW.replace(year=2026, month=12, day=31, hour=16)
    assert kept(ada) == ("silver", clock.LAST, "bought")
    assert (held(ada, end), whole(end)) == ("silver", True)


def test_second_gift_does_not_lower_what_was_bought_under_the_first(ada, made):
    buy(ada, made["silver"])
    give(ada, made["gold"], FAR)

    with pytest.raises(tier_gifts.BoughtLastsLonger):
        give(ada, made["bronze"], NOW + timedelta(days=10))
    assert kept(ada) == ("gold", FAR, "given")


def test_later_gift_leaves_nothing_of_the_earlier_one(ada, made):
    give(ada, made["silver"], FAR)
    give(ada, made["silver"], NOW + timedelta(days=10))
    end = buy(ada, made["gold"])
    tiers.evaluate_due(now=end)

    assert (kept(ada), held(ada, end), whole(end)) == ((None, None, ""), "bronze", True)


@pytest.mark.parametrize(
    "corruption",
    [
        {"kept": None, "kept_until": None, "kept_by": ""},
        {"kept_until": FAR + timedelta(days=900)},
        {"kept_by": "bought"},
        {"kept": "gold"},
    ],
    ids=" ".join,
)
def test_what_came_back_and_is_another_is_found(ada, made, corruption):
    give(ada, made["silver"], FAR)
    tiers.evaluate_due(now=(end := buy(ada, made["gold"])))
    fields = {name: made["gold"] if value == "gold" else value for name, value in corruption.items()}
    MemberTier.objects.filter(member=ada).update(**fields)

    with clock.standing(end):
        found = verification.discover().run(only=["members.tier_is_its_changes"]).findings

    assert [(each.check, each.subject) for each in found] == [("members.tier_is_its_changes", f"member {ada.pk}")]


def test_gift_that_did_not_come_back_is_found(ada, made, unprotected):
    give(ada, made["silver"], FAR)
    tiers.evaluate_due(now=(end := buy(ada, made["gold"])))
    MemberTier.objects.filter(member=ada).update(kept=None, kept_until=None, kept_by="")
    with unprotected():
        TierChange.objects.filter(member=ada, reason="bought_ended").update(until=None)

    with clock.standing(end):
        found = verification.discover().run(only=["members.tier_is_its_changes"]).findings

    assert [each.subject for each in found] == [f"member {ada.pk}"]
