"""Cards in the back office: read-only, deeds through services, and never a number."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cards.models import Card, CardEvent, CardLoad, CardProduct, CodeKey, NumberRange
from cards.services import loading, products
from members.models import User
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import Approval, AuditEntry
from tests.cards.factories import card, numbers, product
from tests.factories import cny
from tests.wallets.deciding import decide
from tests.wallets.factories import wallet

pytestmark = [pytest.mark.django_db, pytest.mark.once]

MODELS = (Card, CardEvent, CardLoad, CardProduct, CodeKey, NumberRange)


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator@example.com"))
    return client


def page(model, row=None, name=None):
    prefix = f"admin:cards_{model._meta.model_name}"
    if row is None:
        return reverse(f"{prefix}_{name or 'changelist'}")
    return reverse(f"{prefix}_{name or 'change'}", args=[row.pk])


def loaded(reference: str = "r") -> Card:
    purse = wallet(100_00)
    found = card(purse.member, reference=reference)
    loading.load(card=found, amount=cny(30_00), reference="l", by=Actor.of(found.member.user))
    return found


@pytest.mark.parametrize("model", MODELS)
def test_pages_show_rows_edit_nothing_and_tell_no_number(operator, model):
    found = loaded()
    secret = found.number.decrypt().reveal()
    key = found.code_key.material.decrypt().reveal()

    pages = [page(model), *(page(model, row) for row in model.objects.all())]

    assert len(pages) > 1
    for address in pages:
        said = operator.get(address).content.decode()
        assert 'name="_save"' not in said
        assert secret not in said.replace(" ", "")
        assert key not in said


@pytest.mark.parametrize("model", MODELS)
def test_list_asks_as_often_for_three_rows_as_for_one(operator, model):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(page(model)).status_code == 200
        return len(queries)

    loaded()
    few = count()
    for number in range(2):
        loaded()
        product(f"p{number}", numbers=numbers(f"4000009{number}"))
    assert count() == few


@pytest.mark.parametrize("term", ["handle", "last_four", "public_id"])
def test_card_is_found_by_what_an_operator_has_in_hand(operator, term):
    found, _other = loaded(), loaded()
    wanted = found.member.handle if term == "handle" else getattr(found, term)

    shown = operator.get(page(Card), {"q": str(wanted)}).context["cl"].result_list

    assert found in shown
    assert {each.member for each in shown} == {found.member} or term == "last_four"


def test_card_is_blocked_unblocked_and_closed_with_reasons(operator):
    found = loaded()
    for deed, state in (("block", "blocked"), ("unblock", "active"), ("close", "closed")):
        answer = operator.post(page(Card, found, deed), {"reason": "seen twice"}, follow=True)
        assert answer.status_code == 200
        found.refresh_from_db()
        assert (found.state, AuditEntry.objects.order_by("pk").last().reason) == (state, "seen twice")
    assert loading.left_on(found) == cny(0)


def test_deeds_are_for_those_with_the_right(client):
    found = loaded()
    client.force_login(User.objects.create_user("viewer@example.com", is_staff=True))

    for deed in ("block", "unblock", "close"):
        assert client.post(page(Card, found, deed), {"reason": "x"}).status_code == 403
    found.refresh_from_db()
    assert found.state == "active"


def test_range_and_product_take_two_people(operator):
    operator.post(page(NumberRange, name="propose"), {"beginning": "400000", "length": "16", "reason": "new"})
    decide(Approval.objects.get())
    made = NumberRange.objects.get()
    terms = {
        "code": "travel",
        "name_en": "Travel",
        "kind": "prepaid",
        "currency": "CNY",
        "numbers": made.pk,
        "validity": "2",
        "validity_unit": "years",
        "code_kind": "hourly",
        "held_max": "2",
        "fx_margin_bp": "1.5",
        "cash_fee_bp": "1",
        "cash_fee_minor": "2",
        "issue_fee_minor": "9.90",
        "design": "plain",
        "reason": "new",
    }

    answer = operator.post(page(CardProduct, name="propose"), terms, follow=True)

    assert not CardProduct.objects.exists(), answer.content.decode()
    decide(Approval.objects.get(state="proposed"))
    found = CardProduct.objects.get()
    assert (found.code, found.issue_fee, found.numbers, found.code_kind) == ("travel", cny(9_90), made, "hourly")
    assert (found.fx_margin_bp, found.cash_fee, found.cash_fee_bp) == (150, cny(2_00), 100)

    operator.post(page(CardProduct, found, "close"), {"reason": "over"})
    found.refresh_from_db()
    assert found.state == "closed"


@pytest.mark.parametrize(
    ("prefix", "length"), [("12345", 16), ("0400000", 16), ("400000x", 16), ("40000012345", 12), ("40000012345", 20)]
)
def test_range_that_cannot_be_is_refused(prefix, length):
    with pytest.raises(products.InvalidProduct):
        products.put_range(prefix=prefix, length=length, by=SYSTEM, reason="test")


@pytest.mark.parametrize("prefix", ["400000", "40000012", "400000123"])
def test_range_inside_another_is_refused(prefix):
    numbers("40000012")

    with pytest.raises(products.InvalidProduct):
        products.put_range(prefix=prefix, length=16, by=SYSTEM, reason="test")


@pytest.mark.parametrize(
    "terms",
    [{"currency": "PTS"}, {"currency": "XXQ"}, {"validity": 0}, {"held_max": 0}, {"kind": "credit"}, {"code": ""}],
)
def test_product_that_cannot_be_is_refused(terms):
    with pytest.raises(products.InvalidProduct):
        product(**{"code": "odd", **terms})


def test_new_key_is_for_new_cards(operator):
    first = loaded()
    operator.post(page(CodeKey, name="renew"), {})

    second = loaded()

    assert (first.code_key_id, second.code_key_id) == tuple(CodeKey.objects.order_by("pk").values_list("pk", flat=True))
