from members.admin import kyc, members, pins, rewards, signins, tiers

__all__ = ["kyc", "members", "pins", "rewards", "signins", "tiers"]
