"""Limits: how much a member may move, of what kind, how often."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from members.models import Member
from paymentsite.core.money import Money


class Kind(models.TextChoices):
    TOP_UP = "top_up", _("top-up")
    TRANSFER = "transfer", _("transfer")
    WITHDRAWAL = "withdrawal", _("withdrawal")
    PAYMENT = "payment", _("payment")
    CARD = "card", _("card")


def take(*, member: Member, kind: Kind, amount: Money, source: str, now: datetime) -> None:
    """Count ``amount`` against every limit of ``kind``, once per ``source``; refused when one would be exceeded.

    The member is locked by the caller.
    """


def give_back(*, source: str, now: datetime) -> None:
    """What ``source`` took counts no more: it did not happen."""


def check_balance(*, member: Member, after: Money) -> None:
    """Refuse what would leave more than a member of this level may hold in one currency."""


@dataclass(frozen=True, slots=True)
class Left:
    """What one limit leaves."""


def left(member: Member, now: datetime) -> list[Left]:
    """What the member may still move, limit by limit."""
    del member, now
    return []
