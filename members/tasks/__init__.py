"""What members' time does, by noun. Importing this registers all of it."""

from members.tasks import tiers

__all__ = ["tiers"]
