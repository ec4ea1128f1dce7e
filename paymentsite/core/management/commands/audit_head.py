"""Writes the head of the audit trail, to be kept where nobody who can change the database reaches it."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from paymentsite.core.services import audit


class Command(BaseCommand):
    help = "Print the last seal's head; `verify --head` later shows whether the trail up to it is still the one it was."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, metavar="FILE", help="add it to this file, a line each")

    def handle(self, *, output: Path | None, **_: Any) -> None:
        if not (head := audit.head()):
            raise CommandError("Nothing has been sealed yet.")
        line = json.dumps({"audit": head})
        if output is None:
            self.stdout.write(line)
            return
        try:
            with output.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error}") from None
