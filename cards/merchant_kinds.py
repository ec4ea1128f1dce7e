"""What kinds of merchants (category codes of ISO 18245) do differently: they charge more than was asked, or later."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Group(TextChoices):
    """Groups of categories that people allow and deny; a code of four digits may be named, too."""

    CASH = "cash", _("cash and what is like it")
    DIGITAL = "digital", _("digital goods and subscriptions")
    DINING = "dining", _("restaurants and bars")
    FUEL = "fuel", _("fuel")
    GAMBLING = "gambling", _("gambling")
    GROCERIES = "groceries", _("groceries")
    HEALTH = "health", _("health")
    TRANSPORT = "transport", _("local transport")
    TRAVEL = "travel", _("travel and lodging")


_RANGES: Final[dict[Group, tuple[tuple[int, int], ...]]] = {
    Group.CASH: ((4829, 4829), (6010, 6012), (6050, 6051), (6211, 6211), (6540, 6540)),
    Group.DIGITAL: ((4816, 4816), (4899, 4899), (5734, 5735), (5815, 5818), (5968, 5968), (7372, 7372)),
    Group.DINING: ((5811, 5814),),
    Group.FUEL: ((5541, 5542), (5552, 5552), (5983, 5983)),
    Group.GAMBLING: ((7800, 7802), (7995, 7995), (9406, 9406)),
    Group.GROCERIES: ((5411, 5411), (5422, 5422), (5441, 5441), (5451, 5451), (5462, 5462), (5499, 5499)),
    Group.HEALTH: ((5122, 5122), (5912, 5912), (8011, 8099)),
    Group.TRANSPORT: ((4111, 4112), (4121, 4121), (4131, 4131), (4784, 4784), (4789, 4789), (7523, 7523)),
    Group.TRAVEL: ((3000, 3999), (4411, 4411), (4511, 4511), (4722, 4722), (7011, 7012), (7512, 7513), (7519, 7519)),
}


@dataclass(frozen=True, slots=True)
class Custom:
    """How a kind of merchants charges.

    ``above_percent`` more than was asked for may be taken in the end, ``aside_percent`` of it is set aside meanwhile;
    ``aside_units`` of the card's currency at least, where it is not known beforehand how much it will be.
    """

    above_percent: int = 0
    aside_percent: int = 0
    aside_units: int = 0
    lasts: timedelta = timedelta(days=7)

    @property
    def open_ended(self) -> bool:
        """Whether what is asked for says nothing of how much it will be: what is set aside does."""
        return self.aside_units > 0


_USUAL: Final = Custom()
_LONG: Final = timedelta(days=30)
_CUSTOMS: Final[tuple[tuple[tuple[int, int], Custom], ...]] = (
    ((5541, 5541), Custom(above_percent=15)),
    # A pump asks for one unit and tells later what was filled.
    ((5542, 5542), Custom(above_percent=15, aside_units=100)),
    ((5811, 5814), Custom(above_percent=20)),
    ((4121, 4121), Custom(above_percent=20)),
    ((7230, 7230), Custom(above_percent=20)),
    ((3351, 3500), Custom(above_percent=15, aside_percent=15, lasts=_LONG)),
    ((7512, 7513), Custom(above_percent=15, aside_percent=15, lasts=_LONG)),
    ((3501, 3999), Custom(above_percent=15, aside_percent=15, lasts=_LONG)),
    ((7011, 7012), Custom(above_percent=15, aside_percent=15, lasts=_LONG)),
    ((4411, 4411), Custom(above_percent=15, aside_percent=15, lasts=_LONG)),
)


def custom(category: str) -> Custom:
    """How merchants of ``category`` charge."""
    number = int(category)
    return next((found for (first, last), found in _CUSTOMS if first <= number <= last), _USUAL)


def named(category: str, names: Iterable[str]) -> bool:
    """Whether ``names``, of groups or categories, name ``category``."""
    number = int(category)
    return any(
        name == category or (name in _RANGES and any(first <= number <= last for first, last in _RANGES[Group(name)]))
        for name in names
    )
