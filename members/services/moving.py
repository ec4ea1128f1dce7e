"""Members who move to another time zone, and what follows them in higher apps."""

from collections.abc import Callable
from typing import Final

from members.models import Member

Follow = Callable[[Member], None]
_followers: Final[dict[str, Follow]] = {}


def follows(name: str) -> Callable[[Follow], Follow]:
    """Register what follows a member to another time zone: it is given the member, locked and written, in the
    transaction that moves them."""

    def register(work: Follow) -> Follow:
        if name in _followers:
            raise TypeError(f"{name} follow members already")
        _followers[name] = work
        return work

    return register


def followed(member: Member) -> None:
    """Everything has followed the member to the time zone that they have now."""
    for work in _followers.values():
        work(member)
