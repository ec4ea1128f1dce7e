"""What must always be true of members; see docs/verify.md."""

from members.verify import (
    earnings,
    erasure,
    identity,
    limits,
    people,
    phones,
    pins,
    points,
    referrals,
    rewards,
    rights,
    tiers,
)

__all__ = [
    "earnings",
    "erasure",
    "identity",
    "limits",
    "people",
    "phones",
    "pins",
    "points",
    "referrals",
    "rewards",
    "rights",
    "tiers",
]
