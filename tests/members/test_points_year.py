"""A year of points by the nightly jobs alone: pending, given, warned of, lapsed; taken back in between."""

from datetime import date

import pytest

from members.models import Earning, Notice
from members.queries import points as queries
from members.services import points
from paymentsite.core import clock, jobs, verification
from tests.members.factories import member
from tests.members.pointing import house, pay, refund, rule, spend, standing

pytestmark = [pytest.mark.story, pytest.mark.django_db(transaction=True)]


JOBS = (
    "ledger.lapse_lots",
    "members.mature_points",
    "members.mature_points_nightly",
    "members.reward_referrals",
    "members.warn_of_expiry",
)


@pytest.fixture(scope="module")
def schedule():
    """The jobs that points live by; a clock that stops for those of all apps takes minutes for a year."""
    own = jobs.Schedule()
    own.jobs = {name: jobs.schedule.jobs[name] for name in JOBS}
    return own


@pytest.fixture
def on_the(schedule):
    """``on_the(day)``: the clock goes on to noon of the business; every job on the way runs at its moment."""

    def go_on(day):
        to = clock.now().replace(year=day.year, month=day.month, day=day.day, hour=4, minute=0)
        return clock.advance(to=to, schedule=schedule)

    return go_on


def test_year_of_points(on_the):
    rule(pending="days", pending_days=14, expiry="months", expiry_months=3, qualifies=True, take_back="debt")
    rule("bring", kind="referral", points=50, expiry="next_year")
    ada, bo = member(), member()
    year = clock.today().year + 1

    on_the(date(year, 1, 10))
    points.refer(member=bo, referrer=ada, now=clock.now())
    pay(ada, 300_00, source="p1")
    pay(bo, 80_00, source="p2")
    points.final(source="p2", now=clock.now())
    assert (standing(ada), standing(bo)) == ((0, 300, 0, 300), (0, 80, 0, 80))

    on_the(date(year, 1, 25))
    assert (standing(ada), standing(bo)) == ((350, 0, 0, 300), (80, 0, 0, 80))
    assert queries.balance(ada, clock.now()).expiring == ()

    spend(bo, 80, reference="gone")
    refund("p2", 30_00, cause="r1")
    assert standing(bo) == (0, 0, -30, 50)

    on_the(date(year, 4, 2))
    assert list(Notice.objects.values_list("member", "subject")) == [(ada.pk, f"points:{year}-04-30:30")]
    spend(ada, 100, reference="some")
    on_the(date(year, 4, 25))
    assert Notice.objects.filter(member=ada).count() == 2
    on_the(date(year, 5, 1))
    assert (standing(ada), house("breakage")) == ((50, 0, 0, 300), 200)

    refund("p1", cause="r2")
    assert Earning.objects.get(source="p1").lapsed == 200
    # A hundred had been spent: fifty of other points paid for them, the rest is owed.
    assert standing(ada) == (0, 0, -50, 0)

    pay(ada, 90_00, source="p3")
    on_the(date(year, 12, 31))
    assert (standing(ada), house("breakage")) == ((0, 0, 0, 90), 240)
    assert verification.discover().run(only=["members", "ledger"]).findings == []
