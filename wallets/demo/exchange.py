"""Rates of a sample source, and money in two currencies."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from members.models import Member
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.errors import DomainError
from paymentsite.core.money import Money
from paymentsite.core.rates import Rate
from paymentsite.ledger import services as ledger
from wallets.models import Exchange, ExchangeRate
from wallets.services import exchanges, rates, wallets

_SOURCE: Final = "sample"
_IN_CNY: Final = {"USD": "7.1043", "EUR": "7.8312", "GBP": "9.0125", "JPY": "0.0467", "HKD": "0.9121"}
_OUT_OF_CNY: Final = {"USD": "0.140760", "EUR": "0.127694", "GBP": "0.110957", "JPY": "21.4133", "HKD": "1.096371"}


def fill(member: Member) -> Iterator[str]:
    """Sample rates of today are there, and the member exchanged once; run again, only the rates are renewed."""
    _rates()
    if not Exchange.objects.filter(member=member).exists():
        _exchange(member)
    yield f"  exchange  sample rates: {ExchangeRate.objects.count()}, exchanges: {Exchange.objects.count()}"


def _rates() -> None:
    at = clock.now().replace(minute=0, second=0, microsecond=0)
    told = [Rate(base, "CNY", Decimal(value), _SOURCE, at) for base, value in _IN_CNY.items()]
    told += [Rate("CNY", quote, Decimal(value), _SOURCE, at) for quote, value in _OUT_OF_CNY.items()]
    rates.take_in(rates=told, by=SYSTEM)


def _exchange(member: Member) -> None:
    by = Actor.of(member.user)
    yuan = wallets.open(member=member, currency="CNY", by=by)
    ledger.post(
        ledger.Move(Money(2_000_00, "CNY"), ledger.house("cash", "CNY"), yuan.account),
        reference=f"exchange of {member.pk}",
        scope="sample.wallets",
        kind="top_up",
    )
    try:
        offer = exchanges.quote(member=member, sell=Money(700_00, "CNY"), buy_currency="USD", now=clock.now())
        exchanges.accept(quote=offer, reference="sample", by=by)
    except DomainError:
        return  # the operator's limits do not allow it; then there is no sample of it
