"""Limits to arrange tests with, and moments."""

from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from members.models import Limit, Member, Tier
from members.services import limits, members
from members.services.limits import Kind
from paymentsite.core.ids import EPOCH
from paymentsite.core.money import Money
from tests.factories import cny
from tests.members.factories import UserFactory
from tests.terms import told


def moment(text: str) -> datetime:
    """``2026-11-26 12:00`` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOON = moment("2026-11-26 04:00")  # in Shanghai, on a Thursday


def someone(level: int = 1, **profile: Any) -> Member:
    """A member on whom no limit is in force, so that nothing is allowed to them."""
    member = members.join(user=UserFactory(), **profile)
    Member.objects.filter(pk=member.pk).update(kyc_level=level)
    member.refresh_from_db()
    return member


def cap(minor: int, kind: str = "any", measure: str = "amount", period: str = "day", **fields: Any) -> Limit:
    """A limit, by default on everybody and in CNY."""
    fields = {"currency": "CNY", "starts_at": EPOCH, "set_by": "test:1", **fields}
    return told(Limit.objects.create(kind=kind, measure=measure, period=period, cap=minor, **fields))


def tier(code: str, **fields: Any) -> Tier:
    return told(Tier.objects.create(code=code, name_en=code, **fields))


def take(
    member: Member,
    minor: int | Money,
    source: str = "transfer:1",
    *,
    kind: Kind = Kind.TRANSFER,
    now: datetime = NOON,
) -> None:
    amount = cny(minor) if isinstance(minor, int) else minor
    with transaction.atomic():
        limits.take(member=member, kind=kind, amount=amount, source=source, now=now)


def used(member: Member, now: datetime = NOON) -> dict[str, int | None]:
    return {each.limit.name: each.used for each in limits.left(member, now)}
