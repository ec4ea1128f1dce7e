"""What a member pays for an act."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from members.models import Member
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account


class Kind(models.TextChoices):
    TRANSFER = "transfer", _("transfer")
    WITHDRAWAL = "withdrawal", _("withdrawal")
    TOP_UP = "top_up", _("top-up")
    EXCHANGE = "exchange", _("exchange")


@dataclass(frozen=True, slots=True)
class Quote:
    amount: Money
    fee: Money

    @property
    def total(self) -> Money:
        return self.amount + self.fee


def quote(*, member: Member, kind: Kind, amount: Money, now: datetime) -> Quote:
    """The fee for ``amount``."""
    del member, kind, now
    return Quote(amount, Money.zero(amount.unit))


def entries(quoted: Quote, account: Account) -> list[ledger.Move]:
    """The fee out of ``account``; nothing at zero."""
    if not quoted.fee.minor:
        return []
    return [ledger.Move(quoted.fee, account, ledger.house("fees", quoted.fee.unit))]
