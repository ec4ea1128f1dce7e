"""What must always be true of members; see docs/verify.md."""

from members.verify import erasure, identity, limits, people, phones, pins, points, rewards, rights, tiers

__all__ = ["erasure", "identity", "limits", "people", "phones", "pins", "points", "rewards", "rights", "tiers"]
