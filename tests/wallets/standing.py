"""Standing orders to arrange tests with, and the days on which they are due."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from members.services import pins
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from tests.members.factories import member
from wallets.models import StandingOrder, StandingRun, Wallet
from wallets.services import standing_orders, standing_runs
from wallets.services.standing_orders import Plan

STAFF = Actor("staff", "0")
PIN = Secret("739154")
BEGIN = date(2031, 1, 31)
Every = StandingOrder.Every


@contextmanager
def at(day: date, hour: int = 9, zone: str = "Asia/Shanghai") -> Iterator[datetime]:
    """It is that hour of that day where the member lives."""
    moment = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    with clock.standing(moment):
        yield moment


def ordered(purse: Wallet, minor: int = 100, *, every: Every = Every.MONTH, **fields: Any) -> StandingOrder:
    plan = Plan(
        every, fields.pop("starts_on", BEGIN), ends_on=fields.pop("ends_on", None), count=fields.pop("count", None)
    )
    if not pins.is_set(purse.member):
        pins.set_pin(member=purse.member, pin=PIN, by=SYSTEM)
    return standing_orders.make(
        member=purse.member,
        payee=fields.pop("to") if "to" in fields else member(),
        amount=Money(minor, "CNY"),
        plan=plan,
        **{"reference": "s", "by": Actor.of(purse.member.user), "pin": PIN, **fields},
    )


def run_at(day: date, hour: int = 9, zone: str = "Asia/Shanghai") -> int:
    with at(day, hour, zone) as now:
        return standing_runs.carry_out(now=now)


def fates(order: StandingOrder) -> list[tuple[str, str]]:
    return [(run.due_on.isoformat(), run.state) for run in StandingRun.objects.filter(order=order).order_by("due_on")]


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with at(BEGIN - timedelta(days=1)):
        yield
