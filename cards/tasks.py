"""What time does to cards and account numbers."""

from datetime import datetime, timedelta

from cards.services import debts, ending, lapsing, monthly_fees, purposes, sweeping
from paymentsite.core.jobs import job


@job("cards.expire", daily="00:05")
def expire(*, now: datetime) -> str:
    return f"{ending.expire_due(now=now)} expired"


@job("cards.expire_purposes", daily="00:10")
def expire_purposes(*, now: datetime) -> str:
    return f"{purposes.expire_due(now=now)} expired"


@job("cards.warn_of_expiry", daily="09:00")
def warn_of_expiry(*, now: datetime) -> str:
    return f"{ending.warn_of_expiry(now=now)} warned"


@job("cards.take_monthly_fees", daily="06:00")
def take_monthly_fees(*, now: datetime) -> str:
    paid = monthly_fees.try_again(now=now)
    return f"{monthly_fees.take_due(now=now)} due, {paid} of before paid"


@job("cards.lapse_uses", due=lapsing.next_due)
def lapse(*, now: datetime) -> str:
    return f"{lapsing.lapse_due(now=now)} lapsed"


@job("cards.lapse_uses_nightly", daily="00:00")
def lapse_nightly(*, now: datetime) -> str:
    """Also where nothing is due any more: a use that was stuck, and was taken since, is before nobody then."""
    return f"{lapsing.lapse_due(now=now)} lapsed"


@job("cards.sweep", daily="00:15")
def sweep(*, now: datetime) -> str:  # noqa: ARG001  what is left can go whenever it can
    return f"{sweeping.sweep_all()} swept"


@job("cards.repay_debts", every=timedelta(minutes=1), stops=False, where=debts.owing)
def repay(*, now: datetime) -> str:  # noqa: ARG001  what has come is there, whenever it is looked at
    return f"{debts.repay_all()} paid"
