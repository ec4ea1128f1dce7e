"""Writes the head of the chain, to be kept where nobody who can change the database reaches it."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from paymentsite.ledger import proofs


class Command(BaseCommand):
    help = "Print the last block's head; `verify --head` later shows whether that block is still the one it was."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, metavar="FILE", help="add it to this file, a line each")

    def handle(self, *, output: Path | None, **_: Any) -> None:
        head = proofs.head()
        if head is None:
            raise CommandError("No block has been closed yet.")
        line = json.dumps(head)
        if output is None:
            self.stdout.write(line)
            return
        try:
            with output.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error}") from None
