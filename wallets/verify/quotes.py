"""Offers to exchange: how long they are good."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from paymentsite.core.ids import is_of
from paymentsite.core.verification import Fault, Run, check
from wallets.models import ExchangeQuote
from wallets.services.exchanges import LASTS_MAX

_SECOND: Final = timedelta(seconds=1)


@check(
    "wallets.quote_lasts_moments",
    "An offer to exchange was made when its id says, and is good for whole seconds, five minutes at most.",
    whole=True,
)
def quote_lasts_moments(run: Run) -> Iterator[Fault]:
    del run
    quotes = ExchangeQuote.objects.order_by("pk").values_list("pk", "public_id", "quoted_at", "expires_at")
    for pk, public_id, quoted_at, expires_at in quotes.iterator(chunk_size=2_000):
        lasts = expires_at - quoted_at
        if lasts > LASTS_MAX or lasts % _SECOND:
            yield f"quote {pk}", f"it is good for {lasts}"
        if not is_of(public_id, quoted_at):
            yield f"quote {pk}", f"it was made at {quoted_at}, by its id at another moment"
