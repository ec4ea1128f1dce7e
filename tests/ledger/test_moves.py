"""Moves: what each leaves behind on both of its sides."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.money import Money
from paymentsite.core.rates import Rate
from paymentsite.core.rounding import Rounding
from paymentsite.ledger import queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import ENTRIES_MAX, Entry
from paymentsite.ledger.models import Balance, Journal, Posting, Unsealed
from paymentsite.ledger.services import Draft, Move
from tests.factories import cny, fund, hot, postings_of, purse

pytestmark = pytest.mark.django_db

Side = tuple[int | None, int | None]


def singly(*entries: Entry) -> ledger.Posted:
    return ledger.post(*entries, reference="r")


def in_bulk(*entries: Entry) -> ledger.Posted:
    answer = ledger.post_many([Draft(entries=entries, reference="r")])[0]
    assert isinstance(answer, ledger.Posted)
    return answer


either_way = pytest.mark.parametrize("post", [singly, in_bulk])


def sides(posted: ledger.Posted) -> list[tuple[Side, Side]]:
    """The number and the balance that each posting left on its source and on its target."""
    return [
        ((p.source_seq, p.source_balance_minor), (p.target_seq, p.target_balance_minor)) for p in postings_of(posted)
    ]


@either_way
def test_move_leaves_its_number_and_balance_on_both_strict_sides(post):
    source, target = purse(100), purse(7)

    posted = post(Move(cny(30), source, target))

    assert posted.balances == {source.pk: 70, target.pk: 37}
    assert sides(posted) == [((2, 70), (2, 37))]
    assert [(b.posted_minor, b.seq) for b in Balance.objects.filter(pk__in=posted.balances).order_by("pk")] == [
        (70, 2),
        (37, 2),
    ]


@either_way
def test_move_touches_no_row_of_a_hot_side(post):
    source, target = purse(100), hot()

    posted = post(Move(cny(30), source, target), Move(cny(10), target, source))

    assert posted.balances == {source.pk: 80}
    assert sides(posted) == [((2, 70), (None, None)), ((None, None), (3, 80))]
    assert Balance.objects.get(account=target).posted_minor == 0
    assert queries.standing(target).posted == cny(20)


@either_way
def test_move_between_hot_accounts_leaves_only_the_posting(post):
    source, target = hot(), hot()

    posted = post(Move(cny(30), source, target))

    assert posted.balances == {}
    assert sides(posted) == [((None, None), (None, None))]
    assert queries.standing(source).posted == cny(-30)


@either_way
def test_legs_of_one_act_count_on_one_after_the_other(post):
    payer, merchant, fees = purse(100), purse(), hot()

    posted = post(
        Move(cny(50), payer, merchant),
        Move(cny(2), merchant, fees),
        Move(cny(10), merchant, payer),
        Move(cny(1), payer, fees),
    )

    assert posted.balances == {payer.pk: 59, merchant.pk: 38}
    assert sides(posted) == [
        ((2, 50), (1, 50)),
        ((2, 48), (None, None)),
        ((3, 38), (3, 60)),
        ((4, 59), (None, None)),
    ]


@pytest.mark.parametrize("legs", [1, 7, 8, 9, ENTRIES_MAX])
@either_way
def test_act_has_as_many_legs_as_it_needs(post, legs):
    source, target = purse(ENTRIES_MAX), purse()

    posted = post(*[Move(cny(1), source, target)] * legs)

    assert posted.balances == {source.pk: ENTRIES_MAX - legs, target.pk: legs}
    assert [p.position for p in postings_of(posted)] == list(range(1, legs + 1))
    assert [p.target_seq for p in postings_of(posted)] == list(range(1, legs + 1))


@either_way
def test_units_balance_each_by_itself(post):
    yuan, euros = purse(1000), purse(unit="EUR")
    short, long = hot(unit="EUR"), hot()

    posted = post(Move(cny(780), yuan, long), Move(Money(100, "EUR"), short, euros))

    assert posted.balances == {yuan.pk: 220, euros.pk: 100}
    assert [p.unit for p in postings_of(posted)] == ["CNY", "EUR"]


def test_exchange_goes_through_our_positions_and_keeps_its_rate():
    yuan, euros = purse(1000), purse(unit="EUR")
    rate = Rate(base="CNY", quote="EUR", value=Decimal("0.128"), source="test", at=datetime(2026, 3, 1, tzinfo=UTC))

    posted = ledger.exchange(
        sold=cny(785), source=yuan, target=euros, rate=rate, rounding=Rounding.HALF_EVEN, reference="x", origin="deal:1"
    )

    assert posted.balances == {yuan.pk: 215, euros.pk: 100}
    assert queries.standing(ledger.house("position", "CNY")).posted == cny(785)
    assert queries.standing(ledger.house("position", "EUR")).posted == Money(-100, "EUR")
    journal = Journal.objects.get(pk=posted.journal_id)
    assert (journal.kind, journal.source, journal.details["rate"]) == ("exchange", "deal:1", "0.128")


@pytest.mark.parametrize("ways", ["one statement", "general", "many"])
def test_journal_says_what_it_was_told(ways):
    source, target = purse(100), purse()
    parent = fund(source, 1)
    fields = {
        "scope": "partner:7",
        "kind": "payment",
        "occurred_at": datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=8))),
        "by": Actor("partner", "7"),
        "parent": parent.journal_id,
        "source": "payment:9",
        "details": {"note": "tea", "items": [1, None]},
    }
    now = clock.now()

    with clock.standing(now):
        match ways:
            case "one statement":
                posted = ledger.post(Move(cny(1), source, target), reference="r", **fields)
            case "general":
                posted = ledger.post(*[Move(cny(1), source, target)] * 9, reference="r", **fields)
            case "many":
                drafts = [
                    Draft(entries=(Move(cny(1), source, target),), reference=f"r{i or ''}", **fields) for i in range(30)
                ]
                posted = ledger.post_many(drafts)[0]

    journal = Journal.objects.get(pk=posted.journal_id)
    assert {name: getattr(journal, name) for name in ("scope", "kind", "occurred_at", "source", "details")} == {
        name: fields[name] for name in ("scope", "kind", "occurred_at", "source", "details")
    }
    assert (journal.actor, journal.parent_id, journal.reference) == ("partner:7", parent.journal_id, "r")
    assert (journal.outcome, journal.refusal, journal.recorded_at) == ("posted", None, now)
    assert posted.recorded_at == now
    assert Unsealed.objects.filter(journal=journal).exists()


def test_time_of_occurrence_is_that_of_recording_unless_told():
    posted = ledger.post(Move(cny(1), hot(), hot()), reference="r")

    journal = Journal.objects.get(pk=posted.journal_id)
    assert journal.occurred_at == journal.recorded_at == posted.recorded_at


def test_postings_are_written_once():
    posted = ledger.post(Move(cny(1), hot(), hot()), reference="r")

    with pytest.raises(Exception, match="written once"):
        Posting.objects.filter(journal=posted.journal_id).update(amount_minor=2)
