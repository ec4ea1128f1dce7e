"""Fees: what an act costs a member, said before and taken after."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models

from members.models import Member
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account


class Kind(models.TextChoices):
    TRANSFER = "transfer"
    WITHDRAWAL = "withdrawal"
    TOP_UP = "top_up"
    EXCHANGE = "exchange"


@dataclass(frozen=True, slots=True)
class Quote:
    amount: Money
    fee: Money

    @property
    def total(self) -> Money:
        return self.amount + self.fee


def quote(*, member: Member, kind: Kind, amount: Money, now: datetime) -> Quote:  # noqa: ARG001
    """What ``amount`` costs."""
    return Quote(amount, Money.zero(amount.unit))


def entries(quoted: Quote, account: Account) -> list[ledger.Move]:
    """The fee out of ``account``; nothing at zero."""
    if not quoted.fee.minor:
        return []
    return [ledger.Move(quoted.fee, account, ledger.house("fees", quoted.fee.unit))]


def take(*, quote: Quote, source: str, now: datetime) -> Quote:  # noqa: ARG001
    return quote


def give_back(*, source: str, now: datetime) -> None:
    """What ``source`` took counts no more."""
