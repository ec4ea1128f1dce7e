from members.models.members import Member, MemberEvent
from members.models.notices import Notice
from members.models.tiers import Tier
from members.models.users import User

__all__ = ["Member", "MemberEvent", "Notice", "Tier", "User"]
