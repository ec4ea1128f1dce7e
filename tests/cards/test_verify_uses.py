"""Whatever is done to uses of cards behind the services' backs, verify finds it and names the row."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.db.models import F

from cards.models import Card, CardAuthorisation, CardControls, CardEvent, CardMessage, DecisionReceipt
from cards.services import controls
from cards.services.life import Channel
from cards.verify import decisions, use_facts, uses
from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.ids import EPOCH
from paymentsite.core.models import OpenItem
from paymentsite.core.services import open_items
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Posting
from tests.cards.factories import card, debit
from tests.cards.leftovers import stuck
from tests.cards.using import HOTEL, ask, loaded, more, spending, tell, use
from tests.factories import cny
from tests.made_once import MadeOnce
from tests.wallets.factories import wallet

pytestmark = pytest.mark.django_db

MODULES = (uses, use_facts, decisions)


class Book(NamedTuple):
    """Uses of each sort. ``spends`` was used often, ``owing`` took more than there was, ``counted`` has two uses,
    ``bound`` one merchant."""

    spends: Card
    owing: Card
    counted: Card
    bound: Card


def make_book() -> Book:
    spends, owing = spending(500_00), loaded(20_00)
    terms = {"caps": [{"measure": "amount", "span": "day", "most": 400_00}]}
    controls.set_for(subject=spends, terms=terms, by=Actor.of(spends.member.user), channel=Channel.WEB)
    ask(spends, 50_00, reference="open")
    ask(spends, 900_00, reference="declined")
    ask(spends, 40_00, reference="stay", merchant=HOTEL)
    more(spends, 10_00, reference="stay", merchant=HOTEL)
    ask(spends, 30_00, reference="paid")
    tell("capture", spends, 30_00, reference="paid", final=True)
    tell("refund", spends, 10_00, reference="paid")
    tell("reverse_refund", spends, 5_00, reference="paid")
    ask(spends, 5_00, reference="back")
    tell("reverse", spends, None, reference="back")
    tell("capture", owing, 50_00, reference="owed", final=True)
    tell("refund", owing, 10_00, reference="owed")
    counted = card(wallet(100_00).member, debit(), use=Card.Use.TIMES, times=2)
    ask(counted, 1_00, reference="counted")
    bound = card(wallet(100_00).member, debit(), use=Card.Use.MERCHANT)
    ask(bound, 1_00, reference="bound")
    stuck()
    return Book(spends, owing, counted, bound)


@pytest.fixture(scope="module")
def made(made_once: MadeOnce) -> Book:
    return made_once(make_book)


@pytest.fixture
def book(made: Book, db: None) -> Book:
    return deepcopy(made)


def found(name: str) -> set[str]:
    return {finding.subject for finding in verification.discover().run(only=[name]).findings}


def test_everything_about_them_is_clean(book):
    run = verification.discover().run()

    assert run.findings == []
    assert run.seen["uses of cards"] == 9
    assert run.seen["receipts"] == 8


Plant = Callable[[Book], str]


def of_use(reference: str, **columns: Any) -> Plant:
    def plant(_book: Book) -> str:
        CardAuthorisation.objects.filter(reference=reference).update(**columns)
        return f"use {use(reference).pk}"

    return plant


def of_message(reference: str, kind: str, *, names: str = "use", **columns: Any) -> Plant:
    def plant(_book: Book) -> str:
        row = CardMessage.objects.get(use__reference=reference, kind=kind)
        CardMessage.objects.filter(pk=row.pk).update(**columns)
        return f"use {row.use_id}" if names == "use" else f"message {row.pk}"

    return plant


def of_receipt(reference: str, kind: str = "authorisation", **columns: Any) -> Plant:
    def plant(_book: Book) -> str:
        row = DecisionReceipt.objects.get(message__use__reference=reference, message__kind=kind)
        changed = {name: value(row) if callable(value) else value for name, value in columns.items()}
        DecisionReceipt.objects.filter(pk=row.pk).update(**changed)
        return f"receipt {row.pk}"

    return plant


def of_card(which: str, **columns: Any) -> Plant:
    def plant(book: Book) -> str:
        row = getattr(book, which)
        Card.objects.filter(pk=row.pk).update(**columns)
        return f"card {row.pk}"

    return plant


def deleted_message(book: Book) -> str:
    CardMessage.objects.get(use__reference="paid", kind="refund").delete()
    return f"use {use('paid').pk}"


def journal_of_nothing(_book: Book) -> str:
    row = CardMessage.objects.get(use__reference="paid", kind="refund_reversal")
    CardMessage.objects.filter(pk=row.pk).update(journal=None)
    return f"journal {row.journal_id}"


def posting_of_another_amount(_book: Book) -> str:
    row = CardMessage.objects.get(use__reference="paid", kind="capture")
    Posting.objects.filter(journal=row.journal_id).update(amount_minor=29_00)
    return f"message {row.pk}"


def loose_hold(_book: Book) -> str:
    row = use("open")
    hold = row.hold_id
    CardAuthorisation.objects.filter(pk=row.pk).update(hold=None)
    return f"hold {hold}"


def hold_of_somebody_else(_book: Book) -> str:
    CardAuthorisation.objects.filter(reference="open").update(hold=use("counted").hold_id)
    return f"use {use('open').pk}"


def more_than_is_left(_book: Book) -> str:
    row = use("stay")
    CardAuthorisation.objects.filter(pk=row.pk).update(aside_minor=F("aside_minor") - 1)
    return f"use {row.pk}"


def debt_forgiven(book: Book) -> str:
    account = book.owing.account
    debt = ledger.open_account(owner=account.owner, code="card debt", unit="CNY", kind=account.kind, floor_minor=None)
    ledger.post(ledger.Move(cny(1), ledger.house("suspense", "CNY"), debt), reference="forgiven", scope="test")
    return f"{account.owner} in CNY"


def nobody_looks(_book: Book) -> str:
    OpenItem.objects.filter(kind="card_refund_stuck").delete()
    return f"use {use('bought').pk}"


def somebody_looks_at_nothing(_book: Book) -> str:
    row = use("open")
    open_items.open(kind="card_refund_stuck", subject=row, why="test", by=SYSTEM)
    return f"cards.cardauthorisation:{row.pk}"


def receipt_gone(_book: Book) -> str:
    row = DecisionReceipt.objects.get(message__use__reference="open")
    row.delete()
    return f"message {row.message_id}"


def card_that_was_frozen(book: Book) -> str:
    row = CardEvent.objects.filter(card=book.counted, after=Card.State.ACTIVE).get()
    CardEvent.objects.filter(pk=row.pk).update(after=Card.State.FROZEN)
    return f"receipt {DecisionReceipt.objects.get(message__use__reference='counted').pk}"


def last_day_moved(book: Book) -> str:
    Card.objects.filter(pk=book.counted.pk).update(expires_on=book.counted.issued_at.date() - timedelta(days=2))
    return f"receipt {DecisionReceipt.objects.get(message__use__reference='counted').pk}"


def lower_cap(_book: Book) -> str:
    CardControls.objects.update(terms={"caps": [{"measure": "amount", "span": "day", "most": 1}]})
    return f"receipt {DecisionReceipt.objects.get(message__use__reference='open').pk}"


def unreadable(_book: Book) -> str:
    CardControls.objects.update(terms={"caps": 1})
    return f"controls {CardControls.objects.get().pk}"


def over_its_cap(receipt: DecisionReceipt) -> Any:
    return [{**row, "after": row["most"] + 1} if row["scope"] == "card" else row for row in receipt.limits]


def failed(receipt: DecisionReceipt) -> Any:
    return [*receipt.checks[:-1], {**receipt.checks[-1], "passed": False}]


CORRUPTIONS: dict[str, tuple[str, Plant]] = {
    "approved more": (
        "use_follows_messages",
        of_use("open", asked_minor=60_00, authorised_minor=60_00, aside_minor=60_00),
    ),
    "set aside more": ("use_follows_messages", of_use("open", aside_minor=60_00)),
    "cancelled": ("use_follows_messages", of_use("open", cancelled_minor=1)),
    "paid less": ("use_follows_messages", of_use("paid", captured_minor=29_00)),
    "refunded more": ("use_follows_messages", of_use("paid", refunded_minor=6_00)),
    "over": ("use_follows_messages", of_use("open", over=True)),
    "lapsed": ("use_follows_messages", of_use("open", lapsed=True)),
    "not approved": ("use_follows_messages", of_use("open", approved=False)),
    "counted in another currency": ("use_follows_messages", of_use("open", merchant_currency="EUR")),
    "another state": ("use_follows_messages", of_use("open", state="captured")),
    "ended": ("use_follows_messages", of_use("open", ended=True)),
    "counts nothing": ("use_follows_messages", of_use("open", counted=0)),
    "counts less": ("use_follows_messages", of_use("open", counted_minor=1)),
    "paid more there": ("use_follows_messages", of_use("paid", taken_minor=1)),
    "refunded more there": ("use_follows_messages", of_use("paid", returned_minor=1)),
    "message of another amount there": ("use_follows_messages", of_message("paid", "refund", there_minor=1)),
    "message of another amount": ("use_follows_messages", of_message("paid", "refund", card_minor=1)),
    "message that was last": ("use_follows_messages", of_message("paid", "capture", final=False)),
    "message approved more": ("use_follows_messages", of_message("open", "authorisation", approved_minor=1)),
    "message deleted": ("use_follows_messages", deleted_message),
    "hold that no use knows": ("use_is_held", loose_hold),
    "hold of another": ("use_is_held", hold_of_somebody_else),
    "more set aside than is left": ("use_is_held", more_than_is_left),
    "capture of another amount": (
        "message_is_posted",
        of_message("paid", "capture", names="message", card_minor=29_00),
    ),
    "refund of another amount": ("message_is_posted", of_message("paid", "refund", names="message", card_minor=1)),
    "debt of another amount": ("message_is_posted", of_message("owed", "capture", names="message", debt_minor=1)),
    "margin that nobody earned": (
        "message_is_posted",
        of_message("paid", "capture", names="message", margin_minor=1),
    ),
    "fee that nobody took": ("message_is_posted", of_message("paid", "capture", names="message", fee_minor=1)),
    "posting of another amount": ("message_is_posted", posting_of_another_amount),
    "journal of no message": ("message_is_posted", journal_of_nothing),
    "card counts less": ("uses_are_counted", of_card("spends", counted_minor=1)),
    "card counts fewer": ("uses_are_counted", of_card("spends", counted=0)),
    "use given back": ("uses_are_counted", of_card("counted", uses_left=2)),
    "use taken": ("uses_are_counted", of_card("counted", uses_left=0)),
    "debt forgiven": ("debts_are_booked", debt_forgiven),
    "spends another account": (
        "uses_lapse_in_time",
        lambda book: of_use("open", account=book.counted.account)(book),
    ),
    "counts since another day": ("uses_lapse_in_time", of_use("open", at=EPOCH)),
    "lapses later": ("uses_lapse_in_time", of_use("open", expires_at=EPOCH)),
    "lapses never": ("uses_lapse_in_time", of_use("open", expires_at=None)),
    "lapses though it is over": ("uses_lapse_in_time", of_use("paid", expires_at=EPOCH)),
    "bound to another merchant": ("bound_to_where_used", of_card("bound", merchant="another")),
    "bound to none": ("bound_to_where_used", of_card("bound", merchant="")),
    "nobody looks at a refund aside": ("refunds_wait_for_people", nobody_looks),
    "somebody looks at nothing": ("refunds_wait_for_people", somebody_looks_at_nothing),
    "receipt gone": ("decision_has_receipt", receipt_gone),
    "receipt says otherwise": ("decision_has_receipt", of_receipt("open", outcome="declined")),
    "receipt gives another reason": ("decision_has_receipt", of_receipt("declined", code="card_frozen")),
    "receipt of another card": ("decision_has_receipt", of_receipt("open", card=None)),
    "receipt approves what failed": ("decision_has_receipt", of_receipt("open", checks=failed)),
    "receipt declines what passed": ("decision_has_receipt", of_receipt("declined", checks=[])),
    "receipt beyond a limit": ("decision_has_receipt", of_receipt("open", limits=over_its_cap)),
    "approved while frozen": ("approved_in_life", card_that_was_frozen),
    "approved after its last day": ("approved_in_life", last_day_moved),
    "controls that were stricter": ("approved_within_controls", lower_cap),
    "receipt names other controls": (
        "approved_within_controls",
        of_receipt("open", seen=lambda row: {**row.seen, "controls": []}),
    ),
    "controls that nobody can read": ("approved_within_controls", unreadable),
}


@pytest.mark.parametrize(("check", "plant"), CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_corruption_is_found_and_named(book, unprotected, check, plant):
    assert found(f"cards.{check}") == set()

    with unprotected():
        subject = plant(book)

    assert subject in found(f"cards.{check}")


def test_each_check_has_a_corruption():
    checks = {name for name in verification.discover().checks if name.startswith("cards.")}
    ours = {name for name in checks if any(name.partition(".")[2] in vars(module) for module in MODULES)}

    assert {f"cards.{check}" for check, _plant in CORRUPTIONS.values()} == ours
