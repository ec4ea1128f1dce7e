"""Money: a whole number of a unit's smallest parts. Never a float.

Values made by our own code are trusted, so that making one costs nothing; what comes from outside goes
through ``Money.parse`` or ``Money.from_wire``, which refuse with a code.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext_noop

from paymentsite.core.errors import Invalid
from paymentsite.core.rounding import Rounding, divide
from paymentsite.core.units import SCALES, decimal_text

MINOR_MAX: Final = 2**63 - 1
MINOR_MIN: Final = -(2**63)


class UnknownUnit(Invalid):
    code = "unknown_unit"
    sentence = gettext_noop("{unit} is neither an ISO 4217 currency nor a unit of ours.")


class UnitMismatch(Invalid):
    code = "unit_mismatch"
    sentence = gettext_noop("{left} and {right} cannot be counted together.")


class AmountMalformed(Invalid):
    code = "amount_malformed"
    sentence = gettext_noop("“{given}” is not an amount. Write it like 1250 or 12.50.")


class AmountTooFine(Invalid):
    code = "amount_too_fine"
    sentence = gettext_noop("“{given}” has more decimals than the {scale} of {unit}.")


class AmountNegative(Invalid):
    code = "amount_negative"
    sentence = gettext_noop("“{given}” is negative, which is not possible here.")


class AmountOutOfRange(Invalid):
    code = "amount_out_of_range"
    sentence = gettext_noop("“{given}” is larger than any amount can be.")


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
            raise UnknownUnit(unit=_echo(code)) from None

    def __str__(self) -> str:
        return self.code


UNITS: Final[dict[str, Unit]] = {code: Unit(code, scale) for code, scale in SCALES.items()}


@dataclass(frozen=True, slots=True)
class Money:
    """``minor`` smallest parts of ``unit`` (a unit's code)."""

    minor: int
    unit: str

    @classmethod
    def zero(cls, unit: str) -> "Money":
        return cls(0, unit)

    @classmethod
    def parse(cls, text: object, unit: str, *, signed: bool = False) -> "Money":
        """The amount that a person or a file wrote as ``text``, such as ``"12.5"``: exactly that, or refused.

        ASCII digits and at most one point; no other sign than a minus, and that only where ``signed``. A
        decimal beyond the unit's scale is refused even when it is a zero: its writer meant another unit.
        """
        scale = Unit.of(unit).scale
        written = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
        if written is None:
            raise AmountMalformed(given=_echo(text))

        whole, decimals = written["whole"], written["decimals"] or ""
        if len(decimals) > scale:
            raise AmountTooFine(given=_echo(text), unit=unit, scale=scale)
        digits = (whole + decimals.ljust(scale, "0")).lstrip("0") or "0"
        if len(digits) > _DIGITS_MAX:  # int() of a million digits would take a second
            raise AmountOutOfRange(given=_echo(text))

        return _admitted(-int(digits) if written["minus"] else int(digits), unit, given=text, signed=signed)

    @classmethod
    def from_wire(cls, value: object, *, signed: bool = False) -> "Money":
        """The amount in ``{"amount": 1250, "currency": "CNY"}``: minor units, and nothing else beside."""
        match value:
            case {"amount": minor, "currency": str(unit), **rest} if type(minor) is int and not rest:
                return _admitted(minor, Unit.of(unit).code, given=minor, signed=signed)
        raise AmountMalformed(given=_echo(value))

    def to_wire(self) -> dict[str, Any]:
        return {"amount": self.minor, "currency": self.unit}

    def __str__(self) -> str:
        return f"{decimal_text(self.minor, SCALES[self.unit])} {self.unit}"

    @property
    def decimal(self) -> Decimal:
        """The amount in whole units, exactly: 1250 minor units of CNY are ``Decimal("12.50")``."""
        return Decimal(decimal_text(self.minor, SCALES[self.unit]))

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._like(other), self.unit)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._like(other), self.unit)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.unit)

    def __abs__(self) -> "Money":
        return Money(abs(self.minor), self.unit)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._like(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._like(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._like(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._like(other)

    def _like(self, other: "Money") -> int:
        if other.unit != self.unit:
            raise UnitMismatch(left=self.unit, right=other.unit)
        return other.minor

    def split(self, weights: int | Sequence[int]) -> list["Money"]:
        """Shares in proportion to ``weights`` (a number means that many equal ones); together they are it.

        By largest remainder, the earlier share first where remainders tie; each share is within one smallest
        part of its exact quota. A debt splits as the mirror of the same claim.
        """
        shares = [1] * weights if isinstance(weights, int) else list(weights)
        total = sum(shares)
        if total <= 0 or min(shares) < 0:
            raise ValueError(f"cannot split by {weights!r}: weights are not negative, and some are positive")

        sign = -1 if self.minor < 0 else 1
        quotas = [divmod(abs(self.minor) * share, total) for share in shares]
        left = abs(self.minor) - sum(whole for whole, _ in quotas)
        rounded_up = set(sorted(range(len(quotas)), key=lambda place: (-quotas[place][1], place))[:left])
        return [Money(sign * (whole + (place in rounded_up)), self.unit) for place, (whole, _) in enumerate(quotas)]

    def share(self, ratio: Decimal, *, rounding: Rounding) -> "Money":
        """``ratio`` of this amount: ``share(Decimal("0.025"), rounding=…)`` is 2.5 percent of it."""
        numerator, denominator = ratio.as_integer_ratio()
        return within_range(divide(self.minor * numerator, denominator, rounding), self.unit)

    def basis_points(self, points: int, *, rounding: Rounding) -> "Money":
        """``points`` hundredths of a percent of this amount: 250 are 2.5 percent."""
        return within_range(divide(self.minor * points, 10_000, rounding), self.unit)


_WRITTEN: Final = re.compile(r"(?P<minus>-)?(?P<whole>[0-9]+)(?:\.(?P<decimals>[0-9]+))?")
_DIGITS_MAX: Final = len(str(MINOR_MAX))
_ECHO_MAX: Final = 40
_ECHOED_MAX: Final = 10**_ECHO_MAX


def within_range(minor: int, unit: str) -> Money:
    """``minor`` as money, when the books can hold it; raises ``AmountOutOfRange``."""
    if not MINOR_MIN <= minor <= MINOR_MAX:
        raise AmountOutOfRange(given=_echo(minor))
    return Money(minor, unit)


def _admitted(minor: int, unit: str, *, given: object, signed: bool) -> Money:
    if minor < 0 and not signed:
        raise AmountNegative(given=_echo(given))
    return within_range(minor, unit)


def _echo(given: object) -> str:
    """The beginning of what was given: enough to recognise it, too little to flood a log."""
    match given:
        case str():
            text = given
        case None | bool() | float():
            text = repr(given)
        case int() if abs(given) < _ECHOED_MAX:
            text = str(given)
        case _:
            # Its text may be endless, cost a second to make, or hold what nobody should read.
            text = type(given).__name__
    return text if len(text) <= _ECHO_MAX else f"{text[:_ECHO_MAX]}…"
