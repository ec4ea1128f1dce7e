"""Whatever is done to account numbers and credits behind the services' backs, verify finds it and names the row."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import NamedTuple
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import CheckConstraint, F

from cards.models import AccountRange, BankCredit, VirtualAccount, VirtualAccountEvent
from cards.services import bank_bookings, credit_decisions, purposes
from cards.services.bank_credits import ASIDE
from cards.verify import accounts as account_checks
from cards.verify import bank_credits as credit_checks
from members.models import Member
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM
from paymentsite.core.models import AuditEntry, OpenItem
from paymentsite.core.services import open_items
from paymentsite.core.vault import Secret
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Journal, Posting
from tests.cards.banking import NOWHERE, came, days, numbers, permanent, purpose
from tests.factories import cny
from tests.made_once import MadeOnce
from tests.members.factories import member
from tests.wallets.deciding import decide, staff
from tests.wallets.factories import wallet
from tests.wallets.saved import bank_account
from wallets.models import Wallet

pytestmark = pytest.mark.django_db


class Book(NamedTuple):
    """A member with account numbers of each sort, and credits of each; ``bo`` is somebody else."""

    ada: Member
    purse: Wallet
    theirs: Wallet
    kept: VirtualAccount
    split: VirtualAccount
    late: VirtualAccount
    other: VirtualAccount
    whole: BankCredit
    parted: BankCredit
    assigned: BankCredit
    returned: BankCredit


def make_book() -> Book:
    purse, theirs = wallet(), wallet()
    linked = bank_account(of=purse.member, currency="CNY", verified=True)
    kept = permanent(purse, linked=linked)
    split = purpose(purse, 100_00, over="aside", payer=Secret("Bo Li"), label="dinner", expires_on=days(9))
    late = purpose(purse, 50_00, reference="late", expires_on=days(0))
    other = purpose(theirs, 70_00)
    whole = came(kept, 10_00, "1", payer_name="Bo Li")
    parted = came(split, 130_00, "2", note="dinner")
    came(late, 20_00, "3")
    purposes.expire(account=late, today=days(1))
    assigned, returned = came(NOWHERE, 70_00, "4"), came(NOWHERE, 5_00, "5")
    found_out = {"member": theirs.member, "account": other, "reason": "found out"}
    decide(credit_decisions.assign(credit=assigned, by=staff(), **found_out))
    decide(credit_decisions.give_back(credit=returned, by=staff(), reason="nobody's"))
    for row in (kept, split, late, other, assigned, returned):
        row.refresh_from_db()
    return Book(purse.member, purse, theirs, kept, split, late, other, whole, parted, assigned, returned)


@pytest.fixture(scope="module")
def made(made_once: MadeOnce) -> Book:
    return made_once(make_book)


@pytest.fixture
def book(made: Book, db: None) -> Book:
    return deepcopy(made)


@pytest.fixture
def unconstrained() -> Iterator[Callable[[], None]]:
    """``unconstrained()``: no condition of a column stands in the way, as for somebody with all rights."""
    if connection.vendor == "sqlite":
        run("PRAGMA ignore_check_constraints = ON")
        yield lambda: None
        run("PRAGMA ignore_check_constraints = OFF")
        return

    def drop() -> None:
        run("SET CONSTRAINTS ALL IMMEDIATE")  # what waits to be checked would keep the tables from being altered
        for model in (AccountRange, BankCredit, VirtualAccount):
            for constraint in model._meta.constraints:
                if isinstance(constraint, CheckConstraint):
                    run(f"ALTER TABLE {model._meta.db_table} DROP CONSTRAINT {constraint.name}")

    yield drop


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def found(check: str) -> set[str]:
    return {finding.subject for finding in verification.discover().run(only=[check]).findings}


Plant = Callable[[Book], str]


def account(name: str, **columns: object) -> Plant:
    """Other columns of one of the accounts."""

    def plant(book: Book) -> str:
        row = getattr(book, name)
        VirtualAccount.objects.filter(pk=row.pk).update(**columns)
        return f"virtual account {row.pk}"

    return plant


def credit(name: str, **columns: object) -> Plant:
    """Other columns of one of the credits."""

    def plant(book: Book) -> str:
        row = getattr(book, name)
        BankCredit.objects.filter(pk=row.pk).update(**columns)
        return f"bank credit {row.pk}"

    return plant


def number_of_another_range(book: Book) -> str:
    VirtualAccount.objects.filter(pk=book.kept.pk).update(numbers=numbers(prefix="7777"))
    return f"virtual account {book.kept.pk}"


def counted(change: int) -> Plant:
    def plant(book: Book) -> str:
        AccountRange.objects.filter(pk=book.kept.numbers_id).update(issued=F("issued") + change)
        return f"account range {book.kept.numbers_id}"

    return plant


def more_than_there_are(_: Book) -> str:
    tiny = numbers(scheme="luhn", prefix="888000", length=8)
    AccountRange.objects.filter(pk=tiny.pk).update(issued=11)
    return f"account range {tiny.pk}"


def event(name: str, **columns: object) -> Plant:
    """Other columns of an account's last event."""

    def plant(book: Book) -> str:
        last = VirtualAccountEvent.objects.filter(account=getattr(book, name)).order_by("pk").last()
        VirtualAccountEvent.objects.filter(pk=last.pk).update(**columns)
        return f"virtual account {last.account_id}"

    return plant


