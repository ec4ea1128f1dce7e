"""Points spent on something of ours."""

from members.models import Member
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account


def spent(*, member: Member, points: Money) -> list[ledger.Move]:
    """The entries by which ``member`` pays ``points``; the ledger takes what expires first, or refuses."""
    account = ledger.open_account(
        owner=member.owner, code="points", unit=points.unit, kind=Account.Kind.LIABILITY, lots=True
    )
    return [ledger.Move(points, account, ledger.house("rewards", points.unit))]
