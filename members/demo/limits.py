"""Limits for each identity level."""

from members.services import limit_rules


def fill() -> None:
    """The limits that a new site begins with."""
    limit_rules.set_defaults()
