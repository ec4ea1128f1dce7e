"""Tables and accounts to measure with."""

from collections.abc import Sequence
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Final

from django.core.management import call_command
from django.db import connection

from bench.work.references import references
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account

UNIT: Final = "CNY"
CENT: Final = Money(1, UNIT)
_PLENTY: Final = Money(10**12, UNIT)


def make_keys(*, file: str) -> None:
    call_command("new_keys", file=Path(file), stdout=StringIO())


def migrate() -> None:
    """Make all tables."""
    call_command("migrate", run_syncdb=True, verbosity=0)


def migrate_only(*, apps: Sequence[str]) -> None:
    """Make the tables of some apps and of those that they need, which is soon done."""
    for app in apps:
        call_command("migrate", app, verbosity=0)


def open_accounts(*, first: int, last: int) -> None:
    """Open the wallets of that range, each with plenty on it, and the merchant that everyone pays."""
    cash = ledger.house("cash", UNIT)
    opened = [
        ledger.open_account(owner=f"bench:{number}", code="wallet", unit=UNIT, kind=Account.Kind.LIABILITY)
        for number in range(first, last)
    ]
    ledger.open_account(
        owner="bench", code="merchant", unit=UNIT, kind=Account.Kind.LIABILITY, mode=Account.Mode.DEFERRED
    )
    drafts = [
        ledger.Draft(entries=(ledger.Move(_PLENTY, cash, account),), reference=reference, scope="bench")
        for account, reference in zip(opened, references(), strict=False)
    ]
    for outcome in ledger.post_many(drafts):
        if not isinstance(outcome, ledger.Posted):
            raise outcome


@lru_cache(maxsize=1)
def wallets() -> list[Account]:
    return list(Account.objects.filter(code="wallet", owner__startswith="bench:").order_by("pk"))


@lru_cache(maxsize=1)
def merchant() -> Account:
    return Account.objects.get(owner="bench", code="merchant")


def tidy() -> None:
    """What autovacuum would do a minute later: the planner knows the tables, and their pages are known to be full."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
