from members.admin import members, pins, signins

__all__ = ["members", "pins", "signins"]
