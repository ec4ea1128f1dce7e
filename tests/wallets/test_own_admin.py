"""Instruments and exchanges in the back office: read-only, and deeds through services."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import User
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import Approval
from paymentsite.core.services import approvals
from tests.factories import cny
from tests.members.factories import member
from tests.wallets.factories import wallet
from tests.wallets.rates import told
from tests.wallets.saved import bank_account, card, known_as
from wallets.models import AccountProof, Exchange, ExchangeQuote, ExchangeRate, Instrument
from wallets.services import account_proofs, exchanges, rates

pytestmark = [pytest.mark.django_db, pytest.mark.once]

MODELS = (Instrument, AccountProof, ExchangeRate, ExchangeQuote, Exchange)


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator@example.com"))
    return client


def page(model, row=None, name=None):
    prefix = f"admin:wallets_{model._meta.model_name}"
    if row is None:
        return reverse(f"{prefix}_{name or 'changelist'}")
    return reverse(f"{prefix}_{name or 'change'}", args=[row.pk])


def customer():
    """A member of whom there is a row on every page, one of them in doubt."""
    ada = member()
    told("CNY", "USD", "0.138517", at=clock.now())
    purse = wallet(1_000_00, of=ada)
    card(of=ada)
    known_as("Ada B. Lovelacer", ada)
    account_proofs.match_identity(instrument=bank_account(of=ada), by=SYSTEM)
    offer = exchanges.quote(member=ada, sell=cny(100_00), buy_currency="USD", now=clock.now())
    exchanges.accept(quote=offer, reference="r1", by=Actor.of(ada.user))
    return purse


@pytest.mark.parametrize("model", MODELS)
def test_pages_need_staff(client, model):
    client.force_login(User.objects.create_user("member@example.com"))

    assert client.get(page(model)).status_code == 302


@pytest.mark.parametrize("model", MODELS)
def test_list_asks_the_same_number_of_queries_for_any_number_of_rows(operator, model):
    customer()
    operator.get(page(model))

    def count():
        with CaptureQueriesContext(connection) as made:
            assert operator.get(page(model)).status_code == 200
        return len(made)

    few = count()
    for _ in range(3):
        customer()
    assert count() == few


@pytest.mark.parametrize("model", MODELS)
def test_row_has_a_page_and_nothing_on_it_can_be_saved(operator, model):
    customer()
    row = model.objects.last()

    assert operator.get(page(model, row)).status_code == 200
    assert operator.post(page(model, row), {}).status_code == 403


@pytest.mark.parametrize(
    ("deed", "state", "verified"), [("pass_doubt", "passed", True), ("fail_doubt", "failed", False)]
)
def test_doubt_is_decided_by_staff_with_a_reason(operator, deed, state, verified):
    customer()
    proof = AccountProof.objects.get()

    operator.post(page(AccountProof, proof, deed), {"reason": ""})
    assert AccountProof.objects.get().state == "doubtful"
    operator.post(page(AccountProof, proof, deed), {"reason": "passport seen"})

    assert AccountProof.objects.get().state == state
    assert Instrument.objects.get(kind="bank_account").verified == verified


def test_doubt_is_not_decided_without_the_right(client):
    customer()
    client.force_login(User.objects.create_user("clerk@example.com", is_staff=True))

    assert client.post(page(AccountProof, AccountProof.objects.get(), "pass_doubt"), {"reason": "x"}).status_code == 403
    assert AccountProof.objects.get().state == "doubtful"


def test_rate_proposed_on_the_page_holds_when_another_person_approves(operator):
    answer = operator.post(
        page(ExchangeRate, name="set_rate"), {"base": "usd", "quote": "cny", "value": "7.1", "reason": "no feed"}
    )

    assert (answer.status_code, ExchangeRate.objects.count()) == (302, 0)
    proposed = Approval.objects.get()
    other = Actor.of(User.objects.create_superuser("second@example.com"))
    approvals.approve(approval=proposed, by=other, shown=proposed.shown)
    assert rates.current("USD", "CNY", clock.now()).value == Decimal("7.1")


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "1e400", "seven"])
def test_rate_that_is_none_proposes_nothing(operator, value):
    operator.post(page(ExchangeRate, name="set_rate"), {"base": "USD", "quote": "CNY", "value": value, "reason": "x"})

    assert not Approval.objects.exists()


@pytest.mark.attack
@pytest.mark.parametrize("asked", ["first_minor=7", "first_minor__gt=50", "account__last_four=3000", "tries_left=3"])
def test_list_answers_no_question_about_what_it_does_not_offer(operator, asked):
    customer()

    assert operator.get(f"{page(AccountProof)}?{asked}").status_code == 400
    assert operator.get(f"{page(AccountProof)}?state__exact=doubtful&means__exact=name").status_code == 200
