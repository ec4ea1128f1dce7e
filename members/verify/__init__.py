"""What must always be true of members; see docs/verify.md."""

from members.verify import people, pins

__all__ = ["people", "pins"]
