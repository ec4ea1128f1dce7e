from members.models.earning import EarnBudget, EarnRule
from members.models.kyc import KycCase, KycChunk, KycEvent, KycImage
from members.models.limits import Limit, LimitUse
from members.models.members import Member, MemberEvent
from members.models.notices import Notice
from members.models.phone_proofs import PhoneProof
from members.models.pins import Pin, PinRecovery
from members.models.point_values import PointValue
from members.models.purchases import Earning, Purchase, PurchaseRefund, Referral
from members.models.rewards import Coupon, Redemption, Reward
from members.models.standings import MemberTier, Progress, TierChange
from members.models.tiers import Tier, TierProgramme
from members.models.users import User

__all__ = [
    "Coupon",
    "EarnBudget",
    "EarnRule",
    "Earning",
    "KycCase",
    "KycChunk",
    "KycEvent",
    "KycImage",
    "Limit",
    "LimitUse",
    "Member",
    "MemberEvent",
    "MemberTier",
    "Notice",
    "PhoneProof",
    "Pin",
    "PinRecovery",
    "PointValue",
    "Progress",
    "Purchase",
    "PurchaseRefund",
    "Redemption",
    "Referral",
    "Reward",
    "Tier",
    "TierChange",
    "TierProgramme",
    "User",
]
