from members.models.members import Member, MemberEvent
from members.models.notices import Notice
from members.models.pins import Pin, PinRecovery
from members.models.rewards import Coupon, Redemption, Reward
from members.models.standings import MemberTier, Progress, TierChange
from members.models.tiers import Tier, TierProgramme
from members.models.users import User

__all__ = [
    "Coupon",
    "Member",
    "MemberEvent",
    "MemberTier",
    "Notice",
    "Pin",
    "PinRecovery",
    "Progress",
    "Redemption",
    "Reward",
    "Tier",
    "TierChange",
    "TierProgramme",
    "User",
]
