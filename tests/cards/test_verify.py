"""Whatever is done to cards behind the services' backs, verify finds it and names the row."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.db import connection
from django.db.models import CheckConstraint, F

from cards.models import Card, CardEvent, CardLoad, CardProduct, CardReveal, CodeKey, NumberRange
from cards.services import ending, issuing, loading, reveals
from cards.services.issuing import Why
from cards.services.life import Channel
from cards.verify import cards as card_checks
from cards.verify import numbers as number_checks
from cards.verify import reveals as reveal_checks
from members.models import Member
from paymentsite.core import vault, verification
from paymentsite.core.actors import Actor
from paymentsite.core.models import AuditEntry
from paymentsite.core.vault import Secret
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Journal, Posting
from tests.cards.factories import card, debit
from tests.factories import cny
from tests.made_once import MadeOnce
from tests.members.factories import member
from tests.wallets.factories import wallet
from wallets.models import Instrument, Wallet

pytestmark = pytest.mark.django_db


class Book(NamedTuple):
    """A member with cards of each sort; ``bo`` is somebody else, with a prepaid card."""

    ada: Member
    bo: Member
    purse: Wallet
    spends: Card
    loaded: Card
    replaced: Card
    theirs: Card


def make_book() -> Book:
    purse, other = wallet(100_00), wallet(50_00)
    by = Actor.of(purse.member.user)
    spends, lost = card(purse.member, debit()), card(purse.member, reference="p")
    loading.load(card=lost, amount=cny(30_00), reference="l", by=by)
    loading.unload(card=lost, amount=cny(5_00), reference="u", by=by)
    loaded = issuing.replace(card=lost, why=Why.LOST, reference="n", by=by, channel=Channel.WEB)
    over = card(purse.member, reference="o")
    ending.expire(card=over, today=over.expires_on + timedelta(days=1))
    theirs = card(other.member)
    loading.load(card=theirs, amount=cny(1_00), reference="l", by=Actor.of(other.member.user))
    lost.refresh_from_db()
    return Book(purse.member, other.member, purse, spends, loaded, lost, theirs)


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
        for model in (Card, NumberRange):
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


def columns(**columns: object) -> Plant:
    def plant(book: Book) -> str:
        Card.objects.filter(pk=book.loaded.pk).update(**columns)
        return f"card {book.loaded.pk}"

    return plant


def number(digits: str, *, digest: bool = True) -> Plant:
    """Another number, encrypted rightly for this row."""

    def plant(book: Book) -> str:
        column = Card._meta.get_field("number")
        changed = {"number": column.encrypted(Secret(digits), column.binding(book.loaded)), "last_four": digits[-4:]}
        if digest:
            changed["number_digest"] = vault.digest(Secret(digits), label="card.number")
        Card.objects.filter(pk=book.loaded.pk).update(**changed)
        return f"card {book.loaded.pk}"

    return plant


def number_of_another_row(book: Book) -> str:
    stolen = Card.objects.values_list("number", flat=True).get(pk=book.theirs.pk)
    Card.objects.filter(pk=book.loaded.pk).update(number=stolen)
    return f"card {book.loaded.pk}"


def key(content: str | None) -> Plant:
    def plant(_: Book) -> str:
        row, column = CodeKey.objects.get(), CodeKey._meta.get_field("material")
        binding = column.binding(row) if content else (member().public_id,)
        CodeKey.objects.update(material=column.encrypted(Secret(content or "00" * 16), binding))
        return f"key of card codes {row.pk}"

    return plant


def range_(**columns: object) -> Plant:
    def plant(_: Book) -> str:
        NumberRange.objects.update(**columns)
        return f"range {NumberRange.objects.get().pk}"

    return plant


def range_that_is_full(_: Book) -> str:
    """Ten numbers, and eleven given."""
    made = NumberRange.objects.create(prefix="40000099999", length=13, issued=11)
    return f"range {made.pk}"


def event_gone(book: Book) -> str:
    CardEvent.objects.filter(card=book.spends, after="inactive").delete()
    return f"card {book.spends.pk}"


def event(**columns: object) -> Plant:
    def plant(book: Book) -> str:
        CardEvent.objects.filter(card=book.spends, after="active").update(**columns)
        return f"card {book.spends.pk}"

    return plant


def never_written(book: Book) -> str:
    CardEvent.objects.filter(card=book.loaded).delete()
    return f"card {book.loaded.pk}"


def spends_another_members(book: Book) -> str:
    Card.objects.filter(pk=book.spends.pk).update(account=book.theirs.account)
    return f"card {book.spends.pk}"


def wallet_of_another(book: Book) -> str:
    Card.objects.filter(pk=book.loaded.pk).update(wallet=Wallet.objects.get(member=book.bo))
    return f"card {book.loaded.pk}"


def account_of_another(book: Book) -> str:
    Account.objects.filter(pk=book.theirs.account_id).update(owner=book.ada.owner, code="card 99")
    return f"card {book.theirs.pk}"


def wallet_closed(book: Book) -> str:
    Wallet.objects.filter(pk=book.purse.pk).update(state=Wallet.State.CLOSED)
    return f"card {book.spends.pk}"


def shares_an_account(book: Book) -> str:
    Card.objects.filter(pk=book.theirs.pk).update(account=book.loaded.account)
    return f"card {book.theirs.pk}"


def replaced_lives(book: Book) -> str:
    Card.objects.filter(pk=book.replaced.pk).update(state="active", ended_at=None)
    return f"card {book.loaded.pk}"


def replaces_another(book: Book) -> str:
    Card.objects.filter(pk=book.loaded.pk).update(replaces=book.spends)
    return f"card {book.loaded.pk}"


def instrument(**columns: object) -> Plant:
    def plant(book: Book) -> str:
        Instrument.objects.filter(source=book.spends.source).update(**columns)
        return f"card {book.spends.pk}"

    return plant


def instrument_of_no_card(book: Book) -> str:
    mine = Instrument.objects.get(source=book.spends.source)
    mine.pk, mine.public_id, mine.source, mine.default = None, member().public_id, "card:none", False
    mine.save(force_insert=True)
    return f"instrument {mine.pk}"


def load_of(book: Book) -> CardLoad:
    return CardLoad.objects.get(card=book.replaced, way="on")


def load(**columns: object) -> Plant:
    def plant(book: Book) -> str:
        made = load_of(book)
        CardLoad.objects.filter(pk=made.pk).update(**columns)
        return f"load {made.pk}"

    return plant


def load_gone(book: Book) -> str:
    made = load_of(book)
    made.delete()
    return f"journal {made.journal_id}"


def posted_elsewhere(book: Book) -> str:
    made = load_of(book)
    Posting.objects.filter(journal=made.journal_id).update(target=ledger.house("cash", "CNY"))
    return f"load {made.pk}"


def another_journal(book: Book) -> str:
    made, other = load_of(book), Journal.objects.filter(scope="test").first()
    CardLoad.objects.filter(pk=made.pk).update(journal=other)
    Journal.objects.filter(pk=made.journal_id).update(scope="elsewhere")
    return f"load {made.pk}"


def looked(book: Book) -> CardReveal:
    by = Actor.of(book.ada.user)
    made = reveals.permit(card=book.loaded, by=by, channel=Channel.WEB, signed_in=timedelta(0))
    reveals.show(token=made.token, by=by)
    return CardReveal.objects.get()


def look_unseen(book: Book) -> str:
    CardReveal.objects.filter(pk=(made := looked(book)).pk).update(shown_at=None)
    return f"look {made.pk}"


def look_untold(book: Book) -> str:
    made = looked(book)
    AuditEntry.objects.of(made).filter(act="card.shown").update(act="card.hidden")
    return f"look {made.pk}"


def look_gone(book: Book) -> str:
    made = looked(book)
    AuditEntry.objects.of(made).filter(act="card.reveal_permitted").update(act="card.hidden")
    run(f"DELETE FROM cards_cardreveal WHERE id = {made.pk}")  # noqa: S608  a number
    return f"cards.cardreveal:{made.pk}"


CORRUPTIONS: list[tuple[str, str, Plant]] = [
    ("cards.numbers_decrypt", "another row's number", number_of_another_row),
    ("cards.numbers_decrypt", "a number that fails Luhn", number("4000001200000001")),
    ("cards.numbers_decrypt", "a number of another range", number("4111111111111111")),
    ("cards.numbers_decrypt", "a number without its digest", number("4000001200000002", digest=False)),
    ("cards.numbers_decrypt", "another last four", columns(last_four="0000")),
    ("cards.numbers_decrypt", "another beginning", columns(prefix="40000013")),
    ("cards.code_keys_decrypt", "of another row", key(None)),
    ("cards.code_keys_decrypt", "too short", key("00" * 8)),
    ("cards.code_keys_decrypt", "no key", key("secret")),
    ("cards.numbers_counted", "one more", range_(issued=F("issued") + 1)),
    ("cards.numbers_counted", "more than there are", range_that_is_full),
    ("cards.life_is_its_events", "another state", columns(state="active")),
    ("cards.life_is_its_events", "an event gone", event_gone),
    ("cards.life_is_its_events", "an event that begins elsewhere", event(before="frozen")),
    ("cards.life_is_its_events", "no event at all", never_written),
    ("cards.spends_its_members", "a debit card spends another's", spends_another_members),
    ("cards.spends_its_members", "another's wallet", wallet_of_another),
    ("cards.spends_its_members", "its account became another's", account_of_another),
    ("cards.spends_its_members", "its wallet is closed", wallet_closed),
    ("cards.one_card_an_account", "two share one", shares_an_account),
    ("cards.one_card_an_account", "what was replaced lives", replaced_lives),
    ("cards.one_card_an_account", "it replaces another", replaces_another),
    ("cards.card_is_instrument", "removed", instrument(state="removed", default=False, removed_at=F("added_at"))),
    ("cards.card_is_instrument", "of no card", instrument_of_no_card),
    ("cards.load_is_posted", "another amount", load(amount_minor=1)),
    ("cards.load_is_posted", "the other way", load(way="off")),
    ("cards.load_is_posted", "it is gone", load_gone),
    ("cards.load_is_posted", "its posting went elsewhere", posted_elsewhere),
    ("cards.load_is_posted", "another journal", another_journal),
    ("cards.looks_are_told", "shown, and it says not", look_unseen),
    ("cards.looks_are_told", "shown, and not told", look_untold),
    ("cards.looks_are_told", "it is gone", look_gone),
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


def test_every_check_of_cards_has_a_corruption():
    ours = {module.__name__ for module in (card_checks, number_checks, reveal_checks)}
    names = {name for name, check in verification.discover().checks.items() if check.work.__module__ in ours}

    assert names == {check for check, *_ in CORRUPTIONS}


def test_everything_about_them_is_clean(book):
    ledger.close_blocks()

    result = verification.discover().run()

    assert result.findings == []
    assert (result.seen["cards"], result.seen["loads of cards"]) == (5, 3)
    assert CardProduct.objects.count() == 2
