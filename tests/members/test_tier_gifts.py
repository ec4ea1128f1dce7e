"""Tiers given by hand, bought with points, and changed: what takes two people, and what it leads to."""

from datetime import timedelta

import pytest

from members.models import Member, MemberTier, Tier, TierChange, TierProgramme
from members.services import members, pins, tier_gifts, tier_terms, tiers, upgrades
from members.services.members import MemberSuspended
from members.services.references import InvalidReference
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.services import approvals
from paymentsite.core.vault import Secret
from paymentsite.ledger import queries as books
from paymentsite.ledger.models import Journal
from paymentsite.ledger.refusals import InsufficientFunds
from tests.factories import pts
from tests.members.catalogue import approved, staff
from tests.members.factories import MemberFactory
from tests.members.tiering import day, earn, fund_points, held, levels, points_account, reasons

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return staff("maker"), staff("checker", "approve_member_tier", "approve_tiers")


def give(member, tier, until, people):
    proposal = tier_gifts.give(member=member, tier=tier, until=until, by=people[0], reason="goodwill")
    return approved(proposal, people[1])


def test_gift_waits_for_a_second_person(people):
    made, member, now = levels(), MemberFactory(), clock.now()

    proposal = tier_gifts.give(
        member=member, tier=made["gold"], until=now + timedelta(days=30), by=people[0], reason="goodwill"
    )

    assert held(member, now) == "bronze"
    assert not TierChange.objects.exists()
    with pytest.raises(approvals.OwnProposal):
        approved(proposal, people[0])
    approved(proposal, people[1])
    assert held(member, now) == "gold"


def test_gift_ends_to_the_moment_and_is_written_down_at_once_after(people):
    made, member = levels(grace_days=90), MemberFactory()
    until = clock.now() + timedelta(days=30)
    give(member, made["gold"], until, people)
    earn(member, 1_000, clock.now())

    assert held(member, until - timedelta(seconds=1)) == "gold"
    assert held(member, until) == "silver"
    assert MemberTier.objects.get(member=member).due_at == until
    assert tiers.evaluate_due(now=until) == 1
    assert reasons(member) == [("bronze", "earned"), ("gold", "given"), ("silver", "given_ended")]


def test_gift_that_was_earned_meanwhile_stays(people):
    made, member = levels(), MemberFactory()
    until = clock.now() + timedelta(days=30)
    give(member, made["gold"], until, people)
    earn(member, 5_000, clock.now())
    tiers.evaluate_due(now=until)

    assert held(member, until) == "gold"
    assert reasons(member)[-1] == ("gold", "given_ended")


def test_gift_that_cannot_be(people):
    made, member, now = levels(), MemberFactory(), clock.now()
    earn(member, 20_000, now)

    with pytest.raises(tier_gifts.GiftTooLow):
        give(member, made["gold"], now + timedelta(days=1), people)
    with pytest.raises(tier_gifts.GiftEndsBeforeItBegins):
        give(member, made["platinum"], now - timedelta(seconds=1), people)
    members.suspend(member=member, by=people[0], reason="test")
    with pytest.raises(MemberSuspended):
        give(member, made["platinum"], now + timedelta(days=1), people)


def test_later_gift_takes_the_place_of_the_earlier_one(people):
    made, member, now = levels(), MemberFactory(), clock.now()
    give(member, made["platinum"], now + timedelta(days=300), people)
    give(member, made["silver"], now + timedelta(days=10), people)

    assert held(member, now) == "silver"
    assert tiers.progress_of(member, clock.now()).keeps_until == now + timedelta(days=10)


def test_gift_does_not_shorten_what_was_bought(people):
    made, member, now = levels(), MemberFactory(), clock.now()
    fund_points(member, 100)
    upgrades.buy(member=member, tier=made["silver"], reference="up", by=SYSTEM)

    with pytest.raises(tier_gifts.BoughtLastsLonger):
        give(member, made["gold"], now + timedelta(days=30), people)
    give(member, made["gold"], now + timedelta(days=400), people)
    assert held(member, now) == "gold"


def test_purchase_is_all_or_nothing():
    made, member = levels(), MemberFactory()
    fund_points(member, 99)

    for _ in range(2):
        with pytest.raises(InsufficientFunds):
            upgrades.buy(member=member, tier=made["silver"], reference="up", by=SYSTEM)

    assert books.standing(points_account(member)).posted == pts(99)
    assert not TierChange.objects.exists()
    assert held(member, clock.now()) == "bronze"


