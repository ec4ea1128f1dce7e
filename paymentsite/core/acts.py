"""One business act, one transaction.

A service that people or partners call is an *act*: it opens the one transaction, is begun again when the database
asks for that (a deadlock, a serialization failure), and leaves nothing behind when refused, except the record that it
was refused.
"""

import functools
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, ParamSpec, TypeVar

from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext_noop

from paymentsite.core import clock, database
from paymentsite.core.errors import DomainError, Unavailable

P = ParamSpec("P")
R = TypeVar("R")
Transaction = Callable[[], AbstractContextManager[Any]]

TRIES: Final = 8
_BEGIN_AGAIN: Final = frozenset({"40001", "40P01"})
_PAUSE_SECONDS: Final = 0.01
# An advisory lock of PostgreSQL that acts take which are begun again: "acts".
_QUEUE: Final = 0x61637473


class OutcomeUnknown(Unavailable):
    """The database committed here but could not say whether its standby did. Ask again with the same reference."""

    code = "outcome_unknown"
    sentence = gettext_noop("It is not certain that this was done. Ask again with the same reference.")


def act(service: Callable[P, R]) -> Callable[P, R]:
    """Make ``service`` one act; see this module."""

    @functools.wraps(service)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        return attempt(lambda: service(*args, **kwargs))

    return wrapper


def attempt(work: Callable[[], R], within: Transaction = transaction.atomic) -> R:
    """Do ``work`` in a transaction, or in a savepoint of the one that is open, where nothing is begun again."""
    tries = 1 if connection.in_atomic_block else TRIES
    crossed = False
    for left in range(tries - 1, -1, -1):
        try:
            with within(), clock.read_once():
                if crossed:
                    _queue()
                result = work()
        except DatabaseError as error:
            if not left or not begins_again(error):
                raise
            crossed = True
            pause(TRIES - left)
        except DomainError as refusal:
            # The record of the refusal went back with the rest. Written again it stands; where the reference was
            # decided meanwhile, be it by a refusal too, the act is done again and finds that first answer.
            kept = _kept_in(refusal)
            if kept is None or kept() or not left:
                raise
        else:
            check_committed()
            return result
    raise AssertionError("the last try returns or raises")


def _queue() -> None:
    """Wait until no other act that is begun again is under way.

    Acts that crossed once would cross again and again: of 32 that lock the same four accounts in orders of their own,
    two thirds failed eight times. One at a time they meet newcomers alone, each of which gets in the way once.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [_QUEUE])


def _kept_in(refusal: BaseException | None) -> Callable[[], bool] | None:
    """How the refusal is written again, be it the one that a service raised in its own words from it."""
    while refusal is not None:
        if isinstance(refusal, DomainError) and refusal.keep is not None:
            return refusal.keep
        refusal = refusal.__cause__ or refusal.__context__
    return None


def begins_again(error: BaseException) -> bool:
    """Whether the database asks for the whole transaction to be begun again."""
    return sqlstate(error) in _BEGIN_AGAIN or getattr(error, "begin_again", False)


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code for what went wrong, if it was PostgreSQL."""
    code: str | None = getattr(error.__cause__ or error, "sqlstate", None)
    return code


def pause(tries: int) -> None:
    """Wait a little, longer after each try and never in step with others."""
    time.sleep(random.uniform(0, _PAUSE_SECONDS * 2**tries))  # noqa: S311  jitter, not a secret


def check_committed() -> None:
    """Raise ``OutcomeUnknown`` when the commit just made may exist on this server alone."""
    if database.commit_in_doubt():
        raise OutcomeUnknown
