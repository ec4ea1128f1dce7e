"""Statements: every line is told, searches end, and months add up in whatever zone the member lives."""

import random
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.services import members
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from tests.factories import cny
from tests.members.factories import member
from tests.wallets.factories import holds, wallet
from tests.wallets.rates import told
from wallets import telling
from wallets.models import Wallet
from wallets.queries import statements
from wallets.queries.statements import MonthUnknown, Sought
from wallets.services import exchanges

pytestmark = pytest.mark.django_db

ZONES = sorted(zoneinfo.available_timezones() - {"localtime"})


@pytest.fixture
def said(monkeypatch) -> dict[str, telling.Told]:
    """What is said of journals whose source is ``test:…``."""
    words: dict[str, telling.Told] = {}
    monkeypatch.setitem(telling._tellers, "test", lambda ids, _member: {key: words[key] for key in ids if key in words})
    return words


def move(purse: Wallet, minor: int, key: str, *, fee: int = 0, kind: str = "transfer") -> None:
    """``minor`` into the wallet, or out of it when negative, and a fee."""
    cash, fees = ledger.house("cash", purse.currency), ledger.house("fees", purse.currency)
    sides = (cash, purse.account) if minor > 0 else (purse.account, cash)
    entries = [ledger.Move(Money(abs(minor), purse.currency), *sides)]
    if fee:
        entries.append(ledger.Move(Money(fee, purse.currency), purse.account, fees))
    ledger.post(*entries, reference=key, scope="test", kind=kind, source=f"test:{key}")


def words(page: statements.Page) -> list[str]:
    return [line.words for line in page.lines]


def test_line_says_what_happened_with_whom_and_what_it_left(said):
    purse = wallet()
    said["a"] = telling.Told("Sent", "Bo", "transfer:a", "for lunch")
    move(purse, 500, "first")
    move(purse, -100, "a", fee=3)

    page = statements.lines(wallet=purse)

    assert [(line.words, line.counterparty, line.note, line.subject) for line in page.lines] == [
        ("Fee: Sent", "", "", "transfer:a"),
        ("Sent", "Bo", "for lunch", "transfer:a"),
        ("Transfer", "", "", "test:first"),
    ]
    assert [(line.amount, line.balance, line.fee) for line in page.lines] == [
        (cny(-3), cny(397), True),
        (cny(-100), cny(400), False),
        (cny(500), cny(500), False),
    ]
    assert page.next_page is None


def test_pages_meet_without_gap_or_repetition():
    purse = wallet()
    for number in range(7):
        move(purse, number + 1, str(number))

    seen, page = [], ""
    while True:
        found = statements.lines(wallet=purse, page=page, limit=3)
        seen += [line.amount.minor for line in found.lines]
        if found.next_page is None:
            break
        page = found.next_page

    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_page_costs_as_many_questions_for_one_line_as_for_many(said, django_assert_num_queries):
    purse = wallet()
    move(purse, 5, "0")
    with django_assert_num_queries(4):
        statements.lines(wallet=purse)
    for number in range(1, 30):
        move(purse, 5, str(number))

    with django_assert_num_queries(4):
        assert len(statements.lines(wallet=purse).lines) == 30


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        (Sought(text="LUNCH"), ["Sent"]),
        (Sought(text="bo"), ["Sent"]),
        (Sought(text="sent"), ["Fee: Sent", "Sent"]),
        (Sought(text="%"), []),
        (Sought(kind="top_up"), ["Top up"]),
        (Sought(least=cny(100)), ["Sent", "Top up"]),
        (Sought(least=cny(4), most=cny(499)), ["Sent"]),
        (Sought(since=date(2100, 1, 1)), []),
        (Sought(until=date(2020, 1, 1)), []),
        (Sought(kind="transfer", text="sent", most=cny(3)), ["Fee: Sent"]),
    ],
)
def test_search_finds_what_fits_everything_asked(said, sought, found):
    purse = wallet()
    said["a"] = telling.Told("Sent", "Bo", "transfer:a", "for lunch")
    move(purse, 500, "first", kind="top_up")
    move(purse, -100, "a", fee=3)

    assert words(statements.lines(wallet=purse, sought=sought)) == found


def test_search_looks_at_a_bound_and_says_where_to_go_on(monkeypatch):
    monkeypatch.setattr(statements, "LOOKED_MAX", 4)
    monkeypatch.setattr(statements, "_CHUNK", 2)
    purse = wallet()
    for number in range(10):
        move(purse, 1 if number else 77, str(number))

    pages, page = [], ""
    while True:
        found = statements.lines(wallet=purse, sought=Sought(least=cny(50)), page=page)
        pages.append(len(found.lines))
        if found.next_page is None:
            break
        page = found.next_page

    assert pages == [0, 0, 1]


