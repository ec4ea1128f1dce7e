"""Banks, account numbers and what came, in the back office: shown, found, and changed through services."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cards.models import AccountRange, Bank, BankCredit, VirtualAccount, VirtualAccountEvent
from members.models import User
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.vault import Secret
from tests.cards.banking import NOWHERE, bank, came, numbers, permanent, purpose
from tests.factories import cny
from tests.wallets.deciding import decide
from tests.wallets.factories import holds, wallet
from tests.wallets.saved import VISA

pytestmark = [pytest.mark.django_db, pytest.mark.once]

MODELS = (AccountRange, Bank, BankCredit, VirtualAccount, VirtualAccountEvent)
PAYER = {"payer_name": "Bo Li", "payer_account": "DE89370400440532013000", "note": f"card {VISA}"}


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator@example.com"))
    return client


def page(model, row=None, name=None):
    prefix = f"admin:cards_{model._meta.model_name}"
    if row is None:
        return reverse(f"{prefix}_{name or 'changelist'}")
    return reverse(f"{prefix}_{name or 'change'}", args=[row.pk])


def filled(number: int = 0) -> BankCredit:
    """One of everything more, some of it set aside."""
    purse = wallet()
    of = numbers(prefix=f"77{number}0", bank=bank(f"bank{number}"))
    return came(purpose(purse, 60_00, of=of, over="aside"), 75_00, f"b{number}", **PAYER)


@pytest.mark.parametrize("model", MODELS)
def test_pages_show_rows_and_edit_nothing(operator, model):
    filled()

    pages = [page(model), *(page(model, row) for row in model.objects.all())]

    assert len(pages) > 1
    for address in pages:
        answer = operator.get(address)
        assert (answer.status_code, 'name="_save"' in answer.content.decode()) == (200, False)


@pytest.mark.parametrize("model", MODELS)
def test_list_asks_as_often_for_three_rows_as_for_one(operator, model):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(page(model)).status_code == 200
        return len(queries)

    filled()
    few = count()
    for number in (1, 2):
        filled(number)
    assert count() == few


def test_page_of_a_credit_tells_who_paid_in_whole_amounts_and_no_number_of_a_card(operator):
    credit = filled()

    said = operator.get(page(BankCredit, credit)).content.decode()

    assert "Bo Li" in said
    assert "···· 3000" in said
    assert "CN¥75.00" in said
    assert "CN¥15.00" in said
    assert PAYER["payer_account"] not in said
    assert VISA not in said
    assert "Bo Li" not in operator.get(page(BankCredit)).content.decode()


def test_page_of_a_purpose_tells_who_is_to_pay(operator):
    account = purpose(wallet(), 60_00, payer=Secret("Bo Li"))

    assert "Bo Li" in operator.get(page(VirtualAccount, account)).content.decode()


def test_number_of_a_card_that_somebody_paid_to_is_not_shown(operator):
    credit = came(VISA, 1_00)

    assert VISA not in operator.get(page(BankCredit, credit)).content.decode()


def shown(operator, model, term):
    return list(operator.get(page(model), {"q": str(term)}).context["cl"].result_list)


@pytest.mark.parametrize("term", ["handle", "number", "spaced", "public_id"])
def test_account_is_found_by_what_an_operator_has_in_hand(operator, term):
    found, _other = permanent(wallet()), permanent(wallet())
    wanted = {
        "handle": found.member.handle,
        "number": found.number,
        "spaced": f" {found.number[:6]} {found.number[6:]} ",
        "public_id": found.public_id,
    }[term]

    assert shown(operator, VirtualAccount, wanted) == [found]


@pytest.mark.parametrize("term", ["handle", "number", "reference", "amount", "whole", "public_id"])
def test_credit_is_found_by_what_an_operator_has_in_hand(operator, term):
    account = permanent(wallet())
    found, _other = came(account, 1_234_00, "ref 1"), came(NOWHERE, 99, "ref 2")
    wanted = {
        "handle": account.member.handle,
        "number": f"{account.number[:6]} {account.number[6:]}",
        "reference": "ref 1",
        "amount": "1,234.00 CNY",
        "whole": "1234CNY",
        "public_id": found.public_id,
    }[term]

    assert shown(operator, BankCredit, wanted) == [found]
    for nothing in ("1234 USD", "12.345 CNY", "1.2.3 CNY", "ref", "xyz"):
        assert shown(operator, BankCredit, nothing) == []


def test_account_is_suspended_reopened_and_closed_with_reasons(operator):
    found = permanent(wallet())

    for deed, state in (("suspend", "suspended"), ("reopen", "open"), ("close", "closed")):
        answer = operator.post(page(VirtualAccount, found, deed), {"reason": "seen twice"}, follow=True)
        assert answer.status_code == 200
        found.refresh_from_db()
        assert (found.state, AuditEntry.objects.order_by("pk").last().reason) == (state, "seen twice")


def test_bank_and_range_take_two_people(operator):
    operator.post(page(Bank, name="propose"), {"code": "hill", "name": "Hill Bank", "reason": "new"})
    decide(Approval.objects.get())
    terms = {
        "bank": Bank.objects.get().pk,
        "scheme": "iban",
        "country": "de",
        "beginning": "50010517",
        "length": "22",
        "currency": "eur",
        "held_max": "5",
        "reason": "new",
    }

    answer = operator.post(page(AccountRange, name="propose"), terms, follow=True)

    assert not AccountRange.objects.exists(), answer.content.decode()
    decide(Approval.objects.get(state="proposed"))
    found = AccountRange.objects.get()
    assert (found.bank.name, found.country, found.prefix, found.currency) == ("Hill Bank", "DE", "50010517", "EUR")
    operator.post(page(AccountRange, found, "close"), {"reason": "full soon"})
    operator.post(page(AccountRange, found, "close"), {"reason": "again"})
    found.refresh_from_db()
    assert (found.state, AuditEntry.objects.filter(act="account_range.closed").count()) == ("closed", 1)


def test_credit_is_assigned_by_two_people(operator):
    purse = wallet()
    account = purpose(purse, 60_00)
    credit = came(NOWHERE, 60_00)
    terms = {"member": f"@{purse.member.handle}", "account": account.number, "reason": "one digit was wrong"}

    for wrong in ({"member": "nobody"}, {"account": "1234"}):
        operator.post(page(BankCredit, credit, "assign"), {**terms, **wrong})
    assert not Approval.objects.exists()
    operator.post(page(BankCredit, credit, "assign"), terms)
    assert holds(purse) == cny(0)
    decide(Approval.objects.get())

    account.refresh_from_db()
    assert (holds(purse), account.purpose) == (cny(60_00), "paid")


def test_credit_is_assigned_to_a_member_for_no_purpose(operator):
    purse = wallet()
    credit = came(NOWHERE, 60_00)

    operator.post(page(BankCredit, credit, "assign"), {"member": purse.member.user.email, "reason": "hers"})
    decide(Approval.objects.get())

    credit.refresh_from_db()
    assert (holds(purse), credit.counted_for) == (cny(60_00), None)


def test_credit_is_returned_by_two_people(operator):
    credit = came(NOWHERE, 60_00)

    operator.post(page(BankCredit, credit, "give_back"), {"reason": "nobody's"})
    decide(Approval.objects.get())

    credit.refresh_from_db()
    assert credit.outcome == "returned"


def test_deeds_are_for_those_with_the_right(client):
    account, credit = permanent(wallet()), came(NOWHERE, 1_00)
    client.force_login(User.objects.create_user("viewer@example.com", is_staff=True))

    for model, row, deeds in (
        (VirtualAccount, account, ("suspend", "reopen", "close")),
        (BankCredit, credit, ("assign", "give_back")),
    ):
        for deed in deeds:
            assert client.post(page(model, row, deed), {"reason": "x"}).status_code == 403
    assert not Approval.objects.exists()
