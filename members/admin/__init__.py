from members.admin import earning, kyc, limits, members, notices, pins, points_report, rewards, signins, tiers

__all__ = ["earning", "kyc", "limits", "members", "notices", "pins", "points_report", "rewards", "signins", "tiers"]
