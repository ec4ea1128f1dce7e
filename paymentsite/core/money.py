"""Money: a whole number of a unit's smallest parts. Never a float."""

from dataclasses import dataclass
from typing import Final

from iso4217 import Currency

from paymentsite.core.errors import Invalid


class UnknownUnit(Invalid):
    code = "unknown_unit"
    sentence = "{unit} is neither an ISO 4217 currency nor a unit of ours."


class UnitMismatch(Invalid):
    code = "unit_mismatch"
    sentence = "{left} and {right} cannot be counted together."


OWN_UNITS: Final = {"PTS": 0, "QPT": 0}


@dataclass(frozen=True, slots=True)
class Unit:
    """What an amount is counted in; ``scale`` is how many decimals its smallest part has."""

    code: str
    scale: int

    @classmethod
    def of(cls, code: str) -> "Unit":
        """The unit called ``code``; raises ``UnknownUnit``."""
        try:
            return UNITS[code]
        except KeyError:
            raise UnknownUnit(unit=code) from None

    def __str__(self) -> str:
        return self.code


UNITS: Final[dict[str, Unit]] = {
    **{c.code: Unit(c.code, c.exponent) for c in Currency if c.exponent is not None},
    **{code: Unit(code, scale) for code, scale in OWN_UNITS.items()},
}


@dataclass(frozen=True, slots=True)
class Money:
    """``minor`` smallest parts of ``unit`` (a unit's code)."""

    minor: int
    unit: str
