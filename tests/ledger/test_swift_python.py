"""What is written out for the act that most are does the same as what is there for all."""

from copy import deepcopy
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paymentsite.core.actors import Actor
from paymentsite.core.ids import uuid7_floor, uuid7s
from paymentsite.core.money import Money
from paymentsite.ledger import canon, moves, rules
from paymentsite.ledger import services as ledger
from paymentsite.ledger.book import BALANCE_MAX, BalanceState, Book
from paymentsite.ledger.canon import JournalFacts, PostingFacts
from paymentsite.ledger.entries import Draft, Move
from paymentsite.ledger.models import Account, Journal
from paymentsite.ledger.refusals import Unposted
from paymentsite.ledger.rules import Moment
from tests.factories import cny, purse

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ids = st.none() | st.uuids()
documents = st.none() | st.dictionaries(words, words | st.integers(-9, 9) | st.booleans(), max_size=2)
times = st.datetimes(timezones=st.just(UTC))
accounts = st.integers(1, 10**12)
amounts = st.integers(1, 10**15)


@given(
    st.builds(
        JournalFacts,
        st.uuids(), words, words, words, st.binary(min_size=32, max_size=32), times, times, words, ids, words,
        documents, st.none(),
    ),
    st.builds(PostingFacts, st.integers(1, 1000), words, accounts, accounts, amounts, st.none() | accounts),
)  # fmt: skip
def test_digest_of_one_posting_is_that_of_its_fields(journal, posting):
    assert canon.digest(journal, [posting]) == canon.hashed(canon.digest_fields(journal, [posting]))


@given(kind=words, parent=ids, source=words, details=documents, at=st.none() | times, minor=amounts, pair=accounts)
def test_request_hash_of_one_move_is_that_of_its_fields(kind, parent, source, details, at, minor, pair):
    move = Move(cny(minor), Account(pk=pair), Account(pk=pair + 1))
    draft = Draft(
        entries=(move,), reference="r", kind=kind, parent=parent, source=source, details=details, occurred_at=at
    )

    assert canon.request_hash(draft) == canon.hashed(canon.request_fields(draft))


edges = st.sampled_from([n * (BALANCE_MAX + d) for n in (1, -1) for d in (-50, -1, 0, 1, 50)])
states = st.tuples(
    st.integers(0, 120) | edges,
    st.integers(0, 60),
    st.none() | st.integers(-50, 0),
    st.sampled_from(["open", "open", "open", "no_debit", "frozen", "closed"]),
    st.booleans(),
)


@given(states, states, st.integers(1, 120))
def test_move_decided_swiftly_is_the_move_decided_on_a_page(one, other, minor):
    book = Book()
    for pk, (posted, held, floor, status, strict) in enumerate((one, other), 1):
        mode = Account.Mode.STRICT if strict else Account.Mode.DEFERRED
        book.accounts[pk] = Account(pk=pk, public_id=UUID(int=pk), unit="CNY", mode=mode)
        kept = (held, floor, 7) if strict else (0, None, 0)
        book.balances[pk] = BalanceState(pk, posted, *kept, status)
    draft = Draft(entries=(Move(cny(minor), book.accounts[1], book.accounts[2]),), reference="r")
    moment = Moment(NOON, NOON.date(), lambda: UUID(int=9))
    paged = Book(accounts=book.accounts, balances=deepcopy(book.balances))

    swift = moves.swiftly(book, draft.entries[0])

    try:
        effects = rules.on_a_page(paged, draft, moment)
    except Unposted:
        assert swift is None
    else:
        # What it leaves to the page is what only receives there.
        assert swift == (None if other[3] == "no_debit" else effects)
    assert book.balances == (paged.balances if swift else book.balances)
    if swift is None:
        assert [b.posted for b in book.balances.values()] == [one[0], other[0]]


def test_ids_of_one_moment_are_of_that_moment_and_all_different():
    drawn = [key for key, _ in zip(uuid7s(NOON), range(2_000), strict=False)]

    assert len(set(drawn)) == 2_000
    assert {(key.version, key.variant, key.int >> 80) for key in drawn} == {
        (7, "specified in RFC 4122", uuid7_floor(NOON).int >> 80)
    }


@pytest.mark.django_db
def test_acts_of_one_call_keep_each_its_own_words():
    """Columns that are the same for all are sent once: what only looks the same is not."""
    giver, taker = purse(100), purse()
    fields = [
        {},
        {"details": {"n": 1}},
        {"details": {"n": True}},
        {"source": 'a"b\\c'},
        {"kind": "fee", "by": Actor("staff", "7"), "occurred_at": NOON},
    ]
    for several in (fields, fields[:1] * 3, [fields[1], fields[2]], fields[2:3] * 2):
        before = set(Journal.objects.values_list("pk", flat=True))
        drafts = [
            Draft(entries=(Move(Money(1, "CNY"), giver, taker),), reference=f"{len(before)} {n}", **given)
            for n, given in enumerate(several)
        ]

        ledger.post_many(drafts)

        written = {j.reference: j for j in Journal.objects.exclude(pk__in=before)}
        for draft in drafts:
            found = written[draft.reference]
            assert (found.kind, found.source, found.actor) == (draft.kind, draft.source, str(draft.by))
            assert repr(found.details) == repr(draft.details)
            assert found.occurred_at == (draft.occurred_at or found.recorded_at)
            assert bytes(found.digest) == canon.digest(
                JournalFacts(
                    found.pk, found.kind, found.scope, found.reference, bytes(found.request_hash), found.occurred_at,
                    found.recorded_at, found.actor, found.parent_id, found.source, found.details, found.refusal,
                ),
                [PostingFacts(1, "CNY", giver.pk, taker.pk, 1, None)],
            )  # fmt: skip
