"""Where an act comes from: the request or task that it belongs to, and the address that sent it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog

REQUEST_ID_LENGTH_MAX = 100

_address: ContextVar[str] = ContextVar("address", default="")


@dataclass(frozen=True, slots=True)
class Origin:
    """Both are empty for what nobody asked for from outside, such as a command."""

    request_id: str
    address: str


def current() -> Origin:
    """The origin of what runs now; the id is the one under which the log knows the request or the task."""
    known = structlog.contextvars.get_contextvars()
    request_id = known.get("request_id") or known.get("task_id") or ""
    return Origin(str(request_id)[:REQUEST_ID_LENGTH_MAX], _address.get())


@contextmanager
def at(*, address: str) -> Iterator[None]:
    """What runs inside was asked for from ``address``."""
    token = _address.set(address)
    try:
        yield
    finally:
        _address.reset(token)
