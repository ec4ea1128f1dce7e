"""Histories of one order each: asked for, cut off, told in any order and number, asked about; and what must be true."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Sum

from members.models import LimitUse
from paymentsite.core import clock
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger.models import Journal, Posting
from tests.wallets.crashing import Fate, Killed, fated
from tests.wallets.gateways import gateway, top_up, wallet, withdraw
from tests.wallets.saved import bank_account
from wallets.gateways.base import OrderKind, Outcome
from wallets.gateways.scripts import OUTCOMES
from wallets.models import FeeUse, Instrument, TopUp, Wallet, Withdrawal
from wallets.services import janitor, notifications

HOLDING = 100_000
FAILED_FIRST = 15
_EVER = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)
_SPAN = timedelta(days=2, hours=1)
KINDS = {"top_up": TopUp, "withdrawal": Withdrawal}
FEES = {"top_up": 30, "withdrawal": 50}


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
    due: datetime = _EVER

    def live(self, since: datetime) -> None:
        """From the request until two days later, when all that was to come has come."""
        with clock.standing(since):
            self.arrange()
        self.minor = 1_000 + self.ending
        with fated(self.fate):
            for number in range(self.retries):
                with clock.standing(since + timedelta(seconds=number)):
                    self.survive(self.request)
            self.go_on(since)

    def arrange(self) -> None:
        """Nobody dies of this."""
        with transaction.atomic():
            self.purse = wallet(HOLDING)
            self.account = bank_account(of=self.purse.member, verified=True)

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
                lived = self.lived
                told = self.tell(moment, last=moment + timedelta(hours=1) > end)
                if told or self.due <= moment:
                    self.survive(notifications.process_left)
                    self.survive(lambda: janitor.ask_due(now=clock.now()))
                    # What was cut off may have left anything: then somebody looks at once.
                    self.due = self._next_question() if self.lived == lived else moment
            moment += _pace(moment - since)

    def _next_question(self) -> datetime:
        orders = KINDS[self.kind].objects.filter(member=self.purse.member)
        return orders.values_list("next_query_at", flat=True).first() or NEVER

    def tell(self, now: datetime, *, last: bool) -> int:
        """How many messages came."""
        told = gateway().deliveries(now)
        if self.mess is not None:
            told = [each for each in told for _ in range(self.mess.choice((1, 1, 2, 3)))]
            self.mess.shuffle(told)
            if not last:
                told = told[: self.mess.randint(0, len(told))]
        for number, headers, body in told:
            self.survive(lambda: self.hear(number, headers, body))  # noqa: B023  called at once
        return len(told)

    def hear(self, number: int, headers: dict[str, str], body: bytes) -> None:
        found = notifications.receive(gateway="sandbox", headers=headers, body=body)
        gateway().heard(number)
        if self.mess is None or self.mess.random() < 0.7:
            notifications.process(notification=found)

    def check(self) -> str:
        """What is not as it must be, compared with what the gateway itself remembers; nothing when all is well."""
        order = KINDS[self.kind].objects.filter(member=self.purse.member).first()
        standing = books.standing(self.purse.account)
        moved = (standing.posted.minor - HOLDING, standing.held.minor)
        if order is None:
            nothing = moved == (0, 0) and not (counts(self.purse) or charged(self.purse))
            return "" if nothing else "no order, and something was taken"
        truth = gateway().query(order.public_id.hex, OrderKind.TOP_UP if self.kind == "top_up" else OrderKind.PAYOUT)
        seen = End(order.state, *moved, *_booked(order), counts(self.purse), charged(self.purse))
        wanted = self._wanted(order, truth.outcome, truth.amount)
        return "" if seen in wanted else f"{self}: {seen}, should be one of {wanted}"

    def _wanted(self, order: Any, outcome: Outcome, amount: Money | None) -> list["End"]:
        """All the ways in which it may end."""
        coming, fee = self.kind == "top_up", FEES[self.kind]
        held = 0 if coming else self.minor + fee
        match outcome:
            case Outcome.SUCCEEDED if amount != order.amount:
                return [End("conflict", held=held)]
            case Outcome.SUCCEEDED:
                # After we were told that it was not done, it costs nothing; paid out then, it is missing elsewhere than
                # in the wallet.
                late = End("succeeded", self.minor if coming else 0, journals=1, charged=0)
                in_time = End("succeeded", (self.minor if coming else -self.minor) - fee, journals=1, fee=fee)
                return [in_time, late] if self.ending == FAILED_FIRST else [in_time]
            case Outcome.RETURNED:
                taken_back = End("returned", self.minor - fee, journals=2, fee=fee)
                return [taken_back if coming else End("returned", journals=2, counts=0, charged=0)]
            case Outcome.ABSENT if not coming:
                return []
            case Outcome.FAILED | Outcome.ABSENT:
                return [End("failed", counts=0, charged=0)]
        return [End("unknown", held=held)]


class End(NamedTuple):
    """How an order stands in the end: what its wallet changed by and has on hold, how many journals moved money, what
    they left us as a fee, and how often limits and prices count what it took."""

    state: str
    change: int = 0
    held: int = 0
    journals: int = 0
    fee: int = 0
    counts: int = 1
    charged: int = 1


def counts(purse: Wallet) -> int:
    return LimitUse.objects.filter(member=purse.member, given_back_at=None).count()


def charged(purse: Wallet) -> int:
    return FeeUse.objects.filter(member=purse.member, given_back_at=None).count()


def _booked(order: TopUp | Withdrawal) -> tuple[int, int]:
    """How many journals move money for the order, and what they leave us as a fee."""
    moves = ["wallets.top_up", "wallets.top_up.return", "wallets.withdrawal", "wallets.withdrawal.return"]
    journals = Journal.objects.posted().filter(source=order.source, scope__in=moves)
    postings = Posting.objects.filter(journal__in=journals)
    came, went = (
        postings.filter(**{f"{side}__code": "fees"}).aggregate(sum=Sum("amount_minor"))["sum"] or 0
        for side in ("target", "source")
    )
    return journals.count(), came - went


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
