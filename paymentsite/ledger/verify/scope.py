"""What a run looks at: all of the books, or what changed since the last good run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Max

from paymentsite.core.verification import Run, mark
from paymentsite.ledger.models import AccountEvent, Block

# Above this many accounts, asking for each by name costs more than looking at all.
ACCOUNTS_MAX: Final = 20_000

_CHANGED: Final = """
WITH changed AS (
    SELECT journal_id FROM ledger_leaf WHERE block_id > %s UNION ALL SELECT journal_id FROM ledger_unsealed
)
SELECT source_id FROM ledger_posting WHERE journal_id IN (SELECT journal_id FROM changed)
UNION SELECT target_id FROM ledger_posting WHERE journal_id IN (SELECT journal_id FROM changed)
UNION SELECT h.account_id FROM ledger_holdevent e JOIN ledger_hold h ON h.id = e.hold_id
    WHERE e.journal_id IN (SELECT journal_id FROM changed)
UNION SELECT account_id FROM ledger_accountevent WHERE id > %s
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Blocks above ``height`` and what is in none, and the accounts that those touch; None means all accounts.

    In a statement ``{of:b.account_id}`` stands for the condition that an account is one of them.
    """

    height: int = 0
    digest: str = ""
    accounts: tuple[int, ...] | None = None

    def __format__(self, column: str) -> str:
        if self.accounts is None:
            return "TRUE"
        return f"{column} IN ({', '.join(map(str, self.accounts)) or 'NULL'})"


def scope(run: Run) -> Scope:
    """Which part of the books ``run`` looks at."""
    return run.once(_scope)


def _scope(run: Run) -> Scope:
    since = (run.since or {}).get("ledger")
    if since is None:
        return Scope()
    accounts = tuple(sorted(account for (account,) in rows(_CHANGED, [since["height"], since["event"]])))
    return Scope(since["height"], since["digest"], accounts if len(accounts) <= ACCOUNTS_MAX else None)


@mark("ledger")
def _end() -> dict[str, Any]:
    last = Block.objects.order_by("-height").first()
    return {
        "height": last.height if last else 0,
        "digest": bytes(last.digest).hex() if last else "",
        "event": AccountEvent.objects.aggregate(last=Max("pk"))["last"] or 0,
    }


def rows(sql: str, given: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
    """The rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        while some := cursor.fetchmany(1_000):
            yield from some


def key(value: object) -> str:
    """A UUID as people read it, however the database writes it."""
    return str(UUID(value) if isinstance(value, str) else value)
