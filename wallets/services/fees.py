"""Fees: what an act costs a member, said before and taken after."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models

from members.models import Member
from paymentsite.core.money import Money


class Kind(models.TextChoices):
    TRANSFER = "transfer"
    WITHDRAWAL = "withdrawal"
    TOP_UP = "top_up"
    EXCHANGE = "exchange"


@dataclass(frozen=True, slots=True)
class Quote:
    fee: Money


def quote(*, member: Member, kind: Kind, amount: Money, now: datetime) -> Quote:  # noqa: ARG001
    """What ``amount`` costs."""
    return Quote(Money.zero(amount.unit))


def take(*, quote: Quote, source: str, now: datetime) -> Quote:  # noqa: ARG001
    return quote


def give_back(*, source: str, now: datetime) -> None:
    """What ``source`` took counts no more."""
