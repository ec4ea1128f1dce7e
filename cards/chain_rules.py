"""What a chain of messages comes to: how much stays set aside, how much counts, how it stands.

It follows from which messages there are, never from the order in which they came: networks repeat themselves, overtake
themselves, and are late. Amounts are in smallest parts of the card's currency.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class Stands(StrEnum):
    """How a chain stands."""

    DECLINED = "declined"
    CHECKED = "checked"
    OPEN = "open"
    PART_CAPTURED = "part_captured"
    CAPTURED = "captured"
    REVERSED = "reversed"
    EXPIRED = "expired"
    PART_REFUNDED = "part_refunded"
    REFUNDED = "refunded"
    CREDITED = "credited"


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over a chain's messages.

    ``authorised`` is what was approved, ``aside`` what that set aside (more, where it is not known how much it will
    be), ``refunded`` is less what was taken back of it. ``over``: the last capture came, or all of it was reversed.
    ``lapsed``: its time was over. ``approved``: something was approved, be it a card that was only looked at.
    """

    authorised: int = 0
    aside: int = 0
    reversed: int = 0
    captured: int = 0
    refunded: int = 0
    over: bool = False
    lapsed: bool = False
    approved: bool = False

    @property
    def ended(self) -> bool:
        return self.over or self.lapsed

    @property
    def outstanding(self) -> int:
        """What was approved and may still be captured."""
        return 0 if self.ended else max(0, self.authorised - self.reversed - self.captured)

    @property
    def held(self) -> int:
        """What stays set aside. How much it will be is known with the first capture."""
        if not self.outstanding or self.captured:
            return self.outstanding
        return self.aside - self.reversed

    @property
    def counted(self) -> int:
        """What counts against the card's own limits."""
        return self.captured + self.outstanding

    @property
    def stands(self) -> Stands:
        if self.captured > 0:
            return self._captured()
        if self.refunded > 0:
            return Stands.CREDITED
        if self.approved and not self.authorised and not self.over:
            return Stands.CHECKED
        if self.outstanding:
            return Stands.OPEN
        if self.over or (self.approved and self.reversed):
            return Stands.REVERSED
        return Stands.EXPIRED if self.lapsed and self.approved else Stands.DECLINED

    def _captured(self) -> Stands:
        if self.refunded >= self.captured:
            return Stands.REFUNDED
        if self.refunded > 0:
            return Stands.PART_REFUNDED
        return Stands.PART_CAPTURED if self.outstanding else Stands.CAPTURED

    def approve(self, amount: int, aside: int) -> "Figures":
        return replace(self, authorised=self.authorised + amount, aside=self.aside + aside, approved=True)

    def reverse(self, amount: int | None) -> "Figures":
        """``amount`` of it, or all that is left now and whatever else was or will be approved."""
        return replace(self, over=True) if amount is None else replace(self, reversed=self.reversed + amount)

    def capture(self, amount: int, *, final: bool) -> "Figures":
        return replace(self, captured=self.captured + amount, over=self.over or final)

    def refund(self, amount: int) -> "Figures":
        """``amount`` goes back; below zero it is taken again."""
        return replace(self, refunded=self.refunded + amount)

    def lapse(self) -> "Figures":
        return replace(self, lapsed=True)
