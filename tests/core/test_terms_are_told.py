"""Whatever operators decided is changed behind the services' backs, verify finds it: the row and the column."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from copy import copy
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.test.utils import CaptureQueriesContext

from cards.models import AccountRange, Bank, CardProduct, NumberRange
from members.models import EarnBudget, EarnRule, Limit, PointValue, Reward, Tier, TierProgramme
from paymentsite.core import terms
from paymentsite.core.actors import SYSTEM
from paymentsite.core.ids import EPOCH
from paymentsite.core.models import AuditEntry
from paymentsite.core.services import trail
from tests.cards import banking
from tests.cards.factories import numbers, product
from tests.members.catalogue import goods
from tests.members.limiting import cap
from tests.members.pointing import budget, rule
from tests.members.tiering import levels
from tests.terms import differing, fee, told
from tests.wallets import rates
from wallets.models import ExchangeRate, FeeRule, GatewayRoute

pytestmark = pytest.mark.django_db

Unprotected = Callable[[], AbstractContextManager[None]]


def value() -> PointValue:
    return told(PointValue.objects.create(currency="CNY", points=100, value_minor=1, starts_at=EPOCH))


def route() -> GatewayRoute:
    return told(GatewayRoute.objects.create(kind="top_up", method="card", currency="EUR", gateway="sandbox"))


def rate() -> ExchangeRate:
    facts = {"value": "0.13", "source": "staff", "at": EPOCH, "recorded_at": EPOCH, "actor": "test:1"}
    return told(ExchangeRate.objects.create(base="CNY", quote="USD", **facts))


MAKERS: dict[type[Model], Callable[[], Any]] = {
    Limit: lambda: cap(100),
    FeeRule: fee,
    Tier: lambda: levels()["gold"],
    TierProgramme: lambda: (levels(), TierProgramme.current())[1],
    EarnRule: rule,
    EarnBudget: lambda: budget(1_000),
    PointValue: value,
    Reward: lambda: goods(stock=5),
    GatewayRoute: route,
    ExchangeRate: rate,
    CardProduct: product,
    NumberRange: numbers,
    Bank: banking.bank,
    AccountRange: banking.numbers,
}

BARE = {"kind": "any", "currency": "EUR", "measure": "amount", "period": "day", "cap": 1}

# Behind the services' backs: a column, what it is then, and how the finding shows it.
EDITED: list[tuple[type[Model], str, Any, str]] = [
    (Limit, "cap", 10**9, "its cap is 1000000000, by the audit trail 100"),
    (Limit, "kind", "transfer", "its kind is transfer, by the audit trail any"),
    (Limit, "ends_at", EPOCH, "its ends_at is 1970-01-01T00:00:00+00:00, by the audit trail None"),
    (FeeRule, "fixed_minor", 0, "its fixed_minor is 0, by the audit trail 100"),
    (Tier, "fee_discount_bp", 10_000, "its fee_discount_bp is 10000, by the audit trail 0"),
    (Tier, "threshold", 1_001, "its threshold is 1001, by the audit trail 5000"),
    (TierProgramme, "grace_days", 366, "its grace_days is 366, by the audit trail 0"),
    (EarnRule, "points", 1_000, "its points is 1000, by the audit trail 1"),
    (EarnRule, "superseded_at", EPOCH, "its superseded_at is 1970-01-01T00:00:00+00:00, by the audit trail None"),
    (EarnBudget, "total", 10**9, "its total is 1000000000, by the audit trail 1000"),
    (PointValue, "value_minor", 100, "its value_minor is 100, by the audit trail 1"),
    (Reward, "points", 1, "its points is 1, by the audit trail 100"),
    (Reward, "stock", 6, "its stock is 6, by the audit trail 5"),
    (GatewayRoute, "gateway", "elsewhere", "its gateway is elsewhere, by the audit trail sandbox"),
    (GatewayRoute, "is_on", False, "its is_on is False, by the audit trail True"),
    (ExchangeRate, "value", "9", "its value is 9, by the audit trail 0.13"),
    (CardProduct, "held_max", 99, "its held_max is 99, by the audit trail 3"),
    (CardProduct, "state", "closed", "its state is closed, by the audit trail open"),
    (NumberRange, "length", 15, "its length is 15, by the audit trail 16"),
    (Bank, "name", "Shore", "its name is Shore, by the audit trail Harbour"),
    (AccountRange, "held_max", 99, "its held_max is 99, by the audit trail 20"),
]

# Behind their backs, too: one more row, with what must be its own.
INSERTED: dict[type[Model], dict[str, Any]] = {
    Limit: {"currency": "EUR"},
    FeeRule: {"currency": "EUR"},
    Tier: {"code": "diamond", "rank": 99},
    EarnRule: {"code": "more"},
    EarnBudget: {"code": "more"},
    PointValue: {"currency": "EUR"},
    Reward: {"public_id": uuid4()},
    GatewayRoute: {"from_minor": 2},
    ExchangeRate: {"base": "EUR"},
    CardProduct: {"public_id": uuid4(), "code": "more"},
    NumberRange: {"prefix": "51000012"},
    Bank: {"public_id": uuid4(), "code": "more"},
    AccountRange: {"prefix": "7777"},
}


def name(row: Model) -> str:
    return f"{row._meta.verbose_name} {row.pk}"


def by_model(model: object) -> str:
    return model.__name__ if isinstance(model, type) else ""


@pytest.mark.parametrize(("model", "column", "now", "detail"), EDITED, ids=by_model)
def test_edited_row_is_found_with_its_column(unprotected: Unprotected, model, column, now, detail):
    row = MAKERS[model]()
    assert differing() == {}

    with unprotected():
        QuerySet(model).filter(pk=row.pk).update(**{column: now})

    assert differing() == {name(row): {detail}}


@pytest.mark.parametrize("model", INSERTED, ids=by_model)
def test_row_that_nobody_told_of_is_found(model):
    again = copy(MAKERS[model]())
    again.pk = None
    for column, own in INSERTED[model].items():
        setattr(again, column, own)
    again.save(force_insert=True)

    assert differing() == {name(again): {"the audit trail does not know of it"}}


def test_programme_that_nobody_told_of_is_differing():
    made = TierProgramme.objects.create(pk=TierProgramme.THE_ROW)

    assert differing() == {name(made): {"the audit trail does not know of it"}}


@pytest.mark.parametrize("model", MAKERS, ids=by_model)
def test_row_that_is_gone_is_found(unprotected: Unprotected, model):
    row = MAKERS[model]()
    subject = name(row)

    # On SQLite the triggers are dropped by statements that a transaction takes back, and what refers to it stays.
    with transaction.atomic():
        with unprotected():
            QuerySet(model).filter(pk=row.pk)._raw_delete("default")
        wrong = differing()
        transaction.set_rollback(True)

    assert wrong == {subject: {"is no longer there, by the audit trail it is"}}


@pytest.mark.parametrize("model", MAKERS, ids=by_model)
def test_every_column_is_compared_but_what_is_counted(unprotected: Unprotected, model):
    row = MAKERS[model]()
    counted = {EarnBudget: {"used"}, Reward: {"stock_left"}, NumberRange: {"issued"}, AccountRange: {"issued"}}
    columns = {field.attname for field in model._meta.concrete_fields if not field.primary_key}
    columns -= counted.get(model, set())
    entry = AuditEntry.objects.of(row).filter(act=trail.TOLD).latest("pk")
    assert entry.after.keys() == columns

    with unprotected():
        AuditEntry.objects.filter(pk=entry.pk).update(after=dict.fromkeys(columns, "else"))

    assert {detail.split()[1] for detail in differing()[name(row)]} == columns


def test_rate_of_a_source_is_not_told_and_one_made_staffs_is_found(unprotected: Unprotected):
    fed = rates.told("CNY", "USD", "0.13")
    assert differing() == {}

    with unprotected():
        ExchangeRate.objects.update(source="staff")

    assert differing() == {name(fed): {"the audit trail does not know of it"}}


def test_rate_of_staff_made_a_sources_is_found(unprotected: Unprotected):
    row = rate()
    with unprotected():
        ExchangeRate.objects.update(source="feed")

    assert differing() == {name(row): {"is no longer there, by the audit trail it is"}}


def test_what_was_told_before_is_no_excuse(unprotected: Unprotected):
    row = cap(100)
    with unprotected():
        Limit.objects.update(cap=50)
        told(row)
        assert differing() == {}
        Limit.objects.update(cap=100)

    assert differing() == {name(row): {"its cap is 100, by the audit trail 50"}}


def test_column_that_came_later_is_what_it_is_by_default(unprotected: Unprotected):
    row = cap(100, reason="asked")
    entry = AuditEntry.objects.of(row).get()
    older = {column: known for column, known in entry.after.items() if column not in {"ends_at", "reason"}}

    with unprotected():
        AuditEntry.objects.filter(pk=entry.pk).update(after=older)

    assert differing() == {name(row): {"its reason is asked, by the audit trail "}}


def test_entry_that_says_nothing_tells_of_nothing(unprotected: Unprotected):
    row = cap(100)
    with unprotected():
        AuditEntry.objects.update(after="cap: 100")

    assert differing() == {name(row): {"the audit trail does not know of it"}}


def test_numbers_of_cards_stay_out_of_the_trail_and_are_no_finding(unprotected: Unprotected):
    row = goods(description_en="Call 4242 4242 4242 4242")

    assert "4242" not in str(list(AuditEntry.objects.values_list("after", flat=True)))
    assert differing() == {}

    with unprotected():
        Reward.objects.update(description_en="Call 5555")
    assert differing() == {name(row): {"its description_en is Call 5555, by the audit trail Call [hidden]"}}


def test_many_are_told_in_three_statements_and_compared_in_parts(monkeypatch: pytest.MonkeyPatch):
    rows = Limit.objects.bulk_create(Limit(**BARE, starts_at=EPOCH, ends_at=EPOCH) for _ in range(41))
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        trail.tell(*rows, by=SYSTEM)
    assert [each["sql"].split()[0] for each in asked if "clockshift" not in each["sql"]] == [
        "SELECT",
        "INSERT",
        "INSERT",
    ]

    monkeypatch.setattr(trail, "CHUNK", 5)
    last = Limit.objects.create(**BARE, starts_at=EPOCH)
    assert differing() == {name(last): {"the audit trail does not know of it"}}


def test_what_was_set_before_is_told_once_and_nothing_else_is(unprotected: Unprotected, capsys):
    row, other = cap(100), Limit.objects.create(**BARE, starts_at=EPOCH)
    with unprotected():
        Limit.objects.filter(pk=row.pk).update(cap=1)

    call_command("tell_terms")
    call_command("tell_terms")

    assert capsys.readouterr().out == "1 rows told of.\nNothing to do: the audit trail knows of every row.\n"
    assert differing() == {name(row): {"its cap is 1, by the audit trail 100"}}
    assert AuditEntry.objects.of(other).get().by == str(SYSTEM)


def test_telling_belongs_into_a_transaction(transactional_db: None):
    row = cap(100)

    with pytest.raises(transaction.TransactionManagementError):
        trail.tell(row, by=SYSTEM)


def test_registered_are_those_that_are_tried_here():
    assert {each.model for each in terms.registered()} == set(MAKERS) == {model for model, *_ in EDITED}
    assert set(MAKERS) - set(INSERTED) == {TierProgramme}  # of which there is one row at most
