"""How many examples a run of all tests tries; many more are tried by ``./script/test long``."""

from django.conf import settings


def some(count: int) -> int:
    """So many on SQLite. Beside PostgreSQL, where each takes three times as long, a third: it is the same logic that
    is tried there, in the same histories."""
    sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    return count if sqlite else -(-count // 3)
