import re
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from paymentsite.core import clock
from paymentsite.core.errors import DomainError

_SPAN: Final = re.compile(
    r"(?:(?P<weeks>\d{1,4})w)?(?:(?P<days>\d{1,5})d)?"
    r"(?:(?P<hours>\d{1,6})h)?(?:(?P<minutes>\d{1,8})m)?(?:(?P<seconds>\d{1,9})s)?",
    re.ASCII,
)


def span(text: str) -> timedelta:
    written = _SPAN.fullmatch(text)
    if not text or written is None:
        raise ArgumentTypeError(f"{text!r} is no span of time; write it like 3d2h, 90m or 1w")
    return timedelta(**{unit: int(count) for unit, count in written.groupdict().items() if count})


def moment(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no moment; write it like 2027-01-01T00:00Z") from error
    if when.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} leaves the zone open; write it like 2027-01-01T00:00Z")
    return when


class Command(BaseCommand):
    help = "Show the clock; in a sandbox, move it forward and let everything due on the way happen."

    def add_arguments(self, parser: ArgumentParser) -> None:
        move = parser.add_mutually_exclusive_group()
        move.add_argument("--by", type=span, help="how far to move it, such as 3d2h")
        move.add_argument("--to", type=moment, help="where to move it to, such as 2027-01-01T00:00Z")

    def handle(self, *_: Any, by: timedelta | None, to: datetime | None, **__: Any) -> None:
        if by is not None or to is not None:
            self._move(by=by, to=to)
        self.stdout.write(f"It is {clock.now():%Y-%m-%d %H:%M:%S} UTC, business day {clock.today()}.")

    def _move(self, *, by: timedelta | None, to: datetime | None) -> None:
        try:
            moved = clock.advance(by=by, to=to)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal

        for (name, state), count in sorted(Counter((run.name, run.state) for run in moved.runs).items()):
            self.stdout.write(f"{name}: {count} {state}")
