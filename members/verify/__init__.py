"""What must always be true of members; see docs/verify.md."""

from members.verify import (
    bringers,
    coupons,
    earnings,
    erasure,
    identity,
    joining,
    limits,
    people,
    phones,
    pins,
    points,
    referrals,
    rewards,
    rights,
    tiers,
    uses_told,
)

__all__ = [
    "bringers",
    "coupons",
    "earnings",
    "erasure",
    "identity",
    "joining",
    "limits",
    "people",
    "phones",
    "pins",
    "points",
    "referrals",
    "rewards",
    "rights",
    "tiers",
    "uses_told",
]