def never_written(book: Book) -> str:
    VirtualAccountEvent.objects.filter(account=book.kept).delete()
    return f"virtual account {book.kept.pk}"


def untold(name: str) -> Plant:
    def plant(book: Book) -> str:
        row = getattr(book, name)
        told = AuditEntry.objects.of(row).order_by("pk").last()
        AuditEntry.objects.filter(pk=told.pk).update(act="other.thing")
        return f"{'virtual account' if isinstance(row, VirtualAccount) else 'bank credit'} {row.pk}"

    return plant


def told_twice(book: Book) -> str:
    told = AuditEntry.objects.of(book.whole).get()
    told.pk = None
    told.save(force_insert=True)
    return f"bank credit {book.whole.pk}"


def anothers_wallet(book: Book) -> str:
    VirtualAccount.objects.filter(pk=book.kept.pk).update(wallet=book.theirs)
    return f"virtual account {book.kept.pk}"


def anothers_bank_account(book: Book) -> str:
    strange = bank_account(of=member(), currency="CNY")
    VirtualAccount.objects.filter(pk=book.kept.pk).update(linked=strange)
    return f"virtual account {book.kept.pk}"


def wallet_closed(book: Book) -> str:
    Wallet.objects.filter(pk=book.theirs.pk).update(state="closed")
    return f"virtual account {book.other.pk}"


def never_expired(book: Book) -> str:
    VirtualAccount.objects.filter(pk=book.late.pk).update(purpose="part_paid", expires_on=days(-3))
    return f"virtual account {book.late.pk}"


def of_another_row(model: type[VirtualAccount | BankCredit], column: str) -> Plant:
    """What was encrypted for another row."""

    def plant(book: Book) -> str:
        row = book.split if model is VirtualAccount else book.whole
        field = model._meta.get_field(column)
        model.objects.filter(pk=row.pk).update(**{column: field.encrypted(Secret("x"), (uuid4(),))})
        return f"{'virtual account' if model is VirtualAccount else 'bank credit'} {row.pk}"

    return plant


def number_told(book: Book) -> str:
    """Another number, encrypted rightly and found by its digest."""
    book.whole.number = Secret(book.split.number)
    book.whole.save(update_fields=["number", "number_digest"])
    return f"bank credit {book.whole.pk}"


def posted(name: str, column: str, **columns: object) -> Plant:
    """Another posting of a credit's journal."""

    def plant(book: Book) -> str:
        row = getattr(book, name)
        row.refresh_from_db()
        change = {key: value() if callable(value) else value for key, value in columns.items()}
        first = Posting.objects.filter(journal=getattr(row, column)).order_by("pk").first()
        Posting.objects.filter(pk=first.pk).update(**change)
        return f"bank credit {row.pk}"

    return plant


