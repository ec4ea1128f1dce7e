"""Accounts: opened once, told how to behave, and closed for ever."""

import pytest
from django.db import IntegrityError, transaction

from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.models import AuditEntry
from paymentsite.core.money import UnknownUnit
from paymentsite.ledger import queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, AccountEvent, Balance
from paymentsite.ledger.refusals import AccountNotOpen
from paymentsite.ledger.services import Move, Terms
from paymentsite.ledger.services.accounts import (
    HOUSE,
    AccountClosed,
    AccountDiffers,
    AccountNotEmpty,
    DeferredHasNoFloor,
    FloorNotMet,
    InvalidAccount,
)
from tests.factories import cny, fund, hold, hot, points, pts, purse

pytestmark = pytest.mark.django_db

OPEN, NO_DEBIT, FROZEN, CLOSED = Balance.Status
STAFF = Actor("staff", "1")
FIELDS = {"owner": "test:a", "code": "wallet", "unit": "CNY", "kind": Account.Kind.LIABILITY}


def status(account: Account, to: str) -> None:
    ledger.set_status(account=account, status=Balance.Status(to), by=STAFF, reason="because")


def floor(account: Account, to: int | None) -> None:
    ledger.set_floor(account=account, floor_minor=to, by=STAFF, reason="because")


def events(account: Account) -> list[tuple[object, ...]]:
    return list(account.events.order_by("pk").values_list("kind", "status", "floor_minor", "seq", "actor", "reason"))


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"kind": Account.Kind.ASSET}, "kind"),
        ({"mode": Account.Mode.DEFERRED}, "mode"),
        ({"lots": True}, "lots"),
        ({"floor_minor": -100}, "floor"),
        ({"floor_minor": None}, "floor"),
    ],
)
def test_account_opened_again_as_another_is_refused(other, field, book):
    first = ledger.open_account(**FIELDS)
    before = book()

    with pytest.raises(AccountDiffers) as refusal:
        ledger.open_account(**FIELDS | other)

    assert refusal.value.facts == {"account": str(first.public_id), "fields": [field]}
    assert book() == before


def test_account_in_no_unit_is_refused(book):
    before = book()

    with pytest.raises(UnknownUnit):
        ledger.open_account(**FIELDS | {"unit": "XXX0"})

    assert book() == before


@pytest.mark.parametrize(
    "impossible",
    [
        {"lots": True, "mode": Account.Mode.DEFERRED},
        {"floor_minor": 1},
        {"kind": "treasure"},
        {"mode": "lenient"},
        {"floor_minor": -(10**30)},
        {"owner": ""},
        {"owner": "x" * 81},
        {"code": "tab\there"},
    ],
    ids=str,
)
def test_account_that_cannot_be_is_not_opened(impossible, book):
    before = book()

    with pytest.raises(InvalidAccount):
        ledger.open_account(**FIELDS | impossible)

    assert book() == before


def test_account_opened_again_is_the_first_one(book):
    first = ledger.open_account(**FIELDS)
    before = book()

    assert ledger.open_account(**FIELDS) == first
    assert book() == before


def test_account_whose_floor_was_moved_is_opened_again_as_it_was_opened():
    first = ledger.open_account(**FIELDS)
    floor(first, -100)

    assert ledger.open_account(**FIELDS) == first
    with pytest.raises(AccountDiffers):
        ledger.open_account(**FIELDS, floor_minor=-100)

    assert Balance.objects.get(account=first).floor_minor == -100


@pytest.mark.parametrize("other", [{"owner": "test:b"}, {"code": "savings"}, {"unit": "EUR"}])
def test_account_is_known_by_owner_code_and_unit(other):
    assert ledger.open_account(**FIELDS) != ledger.open_account(**FIELDS | other)


def test_opened_account_is_open_empty_and_told():
    now = clock.now()
    with clock.standing(now):
        account = ledger.open_account(**FIELDS, floor_minor=-5, by=STAFF)

    balance = account.balance
    assert (account.opened_at, account.strict, account.lots, str(account)) == (now, True, False, "test:a wallet CNY")
    assert (balance.posted, balance.held, balance.available, balance.status) == (cny(0), cny(0), cny(5), OPEN)
    assert events(account) == [("opened", "open", -5, 0, "staff:1", "opened")]
    assert str(balance) == "0.00 CNY on test:a wallet CNY"


def test_hot_account_has_no_floor_whatever_is_asked():
    account = hot(floor_minor=7)

    assert (account.balance.floor_minor, account.balance.available, account.strict) == (None, None, False)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("cash", "asset"),
        ("fees", "income"),
        ("breakage", "income"),
        ("points", "expense"),
        ("suspense", "liability"),
        ("position", "equity"),
    ],
)
def test_account_of_the_house_is_hot_and_of_its_kind(code, kind):
    account = ledger.house(code, "CNY")

    assert (account.owner, account.kind, account.strict) == (HOUSE, kind, False)
    assert ledger.house(code, "CNY") == account


def test_accounts_are_found_by_owner_and_mode():
    mine, warm, other = purse(owner="test:me"), hot(owner="test:me", code="hot"), purse()

    assert set(Account.objects.of("test:me")) == {mine, warm}
    assert warm in Account.objects.deferred()
    assert other not in Account.objects.deferred()


def test_closed_account_stays_closed(book):
    account = purse()
    status(account, CLOSED)
    before = book()

    for to in (OPEN, NO_DEBIT, FROZEN):
        with pytest.raises(AccountClosed) as refusal:
            status(account, to)
        assert refusal.value.facts == {"account": str(account.public_id)}
    status(account, CLOSED)

    assert book() == before


def with_funds() -> Account:
    return purse(10)


