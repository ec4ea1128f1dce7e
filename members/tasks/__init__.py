"""What members' time does, by noun. Importing this registers all of it."""

from members.tasks import rewards, tiers

__all__ = ["rewards", "tiers"]
