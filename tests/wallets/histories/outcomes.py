"""What becomes of orders to the sandbox gateway: a table, and time going through it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.wallets.histories.people import Use
from tests.wallets.histories.world import World
from wallets.services import janitor, notifications, sandbox

Steps = tuple[tuple[int, str], ...]

# By an order's last two digits: how it stands, as far as we can know, after so many minutes. Until then it is open.
ENDINGS: dict[int, Steps] = {
    0: ((0, "succeeded"),),
    1: ((0, "failed"),),
    2: ((2, "succeeded"),),
    3: ((2, "failed"),),
    4: ((2, "succeeded"),),
    5: ((2, "failed"),),
    6: ((0, "succeeded"),),
    7: ((10, "succeeded"),),
    8: ((10, "failed"),),
    9: ((0, "succeeded"),),
    10: ((0, "conflict"),),
    11: ((0, "conflict"),),
    12: ((0, "succeeded"), (24 * 60, "returned")),
    13: ((0, "failed"),),
    15: ((0, "failed"), (10, "succeeded")),
    16: (),
    17: ((1, "succeeded"),),
}
SMALL = 100
_OPEN = ("created", "pending", "requires_action", "unknown")

# Those in which more can go wrong come more often.
minors = st.tuples(st.sampled_from([1, 1, 1, 2, 2, 0]), st.sampled_from([*ENDINGS, *[0] * 8, *[3, 7, 12, 15] * 2])).map(
    lambda two: two[0] * 100 + two[1]
)


@dataclass
class Order:
    pk: int
    one: int
    reference: str
    use: Use
    coming: list[tuple[datetime, str]]
    state: str = "open"

    @property
    def minor(self) -> int:
        return self.use.minor

    @property
    def fee(self) -> int:
        return self.use.fee

    @property
    def total(self) -> int:
        return self.use.minor + self.use.fee


def stored(model: Any) -> dict[int, str]:
    """How they stand; whatever the gateway has not decided is open."""
    states = dict(model.objects.values_list("pk", "state"))
    return {pk: "open" if state in _OPEN else state for pk, state in states.items()}


class Outcomes(World):
    def __init__(self) -> None:
        super().__init__()
        self.orders: list[Order] = []

    def begun(self, pk: int, one: int, reference: str, use: Use) -> Order:
        # What is sent out in small amounts goes by the account's last two digits, which are 00.
        steps = ENDINGS[0 if use.kind == "withdrawal" and use.minor < SMALL else use.minor % 100]
        coming = [(self.now + timedelta(minutes=minutes), state) for minutes, state in steps]
        return Order(pk, one, reference, use, coming)

    def proceed(self, order: Order) -> None:
        while order.coming and order.coming[0][0] <= self.now:
            _, state = order.coming.pop(0)
            self.met.answers[f"{type(order).__name__} {order.state} then {state}"] += 1
            self.become(order, state)
            order.state = state

    def become(self, order: Order, state: str) -> None:
        """Each noun says what the books show then."""
        raise NotImplementedError

    def what_time_does(self) -> None:
        super().what_time_does()
        self.do("outcomes", self._hear, expected="done")
        for order in self.orders:
            self.proceed(order)

    def _hear(self) -> None:
        sandbox.deliver(now=self.now)
        notifications.process_left()
        janitor.ask_due(now=self.now)
