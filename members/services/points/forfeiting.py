"""Forfeiting: what a member who leaves gives up for ever."""

from datetime import date, datetime

from members.models import Earning, Member
from members.services.points import accounts, maturing
from members.services.points.accounts import Accounts, pts
from paymentsite.core import clock
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Lot


def forfeited(*, member: Member, now: datetime) -> list[ledger.Entry]:
    """What moves all points of the member, who is locked and owes none, to the house's breakage; nothing for none.

    What is pending is given first, in journals of this transaction: an earning then ends like any other, and a refund
    that comes later finds what it always finds. The caller posts the entries in the same transaction.
    """
    theirs = accounts.of(member)
    for pk in Earning.objects.pending().filter(member=member).order_by("pk").values_list("pk", flat=True):
        maturing.give_early(pk, theirs, now)

    dead = Lot.objects.dead(clock.day_of(now)).filter(account=theirs.points).exists()
    alive = Lot.objects.filter(account=theirs.points).alive(clock.day_of(now))
    return given_up(theirs, alive=sum(lot.left_minor for lot in alive), dead=dead, today=clock.day_of(now))


def given_up(theirs: Accounts, *, alive: int, dead: bool, today: date) -> list[ledger.Entry]:
    """What moves ``alive`` points to the house's breakage, and with ``dead`` all that have expired by ``today``."""
    breakage = ledger.house("breakage", accounts.POINTS)
    entries: list[ledger.Entry] = []
    if dead:
        entries.append(ledger.Lapse(theirs.points, breakage, today))
    if alive:
        entries.append(ledger.Move(pts(alive), theirs.points, breakage))
    return entries
