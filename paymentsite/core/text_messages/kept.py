"""Text messages that go nowhere: written to the log and kept in a file, for a sandbox, where anybody may read them."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final

import structlog
from django.conf import settings

from paymentsite.core import clock
from paymentsite.core.errors import plain
from paymentsite.core.vault import Secret

log = structlog.get_logger(__name__)

# How much of the file's end is read: some hundred messages, however long the sandbox has been there.
_READ: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Message:
    at: datetime
    to: str
    text: str


class Kept:
    """One line of JSON each in ``settings.TEXT_MESSAGES_KEPT``, which all processes of the sandbox share."""

    leaves: ClassVar[bool] = False

    def send(self, *, to: Secret, text: Secret) -> None:
        message = {"at": clock.now(), "to": to.reveal(), "text": text.reveal()}
        path = _path()
        path.parent.mkdir(parents=True, exist_ok=True)
        # One write at the end of the file: lines of several processes do not mix.
        with path.open("ab", buffering=0) as file:
            file.write(json.dumps(plain(message), ensure_ascii=False).encode() + b"\n")
        log.info("text_message", to=to.reveal(), text=text.reveal())

    def messages(self) -> Iterator[Message]:
        """The latest ones, newest first."""
        path = _path()
        if not path.exists():
            return
        with path.open("rb") as file:
            beginning = max(file.seek(0, os.SEEK_END) - _READ, 0)
            file.seek(beginning)
            lines = file.read().splitlines()
        # Where reading begins within the file, the first line lacks its beginning.
        for line in reversed(lines[1:] if beginning else lines):
            found = json.loads(line)
            yield Message(datetime.fromisoformat(found["at"]), found["to"], found["text"])

    def newest(self, to: Secret) -> Message | None:
        """The last message to a number, if it is among the latest."""
        return next((message for message in self.messages() if message.to == to.reveal()), None)


def _path() -> Path:
    return Path(settings.TEXT_MESSAGES_KEPT)
