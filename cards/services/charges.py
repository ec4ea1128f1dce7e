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

    ``settled`` is what goes to the network in its currency; ``own`` is that in the card's.
    """

    merchant: Money
    settled: Money
    own: Money
    margin: Money
    fee: Money
    aside: Money
    rate: str = ""

    @property
    def total(self) -> Money:
        return self.own + self.margin + self.fee


def charge(
    product: CardProduct,
    amount: Money,
    settlement: Money | None,
    merchant: Merchant,
    entry: Entry,
    now: datetime,
    *,
    back: bool = False,
    happened: bool = False,
) -> Charge:
    """What ``amount`` comes to; raises what ``rates.current`` does. Of what goes ``back`` we keep nothing.

    What has ``happened`` is counted by the newest rate, however old.
    """
    settled = settlement if settlement is not None else amount
    none = Money.zero(product.currency)
    rate = ""
    own, margin = settled, none
    if settled.unit != product.currency:
        look = rates.newest if happened else rates.current
        found = look(settled.unit, product.currency, now)
        rate = conversion.text(found.value)
        own = found.convert(settled, rounding=Rounding.DOWN if back else Rounding.UP)
        margin = none if back else _share(own, product.fx_margin_bp)
    fee = none if back or not amount.minor else _fee(product, own, merchant, entry)
    total = own + margin + fee
    return Charge(amount, settled, own, margin, fee, none if back else _aside(total, merchant), rate)


def known(product: CardProduct, told: Told, now: datetime) -> Charge | None:
    """The same for a message, or None where there is no rate to count it by."""
    if told.amount is None:
        return None
    try:
        return charge(product, told.amount, told.settlement, told.merchant, told.entry, now)
    except (RateMissing, RateStale):
        return None


def _fee(product: CardProduct, own: Money, merchant: Merchant, entry: Entry) -> Money:
    """For cash, whichever machine or desk gives it."""
    if entry != Entry.ATM and not merchant_kinds.named(merchant.category, [Group.CASH]):
        return Money.zero(product.currency)
    return Money(product.cash_fee_minor, product.currency) + _share(own, product.cash_fee_bp)


def _aside(total: Money, merchant: Merchant) -> Money:
    if not total.minor:
        return total
    custom = merchant_kinds.custom(merchant.category)
    more = -(-total.minor * (_PERCENT + custom.aside_percent) // _PERCENT)
    least = Money.parse(str(custom.aside_units), total.unit).minor
    return Money(max(more, least), total.unit)


def _share(amount: Money, bp: int) -> Money:
    return amount.basis_points(bp, rounding=Rounding.UP)
