"""What a call that went wrong says about what the gateway did, for every adapter alike.

The one question is whether the gateway surely did nothing. Whatever is not on these short lists may have moved money.
"""

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final

from paymentsite.core.errors import DomainError
from wallets.gateways.base import Answer, Outcome

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 10.0

# Before the first byte of a request can have left.
BEFORE_SENDING: Final = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)
# A time-out, "the same request is still running", "too early", "too many": the order may stand all the same.
DOUBTFUL_STATUS: Final = {408, 409, 425, 429}
# What reading an answer of an unforeseen shape raises.
UNREADABLE: Final = (AttributeError, IndexError, KeyError, TypeError, ValueError, DomainError)

_CODE: Final = re.compile(r"[A-Za-z0-9_.\-]{1,80}")


def nothing_sent(error: BaseException, *kinds: type[BaseException]) -> bool:
    """Whether ``error`` surely came before anything was sent; ``kinds`` are the client library's own words for that."""
    return any(isinstance(one, (*BEFORE_SENDING, *kinds)) for one in _behind(error))


def _behind(error: BaseException) -> Iterator[BaseException]:
    """``error`` and what it was raised from.

    Never ``__context__``: that may be another call's error, which the caller was just handling, and would call a
    request refused that was sent.
    """
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        behind = (one.__cause__, getattr(one, "reason", None), *one.args[:1])
        waiting += [other for other in behind if isinstance(other, BaseException)]


def refused(status: int | None) -> bool:
    """Whether an HTTP ``status`` says that the request was looked at and surely not carried out."""
    return status is not None and 400 <= status < 500 and status not in DOUBTFUL_STATUS  # noqa: PLR2004 - HTTP's own


def failed(reason: str, *, gateway_reference: str = "") -> Answer:
    return Answer(outcome=Outcome.FAILED, reason=code(reason), gateway_reference=gateway_reference)


def unknown(reason: str, *, gateway_reference: str = "") -> Answer:
    return Answer(outcome=Outcome.UNKNOWN, reason=code(reason), gateway_reference=gateway_reference)


ABSENT: Final = Answer(outcome=Outcome.ABSENT)


def code(given: object) -> str:
    """A gateway's own code as it may be kept: nothing that could hold a name, a number of a card, or a sentence."""
    return given if isinstance(given, str) and _CODE.fullmatch(given) else "unreadable"
