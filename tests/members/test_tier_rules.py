"""What follows from where a member stands, for every standing there is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from members.tier_rules import Reason, Rules, Standing, step

NOW = datetime(2026, 6, 1, tzinfo=UTC)
RANKS = (0, 10, 20, 30)

moments = st.sampled_from([NOW - timedelta(days=1), NOW, NOW + timedelta(seconds=1), NOW + timedelta(days=40)])
ranks = st.sampled_from(RANKS)
kept = st.one_of(st.just((None, None)), st.tuples(ranks, moments))


@st.composite
def standings(draw):
    rank, until = draw(kept)
    return Standing(max(draw(ranks), rank or 0), rank, until, draw(st.one_of(st.none(), moments)))


rules = st.builds(Rules, st.just(RANKS), st.sampled_from([timedelta(0), timedelta(days=30)]), st.booleans())


def settled(standing, earned, given_rules, now=NOW):
    reasons = []
    while True:
        standing, reason = step(standing, earned=earned, rules=given_rules, now=now)
        if reason is None:
            return standing, reasons
        reasons.append(reason)
        assert len(reasons) < 10


@given(standing=standings(), earned=ranks, given_rules=rules)
def test_settled_is_settled(standing, earned, given_rules):
    once, _ = settled(standing, earned, given_rules)

    assert settled(once, earned, given_rules) == (once, [])


@given(standing=standings(), earned=ranks, given_rules=rules)
def test_nobody_is_below_what_they_earned_or_keep(standing, earned, given_rules):
    once, _ = settled(standing, earned, given_rules)
    keeps = standing.kept if standing.kept_until and standing.kept_until > NOW else None

    assert once.rank >= max(earned, keeps or 0)
    assert once.rank <= max(standing.rank, earned)
    assert (once.grace_until is not None) == (once.rank > max(earned, keeps or 0))


@given(standing=standings(), given_rules=rules)
def test_nobody_goes_down_before_grace_is_over_but_from_what_was_lent(standing, given_rules):
    graceful = replace(given_rules, grace=timedelta(days=30))
    fresh = replace(standing, grace_until=None)
    once, reasons = settled(fresh, 0, graceful)

    ended = standing.kept_until is not None and standing.kept_until <= NOW
    assert reasons == ([Reason.GIVEN_ENDED] if ended else [])
    assert once.rank == (0 if ended and standing.lent else standing.rank)


def test_one_step_goes_down_level_by_level():
    one = Rules(RANKS, timedelta(days=30), one_step=True)
    gold = Standing(20)

    waiting, _ = settled(gold, 0, one)
    assert waiting == Standing(20, grace_until=NOW + timedelta(days=30))
    silver, reasons = settled(waiting, 0, one, NOW + timedelta(days=30))
    assert (silver, reasons) == (Standing(10, grace_until=NOW + timedelta(days=60)), [Reason.GRACE_OVER])
    assert settled(silver, 10, one, NOW + timedelta(days=31)) == (Standing(10), [])
