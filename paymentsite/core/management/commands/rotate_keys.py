"""Moves every encrypted column and its digests to the current keys."""

import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from paymentsite.core.vault import rotation
from paymentsite.core.vault.errors import KeysUnavailable
from paymentsite.core.vault.rotation import Guarded, Progress

REPORT_SECONDS: Final = 1.0


class Command(BaseCommand):
    help = (
        "Encrypt everything anew that is under an old key, beside running traffic. May be stopped and run "
        "again at any time. Exit 1 when rows are left on old keys."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; say how many rows are on old keys")
        parser.add_argument("--batch", type=int, default=200, help="rows in one transaction")
        parser.add_argument("--pause", type=float, default=0.0, help="seconds to rest after each batch")

    def handle(self, *, check: bool, batch: int, pause: float, **_: Any) -> None:
        if batch < 1 or pause < 0:
            raise CommandError("--batch is at least 1 and --pause is not negative.")
        try:
            left = sum(
                self._checked(table) if check else self._rotated(table, batch, pause) for table in rotation.guarded()
            )
        except KeysUnavailable as refused:
            raise CommandError(str(refused)) from None
        if left:
            raise CommandError(f"{left} rows are left on old keys.")
        self.stdout.write("No row is on an old key.")

    def _checked(self, table: Guarded) -> int:
        stale, stranded = table.stale().count(), table.stranded()
        self.stdout.write(f"{table.name}: {stale} rows on old keys")
        if stranded:
            self.stdout.write(f"{table.name}: {stranded} old digests without content, which keep their key")
        return stale

    def _rotated(self, table: Guarded, batch: int, pause: float) -> int:
        said = time.monotonic()

        def report(progress: Progress) -> None:
            nonlocal said
            if time.monotonic() - said >= REPORT_SECONDS:
                said = time.monotonic()
                self.stdout.write(str(progress))

        progress = rotation.rotate(table, batch=batch, pause=pause, report=report)
        self.stdout.write(str(progress))
        for pk, reason in progress.failed.items():
            self.stderr.write(f"{table.name} {pk} {reason}")
        return progress.left
