"""The ledger's pages in the back office."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import User
from paymentsite.core.models import Approval
from paymentsite.core.money import Money
from paymentsite.ledger import demo, queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance, Block, Hold, Journal, Lot
from paymentsite.ledger.refusals import InsufficientFunds
from tests.factories import cny, hot, purse

pytestmark = [pytest.mark.django_db, pytest.mark.once]

MODELS = (Account, Journal, Hold, Lot, Block)


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator@example.com"))
    return client


def page(model, row=None, name=None):
    prefix = f"admin:ledger_{model._meta.model_name}"
    return reverse(f"{prefix}_changelist") if row is None else reverse(f"{prefix}_{name or 'change'}", args=[row.pk])


@pytest.mark.parametrize("model", MODELS)
def test_pages_need_staff(client, model):
    client.force_login(User.objects.create_user("member@example.com"))
    assert client.get(page(model)).status_code == 302


@pytest.mark.parametrize("model", MODELS)
def test_list_asks_the_same_number_of_queries_for_any_number_of_rows(operator, model):
    list(demo.fill())
    operator.get(page(model))  # fills what is cached for ever, such as content types

    def count():
        with CaptureQueriesContext(
            connection,
        ) as queries_made:
            assert operator.get(page(model)).status_code == 200
        return len(queries_made)

    few = count()
    for number in range(3):
        account = ledger.open_account(
            owner=f"more:{number}", code="points", unit="PTS", kind=Account.Kind.LIABILITY, lots=True
        )
        ledger.post(
            ledger.Move(Money(5, "PTS"), ledger.house("points", "PTS"), account, ledger.Terms("more")),
            reference=f"m{number}",
        )
        ledger.post(ledger.Place(Money(1, "PTS"), account), reference=f"h{number}")
        ledger.close_blocks()
    assert count() == few


@pytest.mark.parametrize("model", MODELS)
def test_every_row_has_a_page_that_edits_nothing(operator, model):
    list(demo.fill())
    for row in model.objects.all()[:20]:
        answer = operator.get(page(model, row))
        assert answer.status_code == 200
        assert 'name="_save"' not in answer.content.decode()


@pytest.mark.parametrize(
    ("model", "term", "found"),
    [
        (Account, "sample:ada", 2),
        (Account, "nobody", 0),
        (Journal, "payment 3", 1),
        (Journal, "payment", 0),
        (Account, "00000000-0000-7000-8000-000000000000", 0),
    ],
)
def test_search_finds_what_an_operator_holds_in_hand(operator, model, term, found):
    list(demo.fill())
    answer = operator.get(page(model), {"q": term})
    assert len(answer.context["cl"].result_list) == found


@pytest.mark.parametrize(("asked", "shown"), [("posted", {"done"}), ("refused", {"dear"}), (None, {"done", "dear"})])
def test_journals_are_told_apart_by_outcome(operator, asked, shown):
    source, target = purse(), hot()
    ledger.post(ledger.Move(cny(1), target, source), reference="done")
    with pytest.raises(InsufficientFunds):
        ledger.post(ledger.Move(cny(2), source, target), reference="dear")

    text = operator.get(page(Journal), {"outcome": asked} if asked else {}).content.decode()

    assert {reference for reference in ("done", "dear") if f">{reference}<" in text} == shown


def test_journal_is_found_by_its_id(operator):
    list(demo.fill())
    journal = Journal.objects.first()
    assert list(operator.get(page(Journal), {"q": str(journal.pk)}).context["cl"].result_list) == [journal]


def test_freezing_takes_a_reason_and_is_kept(operator):
    list(demo.fill())
    account = Account.objects.get(owner="sample:ada", code="wallet")

    operator.post(page(Account, account, "change_status"), {"status": "frozen", "reason": "asked by the bank"})

    assert Balance.objects.get(account=account).status == "frozen"
    assert account.events.latest("pk").reason == "asked by the bank"
    assert "asked by the bank" in operator.get(page(Account, account)).content.decode()


def test_money_by_hand_is_only_proposed(operator):
    list(demo.fill())
    source = Account.objects.get(owner="sample:ada", code="wallet")
    target = Account.objects.get(owner="sample:bo", code="wallet")
    before = queries.standing(source)
    asked = {"amount": "1.00", "target": target.public_id, "reference": "r1", "reason": "mistake at the till"}

    operator.post(page(Account, source, "move_by_hand"), asked)

    assert Approval.objects.get().act == "ledger.post_manual"
    assert queries.standing(source) == before
    answer = operator.post(
        page(Account, source, "move_by_hand"),
        {**asked, "target": "00000000-0000-7000-8000-000000000000"},
        follow=True,
    )
    assert "There is no account" in answer.content.decode()
