"""How the ledger talks to its database."""

from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections

from paymentsite.ledger.store.base import Key, Pen, Store, Stored, Written
from paymentsite.ledger.store.needs import Needs, all_there
from paymentsite.ledger.store.postgres import PostgresStore
from paymentsite.ledger.store.sqlite import SqliteStore

_STORES: Final[dict[str, type[Store]]] = {"postgresql": PostgresStore, "sqlite": SqliteStore}


def here() -> Store:
    """The store of the database in use, for one act: it looks the connection up once."""
    connection = connections[DEFAULT_DB_ALIAS]
    return _STORES[connection.vendor](connection)


__all__ = ["Key", "Needs", "Pen", "Store", "Stored", "Written", "all_there", "here"]
