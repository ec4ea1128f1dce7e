"""Rates to arrange exchanges with."""

from datetime import datetime, timedelta
from decimal import Decimal

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.rates import Rate
from wallets.models import ExchangeRate
from wallets.services import rates


def told(base: str, quote: str, value: str, *, source: str = "test feed", at: datetime | None = None) -> ExchangeRate:
    moment = at or clock.now() - timedelta(seconds=1)
    [row] = rates.take_in(rates=[Rate(base, quote, Decimal(value), source, moment)], by=SYSTEM)
    return row
