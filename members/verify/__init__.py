"""What must always be true of members; see docs/verify.md."""

from members.verify import people, pins, rewards, tiers

__all__ = ["people", "pins", "rewards", "tiers"]
