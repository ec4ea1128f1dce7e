"""What members' time does, by noun. Importing this registers all of it."""

from members.tasks import points, rewards, tiers

__all__ = [
    "points",
    "rewards",
    "tiers",
]
