from members.admin import earning, kyc, members, pins, points_report, rewards, signins, tiers

__all__ = ["earning", "kyc", "members", "pins", "points_report", "rewards", "signins", "tiers"]