def in_debt() -> Account:
    account = purse(floor_minor=None)
    ledger.post(Move(cny(10), account, hot()), reference="debt")
    return account


def with_a_hold() -> Account:
    account = purse(floor_minor=-10)
    hold(account, 10)
    return account


@pytest.mark.parametrize("full", [with_funds, in_debt, with_a_hold, hot])
def test_account_that_is_not_empty_cannot_be_closed(full, book):
    account = full()
    before = book()

    with pytest.raises(AccountNotEmpty):
        status(account, CLOSED)

    assert book() == before


def test_account_with_dead_points_on_it_cannot_be_closed():
    account = points()
    fund(account, 5, Terms("x"))

    with pytest.raises(AccountNotEmpty) as refusal:
        status(account, CLOSED)

    assert refusal.value.facts["posted"] == pts(5).to_wire()


@pytest.mark.parametrize("to", [NO_DEBIT, FROZEN, CLOSED])
@pytest.mark.parametrize("make", [purse, points], ids=["plain", "lots"])
def test_status_is_changed_once_and_told(make, to):
    account = make()

    status(account, to)
    status(account, to)

    assert Balance.objects.get(account=account).status == to
    assert events(account)[1:] == [("status", to, 0, 0, "staff:1", "because")]
    entries = AuditEntry.objects.filter(act="ledger.set_status")
    before, after = {"status": "open"}, {"status": to, "floor_minor": 0, "seq": 0}
    assert [(e.by, e.before, e.after, e.reason) for e in entries] == [("staff:1", before, after, "because")]


def test_status_says_from_which_posting_on_it_counts():
    account = purse(10)
    ledger.post(Move(cny(1), account, hot()), reference="1")

    status(account, FROZEN)

    assert events(account)[-1][3] == 2


def test_thawed_account_works_again():
    account = purse(10)
    status(account, FROZEN)
    with pytest.raises(AccountNotOpen):
        ledger.post(Move(cny(1), account, hot()), reference="1")
    status(account, OPEN)

    assert ledger.post(Move(cny(1), account, hot()), reference="2").balances == {account.pk: 9}


@pytest.mark.parametrize(
    "change",
    [
        lambda account: ledger.set_status(account=account, status="ajar", by=STAFF, reason="because"),
        lambda account: ledger.set_status(account=account, status=FROZEN, by=STAFF, reason=""),
        lambda account: ledger.set_status(account=account, status=FROZEN, by=STAFF, reason="x" * 256),
        lambda account: ledger.set_floor(account=account, floor_minor=-1, by=STAFF, reason="tab\there"),
        lambda account: ledger.set_floor(account=account, floor_minor=-(10**30), by=STAFF, reason="because"),
        lambda account: ledger.set_floor(account=account, floor_minor=10**30, by=STAFF, reason="because"),
    ],
    ids=["status", "no reason", "long reason", "unprintable reason", "too low", "too high"],
)
def test_change_that_cannot_be_is_refused(change, book):
    account = purse(10)
    before = book()

    with pytest.raises(InvalidAccount):
        change(account)

    assert book() == before


def test_hot_account_has_no_floor_to_set(book):
    account = hot()
    before = book()

    with pytest.raises(DeferredHasNoFloor):
        floor(account, 0)

    assert book() == before


@pytest.mark.parametrize("to", [None, -100, 1])
def test_floor_of_a_closed_account_stays(to, book):
    account = purse()
    status(account, CLOSED)
    before = book()

    with pytest.raises(AccountClosed) as refusal:
        floor(account, to)
    floor(account, 0)

    assert refusal.value.facts == {"account": str(account.public_id)}
    assert book() == before


@pytest.mark.parametrize(("held", "to"), [(0, 11), (4, 7), (10, 1)])
def test_floor_above_what_is_there_is_refused(held, to, book):
    account = purse(10)
    if held:
        hold(account, held)
    before = book()

    with pytest.raises(FloorNotMet) as refusal:
        floor(account, to)

    assert refusal.value.facts == {"account": str(account.public_id)}
    assert book() == before


@pytest.mark.parametrize("to", [None, -100, 0, 6])
def test_floor_is_changed_once_and_told(to):
    account = purse(10, floor_minor=-1)
    hold(account, 4)

    floor(account, to)
    floor(account, to)

    standing = queries.standing(account)
    assert standing.available == (None if to is None else cny(6 - to))
    assert events(account)[1:] == [("floor", "open", to, 1, "staff:1", "because")]
    entries = AuditEntry.objects.filter(act="ledger.set_floor")
    assert [(e.before, e.after) for e in entries] == [
        ({"floor_minor": -1}, {"status": "open", "floor_minor": to, "seq": 1})
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"posted_minor": -1},
        {"held_minor": 11},
        {"floor_minor": 11},
        {"held_minor": -1},
    ],
    ids=str,
)
def test_database_refuses_a_balance_that_cannot_be(wrong):
    account = purse(10)

    with pytest.raises(IntegrityError), transaction.atomic():
        Balance.objects.filter(pk=account.pk).update(**wrong)


@pytest.mark.parametrize(("rows", "column"), [(Account.objects, "code"), (AccountEvent.objects, "reason")])
def test_what_an_account_is_and_was_told_never_changes(rows, column):
    purse()

    with pytest.raises(Exception, match="written once"), transaction.atomic():
        rows.update(**{column: "other"})


def test_what_an_act_did_to_an_account_goes_back_with_it(book):
    account = purse(10)
    before = book()

    @act
    def service() -> None:
        floor(account, 5)
        status(account, FROZEN)
        status(account, CLOSED)

    with pytest.raises(AccountNotEmpty):
        service()

    assert book() == before