@pytest.mark.parametrize(("code", "refusal"), [("gold", upgrades.NotTheNextTier), ("bronze", upgrades.NotTheNextTier)])
def test_purchase_goes_up_one_level(code, refusal):
    made, member = levels(), MemberFactory()
    fund_points(member, 10_000)

    with pytest.raises(refusal):
        upgrades.buy(member=member, tier=made[code], reference="up", by=SYSTEM)


def test_purchase_of_what_has_no_price_and_by_who_may_not():
    made, member = levels(), MemberFactory()
    Tier.objects.filter(code="silver").update(upgrade_points=None)

    with pytest.raises(upgrades.NotForSale):
        upgrades.buy(member=member, tier=made["silver"], reference="up", by=SYSTEM)
    with pytest.raises(InvalidReference):
        upgrades.buy(member=member, tier=made["silver"], reference="", by=SYSTEM)
    members.suspend(member=member, by=SYSTEM, reason="test")
    with pytest.raises(MemberSuspended):
        upgrades.buy(member=member, tier=made["silver"], reference="up", by=SYSTEM)


def test_purchase_with_a_wrong_pin_is_none():
    made, member = levels(), MemberFactory()
    fund_points(member, 100)
    pins.set_pin(member=member, pin=Secret("482916"), by=Actor.of(member.user))

    with pytest.raises(pins.WrongPin):
        upgrades.buy(member=member, tier=made["silver"], reference="up", by=SYSTEM, pin=Secret("000000"))
    assert held(member, clock.now()) == "bronze"
    upgrades.buy(member=member, tier=made["silver"], reference="up", by=SYSTEM, pin=Secret("482916"))
    assert held(member, clock.now()) == "silver"


def test_purchase_repeated_is_the_first_one_and_differs_for_another_tier():
    made, member = levels(), MemberFactory()
    fund_points(member, 1_000)

    first = upgrades.buy(member=member, tier=made["silver"], reference="up", by=Actor.of(member.user))
    assert upgrades.buy(member=member, tier=made["silver"], reference="up", by=Actor.of(member.user)) == first
    with pytest.raises(upgrades.UpgradeDiffers):
        upgrades.buy(member=member, tier=made["gold"], reference="up", by=Actor.of(member.user))

    assert books.standing(points_account(member)).posted == pts(900)
    assert Journal.objects.filter(source=f"tier:{first.public_id}").count() == 1


def test_bought_tier_lasts_until_the_window_ends_and_spending_never_demotes():
    made, member = levels(window="year"), MemberFactory()
    earn(member, 999, clock.now())
    fund_points(member, 600)
    upgrades.buy(member=member, tier=made["silver"], reference="1", by=SYSTEM)
    upgrades.buy(member=member, tier=made["gold"], reference="2", by=SYSTEM)

    end = MemberTier.objects.get(member=member).kept_until
    assert books.standing(points_account(member)).posted == pts(0)
    assert tiers.progress_of(member, clock.now()).have == 999
    assert held(member, end - timedelta(seconds=1)) == "gold"
    assert tiers.evaluate_due(now=end) == 1
    assert reasons(member)[1:] == [("silver", "bought"), ("gold", "bought"), ("bronze", "bought_ended")]


def test_tiers_change_when_a_second_person_agrees(people):
    made, member = levels(), MemberFactory()
    earn(member, 900, clock.now())

    proposal = tier_terms.change(tier=made["silver"], terms={"threshold": 900}, by=people[0], reason="easier")
    assert tiers.evaluate_stale(now=clock.now()) == 0
    approved(proposal, people[1])

    assert TierProgramme.current().version == 1
    assert tiers.evaluate_stale(now=clock.now()) == 1
    assert reasons(member)[-1] == ("silver", "programme_changed")
    assert tiers.evaluate_stale(now=clock.now()) == 0


