"""Writes the proof that a journal stands in a signed block."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from paymentsite.core.errors import DomainError
from paymentsite.ledger import proofs


class Command(BaseCommand):
    help = "Print the proof that a journal is in its block, which script/check-proof checks without anything of ours."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("journal", type=UUID)

    def handle(self, *, journal: UUID, **_: Any) -> None:
        try:
            proof = proofs.prove(journal)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(json.dumps(proof, ensure_ascii=False))
