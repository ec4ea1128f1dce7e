"""A bank account is verified, tried and used as the audit trail and its orders tell; else verify names the row."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction

from members.models import Member
from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import AuditEntry
from tests.members.factories import member
from tests.wallets.deposits import account, confirm, start, wrong
from tests.wallets.gateways import route, top_up, wallet, withdraw
from tests.wallets.saved import bank_account, known_as
from wallets.models import AccountProof, BankAccount, Instrument, TopUp, Withdrawal
from wallets.services import account_proofs, instruments
from wallets.services.small_deposits import DepositsWrong
from wallets.verify import bank_accounts as bank_account_checks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]

STAFF = Actor("staff", "0")


class Book:
    """Deposits guessed wrong thrice, then rightly; a name that matched, and what was moved by that account."""

    def __init__(self) -> None:
        self.tried = account()
        self.first, self.second = failed(self.tried), start(self.tried)
        guess_wrong(self.tried, self.second)
        confirm(self.tried, self.second.first_minor, self.second.second_minor)

        route(method="bank")
        self.purse = wallet(50_00)
        self.named = bank_account(of=self.purse.member, verified=True)
        self.came = top_up(self.purse, 10_00, method="bank", instrument=self.named)
        self.left = withdraw(self.purse, 5_00, to=self.named)


def failed(saved: Instrument) -> AccountProof:
    proof = start(saved)
    for _try in range(account_proofs.TRIES):
        guess_wrong(saved, proof)
    return proof


def guess_wrong(saved: Instrument, proof: AccountProof) -> None:
    with pytest.raises(DepositsWrong):
        confirm(saved, *wrong(proof))


def found(*checks: str) -> set[str]:
    return {each.subject for each in verification.discover().run(only=checks or ["wallets"]).findings}


Plant = Callable[[Book], str]


def of_named(**columns: object) -> Plant:
    def plant(book: Book) -> str:
        BankAccount.objects.filter(pk=book.named.pk).update(**columns)
        return f"instrument {book.named.pk}"

    return plant


def verified_on_paper(book: Book) -> str:
    AuditEntry.objects.of(book.tried).filter(act="account.verified").update(act="account.doubt_decided")
    return f"instrument {book.tried.pk}"


def tries(which: str, left: int) -> Plant:
    def plant(book: Book) -> str:
        proof: AccountProof = getattr(book, which)
        AccountProof.objects.filter(pk=proof.pk).update(tries_left=left)
        return f"proof {proof.pk}"

    return plant


def tries_of_a_name(book: Book) -> str:
    AccountProof.objects.filter(account=book.named.pk).update(tries_left=1)
    return f"proof {AccountProof.objects.get(account=book.named.pk).pk}"


def begun_by_nobody(book: Book) -> str:
    begun = AuditEntry.objects.of(book.tried).filter(act="account.deposits_started").order_by("pk")
    AuditEntry.objects.filter(pk=begun[1].pk).update(act="account.verified")
    return f"proof {book.second.pk}"


def of_order(which: str, **columns: object) -> Plant:
    def plant(book: Book) -> str:
        order: TopUp | Withdrawal = getattr(book, which)
        type(order)._base_manager.filter(pk=order.pk).update(**columns)
        return order.source.replace(":", " ")

    return plant


def in_another_currency(book: Book) -> str:
    BankAccount.objects.filter(pk=book.named.pk).update(currency="CNY")
    return book.left.source.replace(":", " ")


def of_another_member(book: Book) -> str:
    other: Member = member()
    Withdrawal.objects.filter(pk=book.left.pk).update(member=other)
    return book.left.source.replace(":", " ")


CORRUPTIONS: list[tuple[str, str, Plant]] = [
    ("wallets.account_verified_as_told", "by staff instead of its name", of_named(verified_by="staff")),
    ("wallets.account_verified_as_told", "not any more", of_named(verified_by="", verified_at=None)),
    ("wallets.account_verified_as_told", "and nobody tells of it", verified_on_paper),
    ("wallets.proof_tries_are_told", "tries again", tries("first", 3)),
    ("wallets.proof_tries_are_told", "one more", tries("second", 2)),
    ("wallets.proof_tries_are_told", "one less", tries("second", 0)),
    ("wallets.proof_tries_are_told", "of a name", tries_of_a_name),
    ("wallets.proof_tries_are_told", "begun by nobody", begun_by_nobody),
    ("wallets.order_is_in_account_currency", "the account is in another", in_another_currency),
    ("wallets.order_is_in_account_currency", "the top-up is in another", of_order("came", currency="CNY")),
    ("wallets.order_is_in_account_currency", "another member's", of_another_member),
]


@pytest.mark.parametrize(
    ("check", "plant"), [pytest.param(check, plant, id=f"{check}: {what}") for check, what, plant in CORRUPTIONS]
)
def test_corruption_is_found_and_named(unprotected, check, plant):
    book = Book()
    assert found(check) == set()

    with unprotected():
        subject = plant(book)

    assert subject in found(check)


def test_every_check_of_bank_accounts_has_a_corruption():
    checks = verification.discover().checks.items()
    names = {name for name, check in checks if check.work.__module__ == bank_account_checks.__name__}

    assert names == {check for check, *_ in CORRUPTIONS}


@pytest.mark.parametrize("columns", [{"currency": "CNY"}, {"country": "FR"}, {"last_four": "0000"}], ids=str)
def test_which_account_it_is_never_changes(columns):
    bank_account()

    with pytest.raises(DatabaseError, match="written once"), transaction.atomic():
        BankAccount.objects.update(**columns)


def test_book_is_clean_as_it_stands():
    Book()

    assert found() == set()


def test_accounts_that_were_removed_doubted_or_begun_again_are_clean():
    book = Book()
    instruments.remove(instrument=book.named, by=SYSTEM)
    ada = member()
    known_as("Ada B. Lovelace", ada)
    doubt = account_proofs.match_identity(instrument=bank_account(of=ada), by=SYSTEM)
    account_proofs.decide(proof=doubt, passed=True, by=STAFF, reason="passport seen")
    again = account(5)
    guess_wrong(again, start(again))
    instruments.remove(instrument=again, by=SYSTEM)
    other = account(5, of=again.member)
    guess_wrong(other, start(other))
    account_proofs.match_name(instrument=other, legal_name=other.bank_account.holder.decrypt(), by=SYSTEM)

    assert found() == set()
