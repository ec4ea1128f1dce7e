from members.admin import members, pins, rewards, signins, tiers

__all__ = ["members", "pins", "rewards", "signins", "tiers"]
