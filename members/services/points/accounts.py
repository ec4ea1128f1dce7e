"""Where a member's points are kept, and the house's side of them."""

from dataclasses import dataclass
from typing import Final

from members.models import Member
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account
from paymentsite.ledger.services import manual

POINTS: Final = "PTS"
QUALIFYING: Final = "QPT"
# Purchases, lots and progress say what is on these, so that an amount moved by hand would contradict them.
KEPT: Final = ("points_pending", "points_debt", "qualifying")
manual.keep(*KEPT)


@dataclass(frozen=True, slots=True)
class Accounts:
    """A member's four: spendable points, those that wait, those owed (negative), those that count towards a tier."""

    points: Account
    pending: Account
    debt: Account
    qualifying: Account


def of(member: Member) -> Accounts:
    """The member's accounts, opened when there are none yet."""
    known = {
        account.code: account
        for account in Account.objects.filter(
            owner=member.owner, code__in=["points", "points_pending", "points_debt", "qualifying"]
        )
    }
    return Accounts(
        points=known.get("points") or _open(member, "points", POINTS, lots=True),
        pending=known.get("points_pending") or _open(member, "points_pending", POINTS),
        debt=known.get("points_debt") or _open(member, "points_debt", POINTS, floor_minor=None),
        qualifying=known.get("qualifying") or _open(member, "qualifying", QUALIFYING),
    )


def _open(member: Member, code: str, unit: str, *, floor_minor: int | None = 0, lots: bool = False) -> Account:
    return ledger.open_account(
        owner=member.owner, code=code, unit=unit, kind=Account.Kind.LIABILITY, floor_minor=floor_minor, lots=lots
    )


def owed(accounts: Accounts) -> int:
    """How many points the member owes; their row is locked by the caller."""
    return -min(0, books.standing(accounts.debt).posted.minor)


def issuer() -> Account:
    """Where points come from and go back to."""
    return ledger.house("points", POINTS)


def rewards() -> Account:
    """Where points go that were spent."""
    return ledger.house("rewards", POINTS)


def standard() -> Account:
    """Where qualifying points come from and go back to."""
    return ledger.house("qualifying", QUALIFYING)


def pts(points: int) -> Money:
    return Money(points, POINTS)


def qpt(points: int) -> Money:
    return Money(points, QUALIFYING)
