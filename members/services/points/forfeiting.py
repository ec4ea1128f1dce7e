"""Forfeiting: what a member who leaves gives up for ever."""

from datetime import datetime

from members.models import Earning, Member
from members.services.points import accounts, maturing
from members.services.points.accounts import pts
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

    breakage = ledger.house("breakage", accounts.POINTS)
    entries: list[ledger.Entry] = []
    if Lot.objects.dead(clock.day_of(now)).filter(account=theirs.points).exists():
        entries.append(ledger.Lapse(theirs.points, breakage, clock.day_of(now)))
    alive = Lot.objects.filter(account=theirs.points).alive(clock.day_of(now))
    if left := sum(lot.left_minor for lot in alive):
        entries.append(ledger.Move(pts(left), theirs.points, breakage))
    return entries
