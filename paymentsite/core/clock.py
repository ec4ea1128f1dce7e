"""The only source of now."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment in UTC, as the business sees it."""
    return datetime.now(UTC)
