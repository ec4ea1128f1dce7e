"""Histories of one order each: asked for, cut off, told in any order and number, asked about; and what must be true."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from paymentsite.core import clock
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger.models import Journal
from tests.wallets.crashing import Fate, Killed, fated
from tests.wallets.gateways import gateway, top_up, wallet, withdraw
from tests.wallets.saved import bank_account
from wallets.gateways.base import OrderKind, Outcome
from wallets.gateways.sandbox import OUTCOMES
from wallets.models import Instrument, TopUp, Wallet, Withdrawal
from wallets.services import janitor, notifications

HOLDING = 100_000
FAILED_FIRST = 15
_SPAN = timedelta(days=2, hours=1)
KINDS = {"top_up": TopUp, "withdrawal": Withdrawal}


@dataclass
class History:
    """One order of ``kind`` that ends as ``ending`` says. ``mess`` shuffles, doubles, and holds back what is told."""

    kind: str
    ending: int
    fate: Fate = field(default_factory=Fate)
    mess: random.Random | None = None
    retries: int = 1

    purse: Wallet = field(init=False)
    account: Instrument = field(init=False)
    minor: int = field(init=False)
    lived: int = 0

    def live(self, since: datetime) -> None:
        """From the request until two days later, when all that was to come has come."""
        with clock.standing(since):
            self.purse = wallet(HOLDING)
            self.account = bank_account(of=self.purse.member, verified=True)
        self.minor = 1_000 + self.ending
        with fated(self.fate):
            for number in range(self.retries):
                with clock.standing(since + timedelta(seconds=number)):
                    self.survive(self.request)
            self.go_on(since)

    def request(self) -> None:
        if self.kind == "top_up":
            top_up(self.purse, self.minor)
        else:
            withdraw(self.purse, self.minor, to=self.account)

    def survive(self, work: Callable[[], Any]) -> None:
        """Do it; killed, the next one finds what it left."""
        try:
            work()
        except Killed:
            self.lived += 1

    def go_on(self, since: datetime) -> None:
        moment, end = since + timedelta(seconds=self.retries), since + _SPAN
        while moment <= end:
            with clock.standing(moment):
                self.tell(moment, last=moment + timedelta(hours=1) > end)
                self.survive(notifications.process_left)
                self.survive(lambda: janitor.ask_due(now=clock.now()))
            moment += _pace(moment - since)

    def tell(self, now: datetime, *, last: bool) -> None:
        told = gateway().deliveries(now)
        if self.mess is not None:
            told = [each for each in told for _ in range(self.mess.choice((1, 1, 2, 3)))]
            self.mess.shuffle(told)
            if not last:
                told = told[: self.mess.randint(0, len(told))]
        for number, headers, body in told:
            self.survive(lambda: self.hear(number, headers, body))  # noqa: B023  called at once

    def hear(self, number: int, headers: dict[str, str], body: bytes) -> None:
        found = notifications.receive(gateway="sandbox", headers=headers, body=body)
        gateway().heard(number)
        if self.mess is None or self.mess.random() < 0.7:
            notifications.process(notification=found)

    def check(self) -> str:
        """What is not as it must be, compared with what the gateway itself remembers; nothing when all is well."""
        order = KINDS[self.kind].objects.filter(member=self.purse.member).first()
        standing = books.standing(self.purse.account)
        change = standing.posted.minor - HOLDING
        if order is None:
            return "" if (change, standing.held.minor) == (0, 0) else "no order, and money moved"
        truth = gateway().query(order.public_id.hex, OrderKind.TOP_UP if self.kind == "top_up" else OrderKind.PAYOUT)
        seen = (order.state, change, standing.held.minor, _journals(order))
        wanted = self._wanted(order, truth.outcome, truth.amount)
        return "" if seen in wanted else f"{self}: {seen}, should be one of {wanted}"

    def _wanted(self, order: Any, outcome: Outcome, amount: Money | None) -> list[tuple[str, int, int, int]]:
        """State, change of the wallet, what is held, journals that move money: all the ways in which it may end."""
        sign = 1 if self.kind == "top_up" else -1
        match outcome:
            case Outcome.SUCCEEDED if amount != order.amount:
                return [("conflict", 0, 0 if sign == 1 else self.minor, 0)]
            case Outcome.SUCCEEDED:
                # Paid out after we were told that it was not, it is missing elsewhere than in the wallet.
                late = [("succeeded", 0, 0, 1)] if sign == -1 and self.ending == FAILED_FIRST else []
                return [("succeeded", sign * self.minor, 0, 1), *late]
            case Outcome.RETURNED:
                return [("returned", self.minor if sign == 1 else 0, 0, 2)]
            case Outcome.FAILED:
                return [("failed", 0, 0, 0)]
            case Outcome.ABSENT:
                return [("failed", 0, 0, 0)] if sign == 1 else []
        return [("unknown", 0, 0 if sign == 1 else self.minor, 0)]


def _journals(order: TopUp | Withdrawal) -> int:
    moves = ["wallets.top_up", "wallets.top_up.return", "wallets.withdrawal", "wallets.withdrawal.return"]
    return Journal.objects.posted().filter(source=order.source, scope__in=moves).count()


def _pace(gone: timedelta) -> timedelta:
    """Closely at first, then by the hour: no moment of the schedule is left out by more than its own length."""
    for within, pace in (((2, "minutes"), 30), ((45, "minutes"), 300)):
        if gone < timedelta(**{within[1]: within[0]}):
            return timedelta(seconds=pace)
    return timedelta(hours=1) if gone < timedelta(hours=3) else timedelta(hours=11)


def random_history(seed: int) -> History:
    """One of all kinds and endings, with one to three deaths somewhere on the way."""
    dice = random.Random(f"order {seed}")
    deaths = [
        ("commit", dice.randint(1, 12), dice.choice(("before", "after")))
        if dice.random() < 0.75
        else ("call", dice.randint(1, 4), dice.choice(("before", "after")))
        for _ in range(dice.randint(1, 3))
    ]
    return History(
        kind=dice.choice(list(KINDS)),
        ending=dice.choice([0, *OUTCOMES]),
        fate=Fate(*deaths),
        mess=random.Random(f"mess {seed}"),
        retries=dice.randint(1, 3),
    )
