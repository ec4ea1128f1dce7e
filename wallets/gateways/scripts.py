"""What comes of the sandbox gateway's orders, on purpose.

The last two digits of an order's minor units say which script it follows (``OUTCOMES``), or the number of the card that
pays (``CARDS``); of payouts below a hundred the last two digits of the account, since small deposits are drawn by lot.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

from paymentsite.core.money import Money
from wallets.gateways.base import Order, OrderKind, Outcome

AT_ONCE: Final = timedelta(0)
_SOON: Final = timedelta(minutes=2)
_LATER: Final = timedelta(minutes=10)
_NEXT_DAY: Final = timedelta(days=1)


class Step(NamedTuple):
    """From ``after`` its beginning on, an order stands so at the gateway."""

    after: timedelta
    outcome: Outcome
    amount: str = "same"

    def moved(self, asked: Money) -> Money | None:
        """What it says that moved, or came back, where ``asked`` was asked for."""
        if self.outcome not in {Outcome.SUCCEEDED, Outcome.RETURNED}:
            return None
        match self.amount:
            case "less":
                return Money(asked.minor - 1, asked.unit)
            case "half":
                return Money(max(1, asked.minor // 2), asked.unit)
            case "foreign":
                return Money(asked.minor, _FOREIGN.get(asked.unit, "USD"))
        return asked


class Script(NamedTuple):
    """What comes of an order: the steps, and what is said of it meanwhile.

    ``says`` is the first answer where that is not how it stands. ``told`` is how often each notification comes, and
    ``late`` what is told although it is not so any more. ``refund`` is what comes of giving it back.
    """

    name: str
    steps: tuple[Step, ...]
    says: Outcome | None = None
    told: int = 1
    untried: bool = False
    slow: bool = False
    arrives: bool = True
    late: tuple[Step, ...] = ()
    refund: tuple[Step, ...] = (Step(AT_ONCE, Outcome.SUCCEEDED),)

    def messages(self) -> Iterator[Step]:
        """Each as often as it is told."""
        for step in (*self.steps, *self.late):
            if step.outcome != Outcome.PENDING:
                yield from (step for _time in range(self.told))

    def as_refund(self) -> "Script":
        """What comes of giving back an order that follows this script."""
        return Script(f"refund of {self.name}", self.refund)


_DONE: Final = Step(AT_ONCE, Outcome.SUCCEEDED)
_REFUSED: Final = Step(AT_ONCE, Outcome.FAILED)
_WAITING: Final = Step(AT_ONCE, Outcome.PENDING)
_ASKING: Final = Step(AT_ONCE, Outcome.REQUIRES_ACTION)

SUCCESS: Final = Script("success", (_DONE,))
OUTCOMES: Final[dict[int, Script]] = {
    1: Script("failed", (_REFUSED,)),
    2: Script("pending, then success", (_WAITING, Step(_SOON, Outcome.SUCCEEDED))),
    3: Script("pending, then failed", (_WAITING, Step(_SOON, Outcome.FAILED))),
    4: Script("requires action, then success", (_ASKING, Step(_SOON, Outcome.SUCCEEDED))),
    5: Script("requires action, then failed", (_ASKING, Step(_SOON, Outcome.FAILED))),
    6: Script("slow", (_DONE,), slow=True),
    7: Script("unknown, then late success", (_WAITING, Step(_LATER, Outcome.SUCCEEDED)), says=Outcome.UNKNOWN),
    8: Script("unknown, then failed", (_WAITING, Step(_LATER, Outcome.FAILED)), says=Outcome.UNKNOWN),
    9: Script("success, notified twice", (_DONE,), told=2),
    10: Script("amount different", (Step(AT_ONCE, Outcome.SUCCEEDED, "less"),)),
    11: Script("currency different", (Step(AT_ONCE, Outcome.SUCCEEDED, "foreign"),)),
    12: Script("success, returned a day later", (_DONE, Step(_NEXT_DAY, Outcome.RETURNED))),
    13: Script("not reached", (_REFUSED,), untried=True),
    14: Script("lost on the way there", (_DONE,), says=Outcome.UNKNOWN, arrives=False),
    15: Script("failed, then success after all", (_REFUSED, Step(_LATER, Outcome.SUCCEEDED))),
    16: Script("unknown for ever", (Step(AT_ONCE, Outcome.UNKNOWN),), told=0),
    17: Script("done, and the answer lost", (_DONE,), says=Outcome.UNKNOWN, told=0),
    18: Script(
        "returned before its success is told",
        (_WAITING, Step(_LATER, Outcome.RETURNED)),
        says=Outcome.UNKNOWN,
        late=(Step(_NEXT_DAY, Outcome.SUCCEEDED),),
    ),
    19: Script("partly returned", (_WAITING, Step(_LATER, Outcome.RETURNED, "half")), told=2),
    21: Script(
        "amount different, and its refund fails after it was done",
        (Step(AT_ONCE, Outcome.SUCCEEDED, "less"),),
        refund=(_DONE, Step(_LATER, Outcome.FAILED)),
    ),
    22: Script("page never opened", (_ASKING,), told=0),
}
CARDS: Final[dict[str, int]] = {
    "4000000000000002": 1,
    "4000000000003220": 4,
    "4000000000000119": 7,
    "4000000000005126": 12,
}
_SMALL: Final = 100
_FOREIGN: Final = {"USD": "EUR"}


def number_of(order: Order) -> int:
    """The script that the order follows."""
    if order.card and (number := CARDS.get(order.card.number.reveal())) is not None:
        return number
    if order.kind == OrderKind.PAYOUT and order.account and order.amount.minor < _SMALL:
        ending = order.account.number.reveal()[-2:]
        return int(ending) if ending.isdecimal() else 0
    return order.amount.minor % 100
