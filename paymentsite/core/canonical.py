"""One way to write a value as bytes, so that equal values and only those have equal hashes."""

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any


def text(value: Any) -> str:
    """JSON that is the same for equal values on every database."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(fields: Iterable[str]) -> bytes:
    """SHA-256 over the fields, each preceded by its length: no field can pretend to be two."""
    return sha256("".join([f"{len(field)}:{field}" for field in fields]).encode()).digest()
