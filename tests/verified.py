"""Whether what acts leave behind is as it must be."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from paymentsite.core import verification
from tests import tables

# All that an act can break. That tables still have their constraints, and that those hold, is for whole runs: nobody
# breaks it but who may do everything with the database, and looking takes as long as all of these.
BY_ACTS: Final = ("cards", "members", "wallets", "ledger", "core.audit_trail", "core.terms_are_told")


@dataclass(slots=True)
class _Read:
    """The tables that a check was seen to read; ``alone`` once all of them were empty when it did, so that it then
    read no others."""

    tables: set[str] = field(default_factory=set)
    alone: bool = False


_reads: Final[dict[str, _Read]] = {}


def clean() -> bool:
    """What reads nothing but empty tables, and has found nothing there before, is not asked again: that is a third of
    all."""
    filled = set(tables.filled())
    together, apart = [], []
    for check in verification.discover().chosen(BY_ACTS):
        read = _reads.setdefault(check.name, _Read())
        if read.tables & filled:
            together.append(check.name)
        elif not (read.tables and read.alone):
            apart.append(check.name)
    good = not together or not verification.discover().run(only=together).findings
    return all(_clean_alone(name, filled) for name in apart) and good


def _clean_alone(name: str, filled: set[str]) -> bool:
    read = _reads[name]
    with _reading(read.tables):
        good = not verification.discover().run(only=[name]).findings
    read.alone = good and not read.tables & filled
    return good


@contextmanager
def _reading(seen: set[str]) -> Iterator[None]:
    """Whatever tables are named meanwhile are in ``seen``."""
    known = tables.known()

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        seen.update(table for table in known if table in sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield
