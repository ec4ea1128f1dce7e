"""How the ledger talks to its database."""

from typing import Final

from django.db import connection

from paymentsite.ledger.store.base import Key, Needs, Pen, Store, Stored, Written
from paymentsite.ledger.store.postgres import PostgresStore
from paymentsite.ledger.store.sqlite import SqliteStore

_STORES: Final[dict[str, Store]] = {"postgresql": PostgresStore(), "sqlite": SqliteStore()}


def here() -> Store:
    """The store of the database in use."""
    return _STORES[connection.vendor]


__all__ = ["Key", "Needs", "Pen", "Store", "Stored", "Written", "here"]
