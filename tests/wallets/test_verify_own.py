"""Whatever is done to instruments and exchanges behind the services' backs, verify finds it and names the row."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.db.models import CheckConstraint, F, Model

from members.models import Member
from paymentsite.core import clock, vault, verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Journal, Posting
from tests.factories import cny
from tests.made_once import MadeOnce
from tests.members.factories import member
from tests.wallets import gateways
from tests.wallets.deposits import start
from tests.wallets.factories import wallet
from tests.wallets.rates import told
from tests.wallets.saved import MASTERCARD, bank_account, card
from wallets.models import (
    AccountProof,
    BankAccount,
    Exchange,
    ExchangeQuote,
    ExchangeRate,
    Instrument,
    OutsideCard,
    Wallet,
)
from wallets.services import exchanges, instruments
from wallets.verify import exchanges as exchange_checks
from wallets.verify import instruments as instrument_checks
from wallets.verify import saved_numbers as number_checks

pytestmark = pytest.mark.django_db


class Book(NamedTuple):
    """A member of whom everything is there that can be; ``bo`` is somebody else."""

    ada: Member
    bo: Member
    purse: Wallet
    saved: Instrument
    account: Instrument
    exchange: Exchange


def make_book() -> Book:
    gateways.route("top_up")
    gateways.route("payout")
    told("CNY", "USD", "0.138517")
    ada, bo = member(), member()
    purse = wallet(1_000_00, of=ada)
    wallet(of=bo)
    wallet(of=bo, currency="USD")
    saved, account = card(of=ada), bank_account(of=ada, verified=True)
    started = bank_account(of=ada, number="GB82 WEST 1234 5698 7654 32")
    start(started)
    instruments.remove(instrument=card(of=ada, number=MASTERCARD), by=SYSTEM)
    offer = exchanges.quote(member=ada, sell=cny(100_00), buy_currency="USD", now=clock.now())
    exchange = exchanges.accept(quote=offer, reference="r1", by=Actor.of(ada.user))
    return Book(ada, bo, purse, saved, account, exchange)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="module")
def made(made_once: MadeOnce, folder: Path) -> Book:
    with gateways.sandboxes(folder, "sandbox"):
        return made_once(make_book)


@pytest.fixture
def book(made: Book, folder: Path, tmp_path: Path, db: None) -> Iterator[Book]:
    with gateways.sandbox_as_of(folder, tmp_path):
        yield deepcopy(made)


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
        for model in (Instrument, BankAccount, AccountProof, Exchange, ExchangeQuote, ExchangeRate, Posting):
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


def of_exchange(model: type[Model], **columns: Any) -> Plant:
    def plant(book: Book) -> str:
        model._base_manager.filter(pk=book.exchange.pk).update(**columns)
        return f"{'quote' if model is ExchangeQuote else 'exchange'} {book.exchange.pk}"

    return plant


def of_the_quote(**columns: Any) -> Plant:
    def plant(book: Book) -> str:
        ExchangeQuote.objects.filter(pk=book.exchange.pk).update(**columns)
        return f"exchange {book.exchange.pk}"

    return plant


def bought_more_posted(book: Book) -> str:
    Posting.objects.filter(journal=book.exchange.journal_id, target=book.exchange.bought_into.account).update(
        amount_minor=F("amount_minor") + 1
    )
    return f"exchange {book.exchange.pk}"


def margin_elsewhere(book: Book) -> str:
    Posting.objects.filter(journal=book.exchange.journal_id, target__code=exchanges.MARGIN).update(
        target=ledger.house("cash", "USD")
    )
    return f"exchange {book.exchange.pk}"


def one_posting_more(book: Book) -> str:
    other = Posting.objects.exclude(journal=book.exchange.journal_id).first()
    Posting.objects.filter(pk=other.pk).update(journal=book.exchange.journal_id, position=9)
    return f"exchange {book.exchange.pk}"


def exchange_gone(book: Book) -> str:
    Exchange.objects.all().delete()
    return f"journal {book.exchange.journal_id}"


def another_journal(book: Book) -> str:
    other = Journal.objects.filter(scope="test").first()
    Exchange.objects.update(journal=other)
    book.exchange.journal_id = other.pk
    Journal.objects.filter(scope=exchanges.SCOPE).update(scope="elsewhere")
    return f"exchange {book.exchange.pk}"


def into_somebody_elses_wallet(book: Book) -> str:
    Exchange.objects.update(bought_into=Wallet.objects.get(member=book.bo, currency="USD"))
    return f"exchange {book.exchange.pk}"


def accepted_late(book: Book) -> str:
    Exchange.objects.update(at=clock.now() + timedelta(days=1))
    return f"exchange {book.exchange.pk}"


def into_another_currency(book: Book) -> str:
    Exchange.objects.update(bought_into=book.purse)
    return f"exchange {book.exchange.pk}"


def margin_taken(_: Book) -> str:
    posted = ledger.post(
        ledger.Move(Money(1, "USD"), ledger.house(exchanges.MARGIN, "USD"), ledger.house("cash", "USD")),
        reference="mine",
        scope="test",
    )
    return f"posting {Posting.objects.get(journal=posted.journal_id).pk}"


def margin_is_no_income(_: Book) -> str:
    account = ledger.house(exchanges.MARGIN, "USD")
    Account.objects.filter(pk=account.pk).update(kind=Account.Kind.EQUITY)
    return f"account {account.pk}"


def rate(value: str) -> Plant:
    def plant(_: Book) -> str:
        ExchangeRate.objects.update(value=value)
        return f"rate {ExchangeRate.objects.get().pk}"

    return plant


def saved_card(**columns: Any) -> Plant:
    def plant(book: Book) -> str:
        OutsideCard.objects.filter(pk=book.saved.pk).update(**columns)
        return f"instrument {book.saved.pk}"

    return plant


def saved_account(**columns: Any) -> Plant:
    def plant(book: Book) -> str:
        BankAccount.objects.filter(pk=book.account.pk).update(**columns)
        return f"instrument {book.account.pk}"

    return plant


def another_number(number: str, *, digest: bool) -> Plant:
    """What the service would refuse, encrypted rightly for this row."""

    def plant(book: Book) -> str:
        row = OutsideCard.objects.get(pk=book.saved.pk)
        column = OutsideCard._meta.get_field("number")
        columns: dict[str, Any] = {"number": column.encrypted(Secret(number), column.binding(row))}
        if digest:
            columns["number_digest"] = vault.digest(Secret(number), label="outside_card.number")
        OutsideCard.objects.filter(pk=row.pk).update(last_four=number[-4:], **columns)
        return f"instrument {row.pk}"

    return plant


def another_account(text: str) -> Plant:
    def plant(book: Book) -> str:
        row = BankAccount.objects.get(pk=book.account.pk)
        column = BankAccount._meta.get_field("number")
        envelope = column.encrypted(Secret(text), column.binding(row))
        digest = vault.digest(Secret(text), label="bank_account.number")
        BankAccount.objects.filter(pk=row.pk).update(number=envelope, number_digest=digest)
        return f"instrument {row.pk}"

    return plant


def card_of_another_row(book: Book) -> str:
    other = card(of=book.bo)
    OutsideCard.objects.filter(pk=book.saved.pk).update(
        number=OutsideCard.objects.values_list("number", flat=True).get(pk=other.pk)
    )
    return f"instrument {book.saved.pk}"


def account_of_another_row(book: Book) -> str:
    other = bank_account(of=book.bo)
    BankAccount.objects.filter(pk=book.account.pk).update(
        holder=BankAccount.objects.values_list("holder", flat=True).get(pk=other.pk)
    )
    return f"instrument {book.account.pk}"


def details_gone(book: Book) -> str:
    OutsideCard.objects.filter(pk=book.saved.pk).delete()
    return f"instrument {book.saved.pk}"


def details_of_another_member(book: Book) -> str:
    OutsideCard.objects.filter(pk=book.saved.pk).update(member=book.bo)
    return f"instrument {book.saved.pk}"


def removed_and_kept(book: Book) -> str:
    Instrument.objects.filter(pk=book.saved.pk).update(state="removed", default=False, removed_at=clock.now())
    return f"instrument {book.saved.pk}"


def no_default(book: Book) -> str:
    Instrument.objects.filter(member=book.ada, kind="card").update(default=False)
    return f"member {book.ada.pk}"


def wallet_without(book: Book) -> str:
    Instrument.objects.filter(wallet=book.purse).delete()
    return f"wallet {book.purse.pk}"


def wallet_closed_alone(book: Book) -> str:
    Wallet.objects.filter(pk=book.purse.pk).update(state="closed")
    return f"wallet {book.purse.pk}"


def proof(**columns: Any) -> Plant:
    def plant(book: Book) -> str:
        AccountProof.objects.filter(account=book.account.pk).update(**columns)
        return f"instrument {book.account.pk}"

    return plant


def proof_of_nobody(_: Book) -> str:
    AccountProof.objects.filter(state="waiting").update(tries_left=0)
    return f"proof {AccountProof.objects.get(state='waiting').pk}"


CORRUPTIONS: list[tuple[str, str, Plant]] = [
    ("wallets.exchange_is_its_quote", "more was quoted", of_the_quote(bought_minor=F("bought_minor") + 1)),
    ("wallets.exchange_is_its_quote", "a fee was quoted", of_the_quote(fee_minor=1)),
    ("wallets.exchange_is_its_quote", "more was posted", bought_more_posted),
    ("wallets.exchange_is_its_quote", "the margin went elsewhere", margin_elsewhere),
    ("wallets.exchange_is_its_quote", "a posting more", one_posting_more),
    ("wallets.exchange_has_journal", "an exchange is gone", exchange_gone),
    ("wallets.exchange_has_journal", "another journal", another_journal),
    ("wallets.exchange_by_its_member", "somebody else's wallet", into_somebody_elses_wallet),
    ("wallets.exchange_by_its_member", "another currency", into_another_currency),
    ("wallets.exchange_by_its_member", "too late", accepted_late),
    ("wallets.exchange_arithmetic", "another rate", of_exchange(ExchangeQuote, rate="0.2")),
    ("wallets.exchange_arithmetic", "no rate", of_exchange(ExchangeQuote, rate="much")),
    ("wallets.exchange_arithmetic", "another margin", of_exchange(ExchangeQuote, margin_bp=1)),
    ("wallets.margin_is_accounted", "margin taken", margin_taken),
    ("wallets.margin_is_accounted", "margin is no income", margin_is_no_income),
    ("wallets.rates_are_numbers", "words", rate("much")),
    ("wallets.rates_are_numbers", "nothing", rate("0")),
    ("wallets.rates_are_numbers", "an idle zero", rate("0.1380")),
    ("wallets.cards_decrypt", "another row's number", card_of_another_row),
    ("wallets.cards_decrypt", "another brand", saved_card(brand="amex")),
    ("wallets.cards_decrypt", "another last four", saved_card(last_four="9999")),
    ("wallets.cards_decrypt", "another digest", saved_card(number_digest="digest-1.x")),
    ("wallets.cards_decrypt", "a number that fails Luhn", another_number("4111111111111112", digest=True)),
    ("wallets.cards_decrypt", "a number without its digest", another_number("4012888888881881", digest=False)),
    ("wallets.accounts_decrypt", "another row's holder", account_of_another_row),
    ("wallets.accounts_decrypt", "another country", saved_account(country="FR")),
    ("wallets.accounts_decrypt", "a wrong IBAN", another_account("DE89370400440532013001")),
    ("wallets.accounts_decrypt", "another digest", saved_account(number_digest="digest-1.x")),
    ("wallets.instrument_has_details", "none", details_gone),
    ("wallets.instrument_has_details", "another member's", details_of_another_member),
    ("wallets.removed_is_wiped", "removed, and the number kept", removed_and_kept),
    ("wallets.removed_is_wiped", "active, and the digest gone", saved_card(number_digest=None)),
    ("wallets.one_default_of_a_kind", "none", no_default),
    ("wallets.wallet_is_instrument", "none", wallet_without),
    ("wallets.wallet_is_instrument", "closed, and still offered", wallet_closed_alone),
    ("wallets.account_verified_by_proof", "the proof failed", proof(state="failed")),
    (
        "wallets.account_verified_by_proof",
        "verified by nothing",
        saved_account(verified_by="", verified_at=None),
    ),
    (
        "wallets.account_verified_by_proof",
        "verified by deposits that never were",
        saved_account(verified_by="deposits"),
    ),
    ("wallets.account_verified_by_proof", "it waits without a try", proof_of_nobody),
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


def test_every_check_of_this_part_has_a_corruption():
    ours = {module.__name__ for module in (exchange_checks, instrument_checks, number_checks)}
    names = {name for name, check in verification.discover().checks.items() if check.work.__module__ in ours}

    assert names == {check for check, *_ in CORRUPTIONS}


def test_everything_about_them_is_clean(book):
    ledger.close_blocks()

    assert verification.discover().run().findings == []
