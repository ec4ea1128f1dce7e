"""Fills a database of its own with journals, a million unless told otherwise, and says how long verify takes on it.

    ./script/verify-million [--journals 1000000] [--keep]

The database is made on the server of DATABASE_URL (test_ before its name), or on one that is started for it, and is
dropped at the end unless it is to be kept for another run.
"""

import argparse
import os
import random
import resource
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

CALL: Final = 10_000
WALLETS: Final = 5_000
# Out of a hundred acts; each hold is captured by a later one.
MIX: Final = {"transfer": 70, "payment": 14, "deposit": 10, "hold": 4, "refusal": 2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--journals", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true", help="keep the database, and use one that was kept")
    asked = parser.parse_args()

    os.environ.setdefault("SANDBOX", "1")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paymentsite.settings")
    with ExitStack() as stack:
        if "DATABASE_URL" not in os.environ:
            from tests.servers import postgres

            os.environ["DATABASE_URL"] = stack.enter_context(postgres(database="million"))
        measure(asked.journals, keep=asked.keep)


def measure(journals: int, *, keep: bool) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    # The tables as the models say, without the time that migrations take.
    connection.settings_dict["TEST"]["MIGRATE"] = False
    usual = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False, keepdb=keep)
    try:
        began = time.monotonic()
        fill(journals)
        print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        began, cpu = time.monotonic(), cpu_seconds()
        call_command("verify")
        print(f"verify: {time.monotonic() - began:.1f} s, of which {cpu_seconds() - cpu:.1f} s of CPU in Python")
        began = time.monotonic()
        call_command("verify", fast=True)
        print(f"verify --fast: {time.monotonic() - began:.1f} s")
    finally:
        if keep:
            connection.close()
        else:
            connection.creation.destroy_test_db(usual, verbosity=0)


def cpu_seconds() -> float:
    """What this process and those that it waited for have used so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def fill(journals: int) -> None:
    """So many journals are there, sealed: transfers, payments with a fee, holds and captures, refusals; a snapshot."""
    from paymentsite.core.money import Money
    from paymentsite.ledger import services as ledger
    from paymentsite.ledger.entries import Entry
    from paymentsite.ledger.models import Account, Hold, Journal

    chance = random.Random(1)  # noqa: S311  the same books each time
    cash, fees, shop = (ledger.house(code, "CNY") for code in ("cash", "fees", "shop"))
    wallets = [
        ledger.open_account(owner=f"million:{number}", code="wallet", unit="CNY", kind=Account.Kind.LIABILITY)
        for number in range(WALLETS)
    ]

    def entries(number: int) -> tuple["Entry", ...]:
        one, other = chance.sample(wallets, 2)
        amount = Money(chance.randrange(1, 900), "CNY")
        kind = "deposit" if number < WALLETS else chance.choices(list(MIX), list(MIX.values()))[0]
        if kind == "deposit":
            return (ledger.Move(Money(100_000, "CNY"), cash, one),)
        if kind == "payment":
            return (ledger.Move(amount, one, shop), ledger.Move(Money(1, "CNY"), one, fees))
        if kind == "hold":
            return (ledger.Place(amount, one),)
        if kind == "refusal":
            return (ledger.Move(Money(10**12, "CNY"), one, other),)
        return (ledger.Move(amount, one, other),)

    done = Journal.objects.count()
    while done < journals:
        count = min(CALL, journals - done)
        held = list(Hold.objects.open().select_related("account")[: count // 50])
        drafts = [
            ledger.Draft(
                entries=(ledger.Capture(hold.left, hold, shop),), reference=f"capture {hold.pk}", scope="million"
            )
            for hold in held
        ]
        drafts += [
            ledger.Draft(entries=entries(number), reference=f"act {number}", scope="million", source=f"order:{number}")
            for number in range(done, done + count - len(held))
        ]
        ledger.post_many(drafts)
        done += count
        if done % 100_000 == 0:
            ledger.close_blocks()
            print(f"{done} journals", flush=True)
    ledger.take_snapshot()


if __name__ == "__main__":
    main()
