"""What tests of wallets share: every row that an act of theirs may change, and a gateway."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from tests.wallets import gateways
from wallets.models import TopUp, Withdrawal

# What stays of a refused act: the ledger's record of the refusal, which waits to be sealed.
_KEPT = {"ledger_journal", "ledger_unsealed"}
_APPS = ("members", "wallets", "ledger")

Rows = dict[str, list[tuple[Any, ...]]]


def tables() -> dict[str, str]:
    """Those that an act may change, with the column that says their order."""
    return {
        model._meta.db_table: model._meta.pk.column
        for app in _APPS
        for model in apps.get_app_config(app).get_models()
        if model._meta.db_table not in _KEPT
    }


def read_rows(only: Collection[str] | None = None) -> Rows:
    with connection.cursor() as cursor:
        rows = {}
        for table, key in tables().items():
            if only is None or table in only:
                cursor.execute(f"SELECT * FROM {table} ORDER BY {key}")  # noqa: S608  names from our models
                rows[table] = cursor.fetchall()
    return rows


@pytest.fixture
def rows() -> Callable[[], Rows]:
    """``rows()``: every row of members, wallets and the ledger, but for journals."""
    return read_rows


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[None]:
    """One sandbox gateway, to be configured by nobody else, without a route to it."""
    with gateways.sandboxes(tmp_path, "sandbox"):
        yield


@pytest.fixture
def routed(sandbox: None, db: None) -> None:
    """One sandbox gateway, and routes to it for top-ups by card and withdrawals in euros."""
    gateways.route("top_up")
    gateways.route("payout")


@pytest.fixture
def come() -> TopUp:
    """A top-up that came."""
    return gateways.top_up(gateways.wallet(), 1_000)


@pytest.fixture
def gone() -> Withdrawal:
    """A withdrawal that left."""
    return gateways.withdraw(gateways.wallet(5_000), 1_000)


@pytest.fixture
def under_way() -> Withdrawal:
    """A withdrawal of which its gateway has not said what became of it."""
    return gateways.withdraw(gateways.wallet(5_000), 1_002)
