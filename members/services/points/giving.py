"""Making points the member's own: a debt first, the rest as points that expire by their rule."""

from datetime import date, datetime
from typing import Final

from members.earn_terms import end_of_next_year, months_later
from members.models import Earning, EarnRule
from members.services.points.accounts import Accounts, pts
from paymentsite.core import clock
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account
from paymentsite.ledger.models.lots import NEVER

# One origin for all that is earned: lots of one expiry day are then one row, however many purchases they came from.
ORIGIN: Final = "earned"

Expiry = EarnRule.Expiry


def expires_on(rule: EarnRule, day: date) -> date:
    """The last day of points given on ``day`` by ``rule``."""
    match rule.expiry:
        case Expiry.MONTHS:
            return months_later(day, rule.expiry_months)
        case Expiry.NEXT_YEAR:
            return end_of_next_year(day)
    return NEVER


def give(
    earning: Earning, *, source: Account, accounts: Accounts, owed: int, day: date, now: datetime
) -> list[ledger.Entry]:
    """What moves the earning's points from ``source`` to their member, ``owed`` of them into the debt first.

    Sets the earning's columns; saving them is the caller's.
    """
    points = earning.points - earning.taken_pending
    earning.repaid_debt = min(owed, points)
    earning.given_points = points - earning.repaid_debt
    earning.state, earning.given_at = Earning.State.GIVEN, now

    entries: list[ledger.Entry] = []
    if earning.repaid_debt:
        entries.append(ledger.Move(pts(earning.repaid_debt), source, accounts.debt))
    if earning.given_points:
        last, today = expires_on(earning.rule, day), clock.day_of(now)
        if last < today:
            # Given so late that it would be dead by now, it lives as long from now on.
            last = expires_on(earning.rule, today)
        earning.expires_on = last
        terms = ledger.Terms(ORIGIN, expires_on=last)
        entries.append(ledger.Move(pts(earning.given_points), source, accounts.points, terms))
    return entries