def test_search_by_day_is_by_the_members_day():
    ada = members.edit(member=member(), by=Actor("staff", "0"), time_zone="Pacific/Kiritimati")
    purse = wallet(of=ada)
    with clock.standing(clock.now()):
        move(purse, 5, "x")
    today = clock.now().astimezone(ZoneInfo("Pacific/Kiritimati")).date()

    assert len(statements.lines(wallet=purse, sought=Sought(since=today, until=today)).lines) == 1
    yesterday = today - timedelta(days=1)
    assert statements.lines(wallet=purse, sought=Sought(since=yesterday, until=yesterday)).lines == []


@pytest.mark.parametrize(("year", "month"), [(2026, 0), (2026, 13), (1999, 5), (9999, 12)])
def test_month_that_is_none_is_refused(year, month):
    with pytest.raises(MonthUnknown):
        statements.month(wallet=wallet(), year=year, month=month)


@pytest.mark.parametrize("seed", range(5))
def test_months_of_a_random_book_add_up_and_meet(seed):
    chance = random.Random(seed)
    zone = chance.choice(["America/New_York", "Asia/Shanghai", "Europe/Berlin", "Pacific/Chatham"])
    purse = wallet(of=members.edit(member=member(), by=Actor("staff", "0"), time_zone=zone))
    begin = datetime(2027, 2, 26, tzinfo=UTC)
    for number in range(60):
        begin += timedelta(hours=chance.randrange(1, 60))
        with clock.standing(begin):
            have = holds(purse).minor
            out = have > 200 and chance.random() < 0.5
            move(
                purse,
                -chance.randrange(1, have - 100) if out else chance.randrange(1, 9_999),
                str(number),
                fee=chance.choice([0, 0, 1]),
            )

    months = [statements.month(wallet=purse, year=2027, month=month) for month in range(2, 9)]

    assert sum(len(month.lines) for month in months) == purse.account.incoming.count() + purse.account.outgoing.count()
    for month in months:
        assert month.opening + month.came - month.went - month.fees == month.closing
        running = month.opening
        for line in month.lines:
            running += line.amount
            assert line.balance == running
            assert (line.at.astimezone(month.zone).year, line.at.astimezone(month.zone).month) == (
                2027,
                month.since.astimezone(month.zone).month,
            )
    for before, after in pairwise(months):
        assert (before.closing, before.until) == (after.opening, after.since)
    assert months[-1].closing == holds(purse)


@given(st.sampled_from(ZONES), st.integers(2000, 2037), st.integers(1, 12))
def test_months_leave_no_moment_out_and_begin_on_their_first_day(zone, year, month):
    zone = ZoneInfo(zone)

    since, until = statements.month_bounds(year, month, zone)

    assert until == statements.month_bounds(year + month // 12, month % 12 + 1, zone)[0]
    first = since.astimezone(zone)
    last = (until - timedelta(microseconds=1)).astimezone(zone)
    assert (first.year, first.month) == (year, month)
    assert (last.year, last.month) == (year, month)
    assert timedelta(days=27) < until - since < timedelta(days=32)


@pytest.mark.parametrize(
    ("zone", "month", "hours"),
    [
        ("America/New_York", 3, 31 * 24 - 1),
        ("America/New_York", 11, 30 * 24 + 1),
        ("Europe/Berlin", 10, 31 * 24 + 1),
        ("Asia/Shanghai", 3, 31 * 24),
    ],
)
def test_month_with_a_change_of_the_clock_has_its_hours(zone, month, hours):
    since, until = statements.month_bounds(2026, month, ZoneInfo(zone))

    assert until - since == timedelta(hours=hours)


def test_month_says_where_its_last_line_is_sealed():
    purse = wallet()
    today = clock.today(purse.member.time_zone)
    move(purse, 5, "x")

    unsealed = statements.month(wallet=purse, year=today.year, month=today.month)
    [block] = ledger.close_blocks()
    sealed = statements.month(wallet=purse, year=today.year, month=today.month)

    assert unsealed.seal is None
    assert (sealed.seal.height, sealed.seal.head) == (block.height, bytes(block.digest).hex())
    assert sealed.seal.journal == sealed.lines[-1].journal


def test_month_of_somebody_speaks_their_language():
    told("CNY", "USD", "0.138517")
    ada = members.edit(member=member(), by=Actor("staff", "0"), language="zh-hans")
    purse = wallet(1_000, of=ada)
    today = clock.today(ada.time_zone)
    offer = exchanges.quote(member=ada, sell=cny(500), buy_currency="USD", now=clock.now())
    exchanges.accept(quote=offer, reference="r1", by=Actor.of(ada.user))

    month = statements.month(wallet=purse, year=today.year, month=today.month)

    assert month.lines[-1].words == "将 ¥5.00 兑换为 US$0.68"
