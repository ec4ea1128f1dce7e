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
from paymentsite.core.actors import Actor
from paymentsite.core.models import Approval
from paymentsite.core.money import Money
from paymentsite.core.services import approvals
from paymentsite.ledger import queries as books
from paymentsite.ledger.models import Journal, Posting
from tests.wallets.crashing import Fate, Killed, fated
from tests.wallets.deciding import staff
from tests.wallets.gateways import gateway, top_up, wallet, withdraw
from tests.wallets.saved import bank_account
from wallets.gateways.base import OrderKind, Outcome
from wallets.gateways.scripts import OUTCOMES
from wallets.models import FeeUse, Instrument, TopUp, Wallet, Withdrawal
from wallets.services import conflicts, janitor, notifications

HOLDING = 100_000
FAILED_FIRST = 15
RETURNED_FIRST = 18
REFUND_FAILS = 21
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
    proposer: Actor = field(init=False, repr=False)
    decider: Actor = field(init=False, repr=False)
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
            if self.kind == "top_up" and self.ending == REFUND_FAILS:
                self.proposer, self.decider = staff(), staff()

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
                told = self.tell(moment, last=moment + _pace(moment - since) > end)
                if self.decide() or told or self.due <= moment:
                    self.survive(notifications.process_left)
                    self.survive(lambda: janitor.ask_due(now=clock.now()))
                    # What was cut off may have left anything: then somebody looks at once.
                    self.due = self._next_question() if self.lived == lived else moment
            moment += _pace(moment - since)

    def decide(self) -> bool:
        """Two of the staff have what differs given back, once, where that is what the history is about."""
        differing = TopUp.objects.filter(member=self.purse.member, state="conflict", refund_id=None)
        order = differing.first() if self.kind == "top_up" and self.ending == REFUND_FAILS else None
        if order is None:
            return False
        self.survive(lambda: self.give_back(order))
        return True

    def give_back(self, order: TopUp) -> None:
        proposal = Approval.objects.filter(state="proposed", proposed_by=str(self.proposer)).first()
        if proposal is None:
            proposal = conflicts.give_back(order=order, by_hand=False, by=self.proposer, reason="not ours")
        approvals.approve(approval=proposal, by=self.decider, shown=proposal.shown)

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
        left = order.moved.minor if order.state == "conflict" else 0
        seen = End(order.state, *moved, *_booked(order), counts(self.purse), charged(self.purse), left)
        wanted = self._wanted(order, truth.outcome, truth.amount)
        return "" if seen in wanted else f"{self}: {seen}, should be one of {wanted}"

    def _wanted(self, order: Any, outcome: Outcome, amount: Money | None) -> list["End"]:
        """All the ways in which it may end."""
        coming, fee = self.kind == "top_up", FEES[self.kind]
        held = 0 if coming else self.minor + fee
        nothing = {"counts": 0, "charged": 0}
        if amount and amount != order.amount:
            left = amount.minor if outcome == Outcome.SUCCEEDED else self.minor - amount.minor
            return self._to_decide(order, End("conflict", held=held, left=left))
        match outcome:
            case Outcome.SUCCEEDED:
                # After we were told that it was not done, it costs nothing; paid out then, it is missing elsewhere than
                # in the wallet.
                late = End("succeeded", self.minor if coming else 0, journals=1, charged=0)
                in_time = End("succeeded", (self.minor if coming else -self.minor) - fee, journals=1, fee=fee)
                return [in_time, late] if self.ending == FAILED_FIRST else [in_time]
            case Outcome.RETURNED:
                taken_back = End("returned", self.minor - fee, journals=2, fee=fee)
                came_back = taken_back if coming else End("returned", journals=2, **nothing)
                return [End("returned", **nothing) if self.ending == RETURNED_FIRST else came_back]
            case Outcome.FAILED | Outcome.ABSENT:
                # A payout arrives in the end.
                return [End("failed", **nothing)] if coming or outcome == Outcome.FAILED else []
            case Outcome.REQUIRES_ACTION:
                # A page is closed in the end.
                return [] if coming else [End("requires_action", held=held)]
        return [End("unknown", held=held)]

    def _to_decide(self, order: Any, differs: "End") -> list["End"]:
        """What differs waits for staff; what was given back in vain, too, and it may count no more since then."""
        if self.kind != "top_up" or self.ending != REFUND_FAILS:
            return [differs]
        gone = gateway().query(order.refund_id.hex, OrderKind.REFUND).outcome if order.refund_id else None
        return [differs, differs._replace(counts=0, charged=0)] if gone == Outcome.FAILED else []


class End(NamedTuple):
    """How an order stands in the end: what its wallet changed by and has on hold, how many journals moved money, what
    they left us as a fee, how often limits and prices count what it took, and what is left to decide about."""

    state: str
    change: int = 0
    held: int = 0
    journals: int = 0
    fee: int = 0
    counts: int = 1
    charged: int = 1
    left: int = 0


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
