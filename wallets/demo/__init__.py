"""A member with money in two currencies, a saved card and bank accounts, in a sandbox."""

from collections.abc import Iterator

from members import demo
from members.models import User
from members.services import members
from wallets.demo import exchange, fees, gateways, instruments, transfers


def fill() -> Iterator[str]:
    """What there is to show of wallets exists; run again, nothing is added but rates of the hour."""
    member = members.join(user=User.objects.get(email=demo.MEMBER[0]))
    fees.fill()
    yield from exchange.fill(member)
    yield from gateways.fill(member)
    yield from instruments.fill(member)
    yield from transfers.fill(member)
