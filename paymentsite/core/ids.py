"""Identifiers that sort by time and tell nothing else."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MILLISECOND: Final = timedelta(milliseconds=1)
_VERSION_AND_VARIANT: Final = (0x7 << 76) | (0b10 << 62)
_BYTES: Final = 10
_DRAWN: Final = 500
_RANDOM_HIGH: Final = 0xFFF
_RANDOM_LOW: Final = (1 << 62) - 1


def microseconds(at: datetime) -> int:
    """``at`` as whole microseconds since 1970, exactly: a float would round."""
    return (at - EPOCH) // _MICROSECOND


def uuid7(at: datetime) -> UUID:
    """A UUID of version 7 (RFC 9562) whose first 48 bits are the milliseconds of ``at``."""
    chance = int.from_bytes(os.urandom(_BYTES), "big")
    return UUID(
        int=((at - EPOCH) // _MILLISECOND << 80)
        | _VERSION_AND_VARIANT
        | (chance >> 62 & _RANDOM_HIGH) << 64
        | chance & _RANDOM_LOW
    )


def uuid7s(at: datetime) -> Iterator[UUID]:
    """UUIDs of version 7 of one moment, without end: where thousands are needed, at a third of the cost of each."""
    beginning = ((at - EPOCH) // _MILLISECOND << 80) | _VERSION_AND_VARIANT
    while True:
        drawn = os.urandom(_BYTES * _DRAWN)
        for start in range(0, len(drawn), _BYTES):
            chance = int.from_bytes(drawn[start : start + _BYTES], "big")
            yield UUID(int=beginning | (chance >> 62 & _RANDOM_HIGH) << 64 | chance & _RANDOM_LOW)


def uuid7_floor(at: datetime) -> UUID:
    """The smallest UUID of version 7 that ``at`` can have: where a range by time begins."""
    return UUID(int=((at - EPOCH) // _MILLISECOND << 80) | _VERSION_AND_VARIANT)


def is_of(key: UUID, moment: datetime) -> bool:
    """Whether ``key``, of version 7, was made at ``moment``: its first 48 bits say so, to the millisecond."""
    return key.int >> 80 == uuid7_floor(moment).int >> 80
