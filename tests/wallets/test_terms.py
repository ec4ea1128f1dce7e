"""Terms that move money later are written once: the database refuses to change them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from paymentsite.core.immutability import registered
from tests.members.factories import member
from tests.wallets.factories import asked, given, wallet
from tests.wallets.races import due_order
from wallets.models import Gift, MoneyRequest, StandingOrder, Wallet

pytestmark = pytest.mark.django_db

MAKERS: dict[type[Model], Callable[[], Any]] = {
    StandingOrder: lambda: due_order(wallet(1_000).member, member()),
    Gift: lambda: given(100, wallet(1_000)).gift,
    MoneyRequest: lambda: asked(100, of=member()),
    Wallet: wallet,
}

# What the life of each changes: how far it is, what came of it, and words that an erasure takes away.
OPEN: dict[type[Model], set[str]] = {
    StandingOrder: {"note", "runs_done", "refused_in_a_row", "state", "next_on", "next_at", "paused_by"},
    Gift: {"note", "state", "claimed_by_id", "journal_id", "ended_at"},
    MoneyRequest: {"note", "state", "transfer_id", "ended_at"},
    Wallet: {"state"},
}

COLUMNS = [(model, str(field.column)) for model in MAKERS for field in model._meta.concrete_fields]
CLOSED = [(model, column) for model, column in COLUMNS if column not in OPEN[model]]


def called(value: Any) -> str:
    return value if isinstance(value, str) else value.__name__


def write(model: type[Model], column: str, pk: Any) -> None:
    """A plain UPDATE, of a value by itself: what is refused is the writing, not what is written."""
    table = model._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'UPDATE {table} SET "{column}" = "{column}" WHERE id = %s', [pk])  # noqa: S608  our names
        assert cursor.rowcount == 1


@pytest.mark.parametrize(("model", "column"), CLOSED, ids=called)
def test_term_is_written_once(model: type[Model], column: str) -> None:
    row = MAKERS[model]()

    with pytest.raises(IntegrityError, match="refused: its rows are written once"):
        write(model, column, row.pk)


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (StandingOrder, {"amount_minor": 999_999}),
        (StandingOrder, {"ends_on": None, "state": "active"}),
        (Gift, {"token_digest": "another link's"}),
        (MoneyRequest, {"amount_minor": 999_999, "note": "rent"}),
        (Wallet, {"currency": "USD"}),
    ],
)
def test_rewritten_terms_are_refused_and_stand(model: type[Model], change: dict[str, Any]) -> None:
    mine = model._base_manager.filter(pk=MAKERS[model]().pk)
    before = mine.values().get()

    with pytest.raises(IntegrityError), transaction.atomic():
        mine.update(**change)

    assert mine.values().get() == before


@pytest.mark.parametrize("model", [Gift, StandingOrder, Wallet], ids=called)
def test_terms_of_another_member_are_refused(model: type[Model]) -> None:
    row, other = MAKERS[model](), member()
    owner = "sender" if model is Gift else "member"

    with pytest.raises(IntegrityError, match="refused"), transaction.atomic():
        model._base_manager.filter(pk=row.pk).update(**{owner: other})


@pytest.mark.parametrize("model", MAKERS, ids=called)
def test_row_is_never_deleted(model: type[Model]) -> None:
    row = MAKERS[model]()

    with pytest.raises(IntegrityError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE id = %s", [row.pk])  # noqa: S608  our names


@pytest.mark.parametrize("model", MAKERS, ids=called)
def test_what_its_life_changes_may_change(model: type[Model]) -> None:
    row = MAKERS[model]()

    for column in OPEN[model]:
        write(model, column, row.pk)

    assert {entry.open_columns for entry in registered() if entry.model is model} == {frozenset(OPEN[model])}