def journal(name: str, column: str, **columns: object) -> Plant:
    def plant(book: Book) -> str:
        row = getattr(book, name)
        Journal.objects.filter(pk=getattr(row, column)).update(**columns)
        return f"bank credit {row.pk}"

    return plant


def lonely(scope: str) -> Plant:
    def plant(book: Book) -> str:
        source = bank_bookings.clearing(book.whole.bank, "CNY")
        made = ledger.post(ledger.Move(cny(1), source, book.purse.account), scope=scope, reference="more", kind="x")
        return f"journal {made.journal_id}"

    return plant


def moved_by_hand(book: Book) -> str:
    del book
    out = ledger.Move(cny(1), bank_bookings.suspense("CNY"), ledger.house("cash", "CNY"))
    ledger.post(out, scope="test", reference="by hand", kind="x")
    return "suspense of banks CNY"


def forgotten(book: Book) -> str:
    open_items.close(kind=ASIDE, subject=book.parted, by=SYSTEM, note="done")
    return f"bank credit {book.parted.pk}"


def looked_at_for_nothing(book: Book) -> str:
    open_items.open(kind=ASIDE, subject=book.whole, why="?", by=SYSTEM)
    return f"bank credit {book.whole.pk}"


def erased(book: Book) -> None:
    Member.objects.filter(pk=book.ada.pk).update(state="closed", erased_at=clock.now())


def label_left(book: Book) -> str:
    erased(book)
    BankCredit.objects.update(payer_name=None, note=None)
    VirtualAccount.objects.filter(member=book.ada).update(payer=None)
    return f"virtual account {book.split.pk}"


def payer_left(book: Book) -> str:
    erased(book)
    VirtualAccount.objects.filter(member=book.ada).update(label="", payer=None)
    BankCredit.objects.exclude(pk=book.whole.pk).update(payer_name=None, note=None)
    return f"bank credit {book.whole.pk}"


def elsewhere() -> object:
    return ledger.house("cash", "CNY")


