"""What an amount at a merchant comes to on a card: in the card's currency, with margin and fee."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cards import merchant_kinds
from cards.control_rules import Entry
from cards.merchant_kinds import Group
from cards.messages import Merchant, Told
from cards.models import CardProduct
from paymentsite.core.money import Money
from paymentsite.core.rounding import Rounding
from wallets import conversion
from wallets.services import rates
from wallets.services.rates import RateMissing, RateStale

_PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Charge:
    """Four amounts: at the merchant, settled by the network, on the card (margin and fee in it), set aside.

    ``there`` is the first in the currency in which the use is counted; ``settled`` is what goes to the network in its
    currency; ``own`` is that in the card's. ``judged`` is what funds and limits are asked for: the third, or the last
    where the merchant is yet to find out how much it will be.
    """

    merchant: Money
    there: int
    settled: Money
    own: Money
    margin: Money
    fee: Money
    aside: Money
    judged: Money
    rate: str = ""

    @property
    def total(self) -> Money:
        return self.own + self.margin + self.fee


@dataclass(frozen=True, slots=True)
class Before:
    """What of a use counts for its next message: what it is counted in at the merchant, and whether a message of that
    kind was charged before."""

    unit: str = ""
    charged: bool = False


def charge(
    product: CardProduct, told: Told, amount: Money, now: datetime, before: Before, *, back: bool, happened: bool
) -> Charge:
    """What ``amount`` comes to; raises what ``rates.current`` does. Of what goes ``back`` we keep nothing.

    What has ``happened`` is counted by the newest rate, however old.
    """
    settled = told.settlement if told.settlement is not None else amount
    none = Money.zero(product.currency)
    rate = ""
    own, margin = settled, none
    if settled.unit != product.currency:
        look = rates.newest if happened else rates.current
        found = look(settled.unit, product.currency, now)
        rate = conversion.text(found.value)
        own = found.convert(settled, rounding=Rounding.DOWN if back else Rounding.UP)
        margin = none if back else _share(own, product.fx_margin_bp)
    fee = none if back or not amount.minor else _fee(product, own, told, before)
    total = own + margin + fee
    aside = none if back else _aside(total, told.merchant)
    open_ended = merchant_kinds.custom(told.merchant.category).open_ended and not back
    judged = aside if open_ended else total
    return Charge(amount, there(amount, before.unit, now), settled, own, margin, fee, aside, judged, rate)


def known(product: CardProduct, told: Told, now: datetime, before: Before) -> Charge | None:
    """The same for a question, or None where there is no rate to count it by."""
    if told.amount is None:
        return None
    try:
        return charge(product, told, told.amount, now, before, back=False, happened=False)
    except (RateMissing, RateStale):
        return None


def there(amount: Money, unit: str, now: datetime) -> int:
    """``amount`` in the currency ``unit`` in which its use is counted at the merchant; raises ``RateMissing``.

    Networks may tell of a part in another currency than was asked in.
    """
    if unit in {"", amount.unit}:
        return amount.minor
    return rates.newest(amount.unit, unit, now).convert(amount, rounding=Rounding.DOWN).minor


def _fee(product: CardProduct, own: Money, told: Told, before: Before) -> Money:
    """For cash, whichever machine or desk gives it: a share of each part, and something once."""
    if told.entry != Entry.ATM and not merchant_kinds.named(told.merchant.category, [Group.CASH]):
        return Money.zero(product.currency)
    fixed = 0 if before.charged else product.cash_fee_minor
    return Money(fixed, product.currency) + _share(own, product.cash_fee_bp)


def _aside(total: Money, merchant: Merchant) -> Money:
    if not total.minor:
        return total
    custom = merchant_kinds.custom(merchant.category)
    more = -(-total.minor * (_PERCENT + custom.aside_percent) // _PERCENT)
    least = Money.parse(str(custom.aside_units), total.unit).minor
    return Money(max(more, least), total.unit)


def _share(amount: Money, bp: int) -> Money:
    return amount.basis_points(bp, rounding=Rounding.UP)
