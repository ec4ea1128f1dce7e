from members.admin import members, signins

__all__ = ["members", "signins"]
