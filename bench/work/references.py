"""References that no other worker and no other run makes."""

from collections.abc import Iterator
from itertools import count
from uuid import uuid4


def references() -> Iterator[str]:
    mine = uuid4().hex
    return (f"{mine}-{number}" for number in count())
