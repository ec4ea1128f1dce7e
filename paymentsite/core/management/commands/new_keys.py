"""Makes the vault's keys, and changes a set of them."""

import os
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from paymentsite.core.vault import document, loading, renewal, rotation
from paymentsite.core.vault.errors import UnusableKeysError
from paymentsite.core.vault.keyring import Keys, Purpose
from paymentsite.core.vault.providers import Provider


class Command(BaseCommand):
    help = (
        "Print a fresh set of keys, wrapped by the configured provider. With --file, write it to a new file. "
        "With --add, --promote or --remove, change the set in that file; without --file, print the set in "
        "force, changed."
    )
    # It is what makes the system checks pass.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, help="the key document; written whole or not at all, mode 600")
        act = parser.add_mutually_exclusive_group()
        act.add_argument("--add", type=Purpose, metavar="PURPOSE", help=f"a new current key: {', '.join(Purpose)}")
        act.add_argument("--promote", metavar="KEY_ID", help="make a known key the current one")
        act.add_argument("--remove", metavar="KEY_ID", help="forget a key that no row needs any more")
        parser.add_argument("--standby", action="store_true", help="with --add: known everywhere first, not current")

    def handle(self, *, file: Path | None, **options: Any) -> None:
        try:
            provider = loading.provider()
            before = self._before(provider, file, changing=any(options[act] for act in ("add", "promote", "remove")))
            text = document.write(self._after(before, options), provider.wrap)
        except UnusableKeysError as refused:
            raise CommandError(str(refused)) from None
        if file:
            _replace(file, text)
            self.stdout.write(f"{file} is written.")
        else:
            self.stdout.write(text, ending="")

    def _before(self, provider: Provider, file: Path | None, *, changing: bool) -> Keys | None:
        """The set to change, or ``None`` when a fresh one is asked for."""
        if not changing:
            if file and file.exists():
                raise CommandError(f"{file} exists: say what to change, --add, --promote or --remove.")
            return None
        if not file:
            return loading.load(provider)
        try:
            return document.read(file.read_text(encoding="utf-8"), provider.unwrap)
        except (OSError, UnicodeDecodeError):
            raise CommandError(f"{file} cannot be read.") from None

    def _after(self, before: Keys | None, options: dict[str, Any]) -> Keys:
        if before is None:
            return renewal.fresh()
        if options["add"]:
            return renewal.added(before, options["add"], standby=options["standby"])
        if options["promote"]:
            return renewal.promoted(before, options["promote"])
        return self._without(before, options["remove"])

    def _without(self, before: Keys, key_id: str) -> Keys:
        after = renewal.removed(before, key_id)
        needing = {table.name: rows for table in rotation.guarded() if (rows := table.under(key_id))}
        if needing:
            named = ", ".join(f"{rows} of {name}" for name, rows in needing.items())
            raise CommandError(f"Rows still need {key_id}: {named}. Run rotate_keys first.")
        return after


def _replace(file: Path, text: str) -> None:
    """Put ``text`` in place of ``file``: whoever reads it meanwhile sees the old set or the new one."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as new:
        new.write(text)
        new.flush()
        os.fsync(new.fileno())
    Path(name).replace(file)
