"""Points: earned, pending, given, spent, taken back. A flow proposes them here and posts them with its money:

points = points.earned(member=member, facts=Paid(amount=…, source=…, at=now), now=now)
ledger.post(Move(…), *points.entries, source=…)
"""

from members.services.points.accounts import Accounts, of
from members.services.points.earning import Paid, Proposal, earned
from members.services.points.forfeiting import forfeited
from members.services.points.maturing import final, mature_due
from members.services.points.referrals import refer, reward_due
from members.services.points.spending import spent
from members.services.points.taking_back import TakenBack, taken_back

__all__ = [
    "Accounts",
    "Paid",
    "Proposal",
    "TakenBack",
    "earned",
    "final",
    "forfeited",
    "mature_due",
    "of",
    "refer",
    "reward_due",
    "spent",
    "taken_back",
]
