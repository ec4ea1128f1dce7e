"""What must always be true of members; see docs/verify.md."""

from members.verify import erasure, identity, people, pins, points, rewards, tiers

__all__ = ["erasure", "identity", "people", "pins", "points", "rewards", "tiers"]
