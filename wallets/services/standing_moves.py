"""Standing orders go at nine where their member lives, also when they move."""

from django.db.models import Exists, OuterRef

from members.models import Member
from members.services import moving
from paymentsite.core import clock
from wallets import calendar
from wallets.models import StandingOrder, StandingRun
from wallets.services.standing_orders import change


@moving.follows("standing orders")
def follow(member: Member) -> None:
    """Each due day to come is done at nine where the member lives now; at once where it is later there already.

    A day that was refused is tried once more when it was to be, and one that is late already stays late.
    """
    now = clock.now()
    tried = StandingRun.objects.filter(order=OuterRef("pk"), due_on=OuterRef("next_on"))
    for order in StandingOrder.objects.active().filter(~Exists(tried), member=member, next_at__gt=now):
        if order.next_on:
            change(order, next_at=max(now, calendar.moment(order.next_on, member.zone)))
