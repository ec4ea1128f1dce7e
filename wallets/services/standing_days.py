"""The due days of a standing order."""

from datetime import date, timedelta

from paymentsite.core import clock
from wallets import calendar
from wallets.models import StandingOrder, StandingRun


def following(order: StandingOrder, day: date) -> date | None:
    """The due day after ``day``, unless the order ends before."""
    found = calendar.first_after(order.starts_on, order.every, day)
    return None if found is None or (order.ends_on and found > order.ends_on) else found


def first_to_come(order: StandingOrder) -> date | None:
    """The first due day whose hour is yet to come, and of which nothing has become yet."""
    if order.count is not None and order.runs_done >= order.count:
        return None
    now = clock.now()
    day = clock.day_of(now, order.member.time_zone) - timedelta(days=1)
    last = StandingRun.objects.filter(order=order).order_by("-due_on").values_list("due_on", flat=True).first()
    found = following(order, max(day, last) if last else day)
    while found is not None and calendar.moment(found, order.member.zone) <= now:
        found = following(order, found)
    return found
