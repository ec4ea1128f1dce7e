"""What ``manage.py verify`` has to say."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must always be true and is not: which check, of what, and how it shows."""

    check: str
    subject: str
    detail: str