def test_earning_after_a_change_of_the_programme_tells_the_two_apart(people):
    made, member = levels(), MemberFactory()
    earn(member, 900, clock.now())
    approved(tier_terms.change(tier=made["silver"], terms={"threshold": 900}, by=people[0], reason="easier"), people[1])

    earn(member, 5_000, clock.now())

    assert reasons(member)[1:] == [("silver", "programme_changed"), ("gold", "earned")]


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"rank": 20}, tier_terms.TierTaken),
        ({"threshold": 6_000}, tier_terms.TiersDisordered),
        ({"threshold": -1}, tier_terms.InvalidTier),
        ({"fee_discount_bp": 10_001}, tier_terms.InvalidTier),
        ({"name_en": ""}, tier_terms.InvalidTier),
    ],
)
def test_tier_that_cannot_be_is_not_even_proposed(people, terms, refusal):
    made = levels()

    with pytest.raises(refusal):
        tier_terms.change(tier=made["silver"], terms=terms, by=people[0], reason="test")


def test_tier_is_added_and_the_programme_changed(people):
    levels()
    diamond = {"name_en": "Diamond", "rank": 40, "threshold": 90_000}
    approved(tier_terms.add(code="diamond", terms=diamond, by=people[0], reason="more"), people[1])
    with pytest.raises(tier_terms.TierTaken):
        tier_terms.add(code="diamond", terms={**diamond, "rank": 50}, by=people[0], reason="more")
    approved(tier_terms.change_programme(terms={"grace_days": 9}, by=people[0], reason="kinder"), people[1])
    with pytest.raises(tier_terms.InvalidTier):
        tier_terms.change_programme(terms={"currency": "PTS"}, by=people[0], reason="test")
    with pytest.raises(tier_terms.InvalidTier):
        tier_terms.change_programme(terms={"window": "week"}, by=people[0], reason="test")

    assert Tier.objects.get(code="diamond").threshold == 90_000
    assert (TierProgramme.current().grace_days, TierProgramme.current().version) == (9, 2)


def test_programme_that_counts_something_else_says_what_each_tier_takes(people):
    """Nobody gains a level because a number meant another thing the moment before."""
    levels()
    who = MemberFactory()
    earn(who, 10, clock.now(), spend=2_000)
    spend = {"measure": "spend", "currency": "CNY"}
    with pytest.raises(tier_terms.ThresholdsMissing) as refusal:
        tier_terms.change_programme(terms=spend, by=people[0], reason="test")
    assert refusal.value.facts["tiers"] == ["silver", "gold", "platinum"]
    with pytest.raises(tier_terms.ThresholdsMissing):
        tier_terms.change_programme(terms=spend, thresholds={"silver": 1}, by=people[0], reason="test")
    takes = {"silver": 9_000_00, "gold": 2_000_00, "platinum": 9_000_00}
    with pytest.raises(tier_terms.TiersDisordered):
        tier_terms.change_programme(terms=spend, thresholds=takes, by=people[0], reason="test")

    takes = {"silver": 500_00, "gold": 2_000_00, "platinum": 9_000_00}
    proposed = tier_terms.change_programme(terms=spend, thresholds=takes, by=people[0], reason="spend")
    assert proposed.effect["tiers"][1] == {
        "tier": {"row": f"members.tier:{Tier.objects.get(code='silver').pk}"},
        "before": {"amount": 1_000, "currency": "QPT"},
        "after": {"amount": 500_00, "currency": "CNY"},
    }
    approved(proposed, people[1])
    tiers.evaluate_stale(now=clock.now())

    assert dict(Tier.objects.values_list("code", "threshold")) == {"bronze": 0, **takes}
    assert held(who, clock.now()) == "bronze"
    earn(who, 0, clock.now(), spend=480_00, source="payment:more")
    assert held(who, clock.now()) == "silver"


def test_thresholds_of_no_tier_are_refused(people):
    levels()

    with pytest.raises(TypeError):
        tier_terms.change_programme(terms={}, thresholds={"diamond": 1}, by=people[0], reason="test")
    with pytest.raises(tier_terms.InvalidTier):
        tier_terms.change_programme(terms={}, thresholds={"silver": -1}, by=people[0], reason="test")


def test_closed_member_keeps_their_history():
    levels()
    member = MemberFactory()
    earn(member, 1_000, day("2026-01-10"))
    members.close(member=member, by=SYSTEM, reason="left")
    tiers.evaluate_due(now=day("2027-02-01"))

    assert held(Member.objects.get(pk=member.pk), day("2027-02-01")) == "bronze"
