"""People to sign in as. Their passwords are known to everybody, so there are none outside a sandbox."""

from collections.abc import Iterator
from typing import Final

from members.demo import limits, people, points, rewards, tiers
from members.services import rights
from paymentsite.core.actors import SYSTEM

OPERATOR: Final = ("operator@example.com", "walnut-harbour-42")
MEMBER: Final = (people.MEMBER.email, people.MEMBER.password)


def fill() -> Iterator[str]:
    """An operator and four members exist, their addresses confirmed; says how to sign in as each."""
    operator = people.person(*OPERATOR)
    if not rights.on_record(operator):
        operator = rights.appoint(user=operator, superuser=True, by=SYSTEM, reason="demo")
    limits.fill()
    people.fill(operator)
    tiers.fill()
    rewards.fill()
    points.fill()
    yield f"  operator  {OPERATOR[0]}  {OPERATOR[1]}"
    yield f"  member    {MEMBER[0]}    {MEMBER[1]}"
    for sample in people.OTHERS:
        yield f"  member    {sample.email:<20}  {sample.password}"
    yield f"  payment PIN of each member  {people.PIN}"
