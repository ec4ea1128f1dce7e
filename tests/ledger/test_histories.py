"""No money is made or lost, and a refusal changes nothing, whatever happens in whatever order."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, connections
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from paymentsite.ledger import rules
from paymentsite.ledger.book import LotState, Page
from paymentsite.ledger.models import Hold
from paymentsite.ledger.services import recording, seals
from paymentsite.ledger.store import base, wording
from tests.examples import some
from tests.ledger.machine import CommittedHistories, Histories
from tests.ledger.setting import Met

STEPS = 30
LONG, CHUNK = 10_000, 250
ANEW = {"derandomize": False}  # where nobody watches histories are the same each time, and would be in each chunk


def run(machine: type[Histories], histories: int, **options: Any) -> Met:
    """Run so many histories of a fresh class of machines; what they met."""
    fresh = type(machine.__name__, (machine,), {"met": Met(), "standard": []})
    run_state_machine_as_test(
        fresh,
        settings=settings(
            max_examples=histories,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            **options,
        ),
    )
    return fresh.met


def assert_worth_it(met: Met, histories: int) -> None:
    """They were as many and as long as asked for, and much was done in them, and much refused."""
    assert met.histories >= histories
    assert met.steps >= histories * STEPS / 3
    assert met.things["Move"] >= histories * 3
    assert met.things["insufficient_funds"] >= histories
    assert met.things["rest"] >= histories / 5


@pytest.mark.first
@pytest.mark.django_db
def test_histories_agree_with_the_model():
    assert_worth_it(run(Histories, some(60)), some(60))


@pytest.mark.django_db(transaction=True)
def test_histories_of_committed_acts_agree_with_the_model():
    assert_worth_it(run(CommittedHistories, some(15)), some(15))


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(LONG // CHUNK * 3 // 4))
@pytest.mark.django_db
def test_thousands_of_histories_agree_with_the_model(chunk):
    assert_worth_it(run(Histories, CHUNK, **ANEW), CHUNK)


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(LONG // CHUNK // 4))
@pytest.mark.django_db(transaction=True)
def test_thousands_of_histories_of_committed_acts_agree_with_the_model(chunk):
    assert_worth_it(run(CommittedHistories, CHUNK, **ANEW), CHUNK)


# Controls: each of these plants a bug that the histories must find.

Patch = pytest.MonkeyPatch


def floor_ignored(patch: Patch) -> None:
    patch.setattr(rules, "_check_balances", lambda _page: None)


def latest_lot_first(patch: Patch) -> None:
    lots_of = Page.lots_of
    patch.setattr(Page, "lots_of", lambda page, account_id: reversed(list(lots_of(page, account_id))))


def dead_lots_spent(patch: Patch) -> None:
    patch.setattr(LotState, "alive", lambda _lot, _day: True)


def rest_of_a_hold_kept(patch: Patch) -> None:
    def give_back(page: Any, position: int, state: Any, amount: int, end: Hold.State, kind: Any) -> None:
        state.released += amount
        state.state = end
        rules._tell(page, position, kind, state, amount)

    patch.setattr(rules, "_give_back", give_back)


def time_of_a_hold_ignored(patch: Patch) -> None:
    open_hold = rules._open_hold
    patch.setattr(rules, "_open_hold", lambda page, hold, _now=None: open_hold(page, hold))


def repetition_posts_again(patch: Patch) -> None:
    def again(slip: Any, *_: Any) -> Any:
        return recording.record([recording.Slip.of(replace(slip.draft, reference=f"{slip.draft.reference} again"))])[0]

    patch.setattr(recording, "_again", again)


def refusal_leaves_a_trace(patch: Patch) -> None:
    def decide(book: Any, draft: Any, moment: Any) -> Any:
        page = Page(book)
        for position, entry in enumerate(draft.entries, 1):
            rules._apply(page, position, entry, moment)
        effects = page.ink()
        rules._check_balances(page)
        return effects

    patch.setattr(recording, "decide", decide)


def refusal_lost_with_its_act(patch: Patch) -> None:
    patch.setattr(recording, "keep", lambda _slip, _refusal: True)


def number_skipped(patch: Patch) -> None:
    post = rules._post

    def post_and_skip(page: Any, position: int, amount: int, source: Any, target: Any, *more: Any) -> None:
        post(page, position, amount, source, target, *more)
        if target.strict:
            page.balance(target.pk).seq += 1

    patch.setattr(rules, "_post", post_and_skip)


def earlier_reversals_forgotten(patch: Patch) -> None:
    load_past = base.load_past

    def load_past_anew(book: Any, needs: Any) -> None:
        load_past(book, needs)
        for pk, posting in needs.postings.items():
            book.past[pk].left = posting.amount_minor

    patch.setattr(base, "load_past", load_past_anew)


def rolled_up_twice(patch: Patch) -> None:
    roll_up = seals._roll_up
    patch.setattr(seals, "_roll_up", lambda changes: (roll_up(changes), roll_up(changes)))


BUGS: list[Callable[[Patch], None]] = [
    floor_ignored,
    latest_lot_first,
    dead_lots_spent,
    rest_of_a_hold_kept,
    time_of_a_hold_ignored,
    repetition_posts_again,
    refusal_leaves_a_trace,
    refusal_lost_with_its_act,
    number_skipped,
    earlier_reversals_forgotten,
    rolled_up_twice,
]


def swift_skips_a_number(patch: Patch) -> None:
    patch.setattr(wording, "_SIDE", wording._SIDE.replace("seq + ", "seq + 1 + "))


def swift_forgets_what_is_held(patch: Patch) -> None:
    patch.setattr(wording, "_held", lambda _place, _entries: "")


def swift_debits_where_nothing_may_go_out(patch: Patch) -> None:
    patch.setattr(wording, "_open", lambda _place, _entries: wording._MAY_RECEIVE)


if connections["default"].vendor == "postgresql":
    BUGS += [swift_skips_a_number, swift_forgets_what_is_held, swift_debits_where_nothing_may_go_out]


# Found after some hundred histories: in a whole run beside one database is enough.
LATE = {time_of_a_hold_ignored}


@pytest.mark.parametrize(
    "bug", [pytest.param(bug, marks=[pytest.mark.once] * (bug in LATE), id=bug.__name__) for bug in BUGS]
)
@pytest.mark.django_db
def test_histories_find_a_planted_bug(bug, monkeypatch):
    wording.statement.cache_clear()
    bug(monkeypatch)
    try:
        with pytest.raises((AssertionError, DatabaseError)):
            run(Histories, 1_000, phases=[Phase.generate])
    finally:
        wording.statement.cache_clear()
