"""Says whether everything is as it must be, and what is not."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final, TypeVar, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from paymentsite.core import verification
from paymentsite.core.verification import Report, Result, UnknownCheck

T = TypeVar("T")

USAGE: Final = 2
WIDTH: Final = 180


class Command(BaseCommand):
    help = (
        "Look whether everything that must be true is true. Exit 0 when it is, 1 when something is not, each broken "
        "row named; 2 when asked wrongly. Safe at any time: it sees one moment and makes nobody wait."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
        parser.add_argument("--fast", action="store_true", help="look at what changed since the last good run")
        parser.add_argument(
            "--external",
            type=Path,
            metavar="FILE",
            help="acknowledged references kept elsewhere, a line each: scope TAB reference, or a JSON object",
        )
        parser.add_argument(
            "--head", type=Path, metavar="FILE", help="heads written by ledger_head and audit_head, a line each"
        )
        parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="checks, or apps, to look at alone")

    def handle(self, *, only: list[str], fast: bool, external: Path | None, head: Path | None, **how: Any) -> None:
        outside: dict[str, Any] = {}
        if external:
            outside["external"] = _lines(external, acknowledged)
        if head:
            outside["head"] = _lines(head, exported)
        try:
            report = verification.discover().run(only=only, fast=fast, outside=outside)
        except UnknownCheck as unknown:
            known = ", ".join(sorted(verification.registry.checks))
            raise CommandError(f"No check is called {unknown}. There are: {known}", returncode=USAGE) from None

        if how["json"]:
            self.stdout.write(json.dumps(_plain(report), ensure_ascii=False))
        else:
            self._show(report)
        if not report.good:
            raise SystemExit(1)

    def _show(self, report: Report) -> None:
        # A log has no width; there, no line is cut.
        width = None if self.stdout.isatty() else WIDTH
        console = Console(file=cast("IO[str]", self.stdout), highlight=False, width=width)
        console.print(_table(report))
        for result in report.results:
            if result.count:
                console.print(
                    Text(f"\n{result.check.name}: not true that {_sentence(result.check.promise)}", "bold red")
                )
                for finding in result.findings:
                    console.print(Text(f"  {finding.subject}: {finding.detail}"))
                if left := result.count - len(result.findings):
                    console.print(Text(f"  … and {left} more"))
        console.print(Text(f"\n{_verdict(report)}", "green" if report.good else "bold red"))


def acknowledged(line: str) -> tuple[str, str]:
    """The scope and reference that a line names; ``ValueError`` when it names none."""
    if line.startswith("{"):
        named = json.loads(line)
        scope, reference = named.get("scope"), named.get("reference")
    else:
        scope, tab, reference = line.partition("\t")
        reference = reference if tab else None
    if not (isinstance(scope, str) and isinstance(reference, str) and scope and reference):
        raise ValueError("names no scope and reference")
    return scope, reference


def exported(line: str) -> dict[str, Any]:
    """The head that a line holds; ``ValueError`` when it holds none."""
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError("is no head")  # noqa: TRY004  its caller tells people, who know no types
    return found


def _lines(path: Path, read: Callable[[str], T]) -> list[T]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}", returncode=USAGE) from None
    made = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                made.append(read(line.rstrip("\r")))
            except ValueError as error:
                raise CommandError(f"{path} line {number}: {error}", returncode=USAGE) from None
    return made


def _plain(report: Report) -> dict[str, Any]:
    return {
        "good": report.good,
        "since": report.since.isoformat() if report.since else None,
        "seconds": round(report.seconds, 3),
        "seen": report.seen,
        "checks": [_plain_result(result) for result in report.results],
    }


def _plain_result(result: Result) -> dict[str, Any]:
    return {
        "name": result.check.name,
        "promise": result.check.promise,
        "count": result.count,
        "seconds": round(result.seconds, 3),
        "findings": [asdict(finding) for finding in result.findings],
    }


def _table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("Check", no_wrap=True, min_width=max(len(result.check.name) for result in report.results))
    table.add_column("Broken", justify="right", no_wrap=True, min_width=6)
    table.add_column("Seconds", justify="right", no_wrap=True, min_width=7)
    table.add_column("What must be true", no_wrap=True)
    for result in report.results:
        sign, look = ("✗", "bold red") if result.count else ("✓", "green")
        found, took = Text(str(result.count), look), f"{result.seconds:.1f}"
        table.add_row(Text(sign, look), result.check.name, found, took, result.check.promise)
    return table


def _sentence(promise: str) -> str:
    return promise[:1].lower() + promise[1:]


def _verdict(report: Report) -> str:
    seen = ", ".join(f"{count:,} {what}" for what, count in report.seen.items()) or "nothing counted"
    scope = f"Changes since {report.since:%Y-%m-%d %H:%M:%S} UTC" if report.since else "Everything"
    broken = sum(result.count for result in report.results)
    verdict = "all is well" if report.good else f"{broken} broken"
    return f"{scope} looked at in {report.seconds:.1f} s ({seen}): {verdict}."