CORRUPTIONS: list[tuple[str, str, Plant]] = [
    ("cards.account_numbers_right", "wrong check digits", account("kept", number="8888000000000000000000")),
    ("cards.account_numbers_right", "of another range", number_of_another_range),
    ("cards.account_numbers_right", "too short", account("kept", number="8888000012")),
    ("cards.account_numbers_counted", "one more", counted(1)),
    ("cards.account_numbers_counted", "one less", counted(-1)),
    ("cards.account_numbers_counted", "more than there are", more_than_there_are),
    ("cards.account_is_its_events", "another state", account("kept", state="suspended")),
    ("cards.account_is_its_events", "another purpose", account("split", purpose="overpaid")),
    ("cards.account_is_its_events", "an event of nothing", event("split", purpose="open")),
    ("cards.account_is_its_events", "an event that begins elsewhere", event("split", before="suspended")),
    ("cards.account_is_its_events", "no event at all", never_written),
    ("cards.account_is_its_events", "not told", untold("kept")),
    ("cards.account_leads_home", "into another's wallet", anothers_wallet),
    ("cards.account_leads_home", "in another currency", account("kept", currency="USD")),
    ("cards.account_leads_home", "to another's bank account", anothers_bank_account),
    ("cards.account_leads_home", "into a wallet that is closed", wallet_closed),
    ("cards.purposes_follow_credits", "more came", account("split", paid_minor=100_01)),
    ("cards.purposes_follow_credits", "less is expected", account("split", expected_minor=99_99)),
    ("cards.purposes_follow_credits", "served by what was assigned", account("other", purpose="part_paid")),
    ("cards.purposes_follow_credits", "expired, and served", account("late", purpose="paid")),
    ("cards.purposes_follow_credits", "never expired", never_expired),
    ("cards.purposes_follow_credits", "expired without a last day", account("late", expires_on=None)),
    ("cards.payers_decrypt", "of another row", of_another_row(VirtualAccount, "payer")),
    ("cards.credit_booked_once", "more on the wallet", credit("parted", booked_minor=101_00, aside_minor=29_00)),
    ("cards.credit_booked_once", "in another currency", credit("whole", currency="USD")),
    ("cards.credit_booked_once", "to another account", posted("whole", "journal_id", target=elsewhere)),
    ("cards.credit_booked_once", "from elsewhere", posted("whole", "journal_id", source=elsewhere)),
    ("cards.credit_booked_once", "under another reference", journal("whole", "journal_id", reference="x")),
    ("cards.credit_booked_once", "a journal of no credit", lonely(bank_bookings.SCOPE)),
    ("cards.credit_settled_once", "to nobody", posted("assigned", "settled_journal_id", target=elsewhere)),
    ("cards.credit_settled_once", "back to nobody", posted("returned", "settled_journal_id", target=elsewhere)),
    ("cards.credit_settled_once", "in another scope", journal("returned", "settled_journal_id", reference="x")),
    ("cards.credit_settled_once", "less", credit("assigned", aside_minor=69_99)),
    ("cards.credit_settled_once", "a journal of no decision", lonely(bank_bookings.SETTLED)),
    ("cards.suspense_is_open_credits", "moved by hand", moved_by_hand),
    ("cards.credits_wait_for_people", "nobody looks", forgotten),
    ("cards.credits_wait_for_people", "somebody looks at nothing", looked_at_for_nothing),
    ("cards.credits_are_told", "not told", untold("whole")),
    ("cards.credits_are_told", "a decision not told", untold("returned")),
    ("cards.credits_are_told", "told twice", told_twice),
    ("cards.credits_are_told", "another outcome", credit("returned", outcome="assigned")),
    ("cards.credits_decrypt", "a number of another row", of_another_row(BankCredit, "number")),
    ("cards.credits_decrypt", "a payer of another row", of_another_row(BankCredit, "payer_name")),
    ("cards.credits_decrypt", "another digest", credit("whole", number_digest="x")),
    ("cards.credits_decrypt", "another number", number_told),
    ("cards.credits_decrypt", "another reference", credit("whole", reference="9")),
    ("cards.erased_hold_no_payers", "a label", label_left),
    ("cards.erased_hold_no_payers", "a payer", payer_left),
]


@pytest.mark.parametrize(
    ("check", "plant"), [pytest.param(check, plant, id=f"{check}: {what}") for check, what, plant in CORRUPTIONS]
)
def test_corruption_is_found_and_named(book, unprotected, unconstrained, check, plant):
    assert found(check) == set()

    unconstrained()
    with unprotected():
        subject = plant(book)

    assert found(check) == {subject}


def test_credit_that_is_gone_leaves_suspense_apart_from_credits(book, unprotected):
    with unprotected():
        BankCredit.objects.filter(pk=book.parted.pk).delete()

    assert found("cards.suspense_is_open_credits") == {"suspense of banks CNY"}
    assert found("cards.credit_booked_once") == {f"journal {book.parted.journal_id}"}
    assert found("cards.purposes_follow_credits") == {f"virtual account {book.split.pk}"}


def test_every_check_of_accounts_has_a_corruption():
    ours = {module.__name__ for module in (account_checks, credit_checks)}
    names = {name for name, check in verification.discover().checks.items() if check.work.__module__ in ours}

    assert names == {check for check, *_ in CORRUPTIONS}


def test_everything_about_them_is_clean(book):
    ledger.close_blocks()

    result = verification.discover().run()

    assert result.findings == []
    assert (result.seen["virtual accounts"], result.seen["credits by banks"]) == (4, 5)
    assert (result.seen["decided credits"], result.seen["credits that are set aside"]) == (2, 1)
    assert OpenItem.objects.open().filter(kind=ASIDE).count() == 1
    assert book.kept.state == "open"
