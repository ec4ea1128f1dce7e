"""Exchange: one unit given, another one taken, at a rate that is kept."""

from datetime import datetime

from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.core.rates import Rate
from paymentsite.core.rounding import Rounding
from paymentsite.ledger.entries import Move, Posted
from paymentsite.ledger.models import Account
from paymentsite.ledger.services.accounts import house
from paymentsite.ledger.services.journals import post


def exchange(  # noqa: PLR0913  all named, none can be swapped
    *,
    sold: Money,
    source: Account,
    target: Account,
    rate: Rate,
    rounding: Rounding,
    reference: str,
    scope: str = "ledger",
    occurred_at: datetime | None = None,
    by: Actor = SYSTEM,
    origin: str = "",
) -> Posted:
    """Turn ``sold`` on ``source`` into what ``rate`` makes of it on ``target``.

    Each unit goes through our position in it, so that every unit balances by itself and what we are long or short of
    can be read at any time. The rate is kept with the journal.
    """
    bought = rate.convert(sold, rounding=rounding)
    details = {
        "rate": str(rate.value),
        "base": rate.base,
        "quote": rate.quote,
        "rate_source": rate.source,
        "rate_at": rate.at.isoformat(),
        "rounding": rounding.value,
    }
    return post(
        Move(sold, source, house("position", sold.unit)),
        Move(bought, house("position", bought.unit), target),
        kind="exchange",
        reference=reference,
        scope=scope,
        occurred_at=occurred_at,
        by=by,
        source=origin,
        details=details,
    )
