"""Where somebody is signed in, and the end of it."""

from allauth.usersessions.models import UserSession

from members.models import User
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.services import audit


def of(user: User) -> list[UserSession]:
    """The sessions of ``user`` that still stand, newest first."""
    standing: list[UserSession] = UserSession.objects.purge_and_list(user)
    return sorted(standing, key=lambda session: session.created_at, reverse=True)


@act
def end(*, user: User, session_id: int, by: Actor) -> bool:
    """One session of ``user`` is over; False when it is none of theirs or was over before."""
    found = UserSession.objects.filter(user=user, pk=session_id).first()
    if found is None:
        return False
    found.end()
    audit.record(by=by, act="session.ended", subject=f"members.user:{user.pk}")
    return True


@act
def end_all(*, user: User, by: Actor, but: str = "") -> int:
    """Every session of ``user`` is over, but for the one whose key is given; how many were."""
    others = list(UserSession.objects.filter(user=user).exclude(session_key=but))
    for session in others:
        session.end()
    if others:
        audit.record(by=by, act="session.ended_all", subject=f"members.user:{user.pk}", after={"ended": len(others)})
    return len(others)
