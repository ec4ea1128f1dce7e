"""What a chain of messages comes to: how much stays set aside, how much counts, how it stands.

It follows from which messages there are, never from the order in which they came: networks repeat themselves, overtake
themselves, and are late. Amounts are in smallest parts of a currency: the card's, or the merchant's.
"""

from dataclasses import dataclass, field, replace
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

    How far it has come is counted at the merchant, in its currency: ``asked`` and approved, ``cancelled``, ``taken``,
    ``returned`` (less what was taken back of it). What that was on the card, with fees and at the rates of the days,
    is ``authorised``, what that set ``aside`` (more, where it is not known how much it will be), ``captured`` and
    ``refunded``. ``over``: the last capture came, or all of it was reversed. ``lapsed``: its time was over.
    ``approved``: something was approved, be it a card that was only looked at. ``open_ended``: its merchant finds out
    after the question how much it will be.
    """

    asked: int = 0
    cancelled: int = 0
    taken: int = 0
    returned: int = 0
    authorised: int = 0
    aside: int = 0
    captured: int = 0
    refunded: int = 0
    over: bool = False
    lapsed: bool = False
    approved: bool = False
    open_ended: bool = field(default=False, compare=False)

    @property
    def ended(self) -> bool:
        return self.over or self.lapsed

    @property
    def left(self) -> int:
        """What of it may still be captured, at the merchant."""
        return 0 if self.ended else max(0, self.asked - self.cancelled - self.taken)

    @property
    def outstanding(self) -> int:
        """The same share of what was approved on the card."""
        return self._left_of(self.authorised)

    @property
    def held(self) -> int:
        """What stays set aside. How much it will be is known with the first capture, and a fee that was taken once is
        not set aside again: no more than what was approved less what was captured, in whatever order that came."""
        if not self.taken:
            return self._left_of(self.aside)
        return min(self._left_of(self.authorised), max(0, self.authorised - self.captured))

    def _left_of(self, whole: int) -> int:
        """Rounded up, so that there is enough for the rest."""
        return -(-whole * self.left // self.asked) if self.left else 0

    @property
    def counted(self) -> int:
        """What counts against the card's own limits: where nobody knows yet how much it will be, what is set aside."""
        return self.captured + (self.held if self.open_ended else self.outstanding)

    @property
    def stands(self) -> Stands:
        if self.taken > 0:
            return self._captured()
        if self.returned > 0:
            return Stands.CREDITED
        if self.approved and not self.asked and not self.over:
            return Stands.CHECKED
        if self.left:
            return Stands.OPEN
        if self.over or (self.approved and self.cancelled):
            return Stands.REVERSED
        return Stands.EXPIRED if self.lapsed and self.approved else Stands.DECLINED

    def _captured(self) -> Stands:
        if self.returned >= self.taken:
            return Stands.REFUNDED
        if self.returned > 0:
            return Stands.PART_REFUNDED
        return Stands.PART_CAPTURED if self.left else Stands.CAPTURED

    def approve(self, there: int, amount: int, aside: int) -> "Figures":
        return replace(
            self,
            asked=self.asked + there,
            authorised=self.authorised + amount,
            aside=self.aside + aside,
            approved=True,
        )

    def reverse(self, there: int | None) -> "Figures":
        """``there`` of it, or all that is left now and whatever else was or will be approved."""
        return replace(self, over=True) if there is None else replace(self, cancelled=self.cancelled + there)

    def capture(self, there: int, amount: int, *, final: bool) -> "Figures":
        return replace(self, taken=self.taken + there, captured=self.captured + amount, over=self.over or final)

    def refund(self, there: int, amount: int) -> "Figures":
        """``amount`` goes back; below zero it is taken again."""
        return replace(self, returned=self.returned + there, refunded=self.refunded + amount)

    def lapse(self) -> "Figures":
        return replace(self, lapsed=True)
