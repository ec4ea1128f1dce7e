"""Whether anything changed, affordable after each refusal: what was not written to is not read again."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from tests.wallets.conftest import Rows, read_rows, tables

_WRITES = re.compile(r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE)
_CHANGES_NOTHING = ("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK TO")


class Looking:
    """``look()``: every row that ``read_rows`` reads. Tables that no statement has named since are taken as they were;
    after a statement that is not understood, none is."""

    def __init__(self) -> None:
        self.tables = tables()
        self.seen: Rows = {}
        self.stale = set(self.tables)

    @contextmanager
    def listening(self) -> Iterator[None]:
        with connection.execute_wrapper(self._hear):
            yield

    def look(self) -> Rows:
        self.seen = {**self.seen, **read_rows(self.stale & set(self.tables))}
        self.stale.clear()
        return self.seen

    def _hear(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001  Django calls it so
        if found := _WRITES.match(sql):
            self.stale.add(found[1])
        elif not sql.lstrip("( \n").startswith(_CHANGES_NOTHING):
            self.stale.update(self.tables)
        return execute(sql, params, many, context)
