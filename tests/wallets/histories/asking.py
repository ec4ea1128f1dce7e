"""Requests to pay in histories."""

from dataclasses import dataclass
from datetime import datetime

from hypothesis.stateful import precondition, rule

from paymentsite.core.money import Money
from tests.wallets.histories.sending import Sending
from tests.wallets.histories.world import DONE, amounts, pairs, some
from wallets.models import MoneyRequest
from wallets.services import requests


@dataclass
class Asked:
    pk: int
    asker: int
    payer: int
    minor: int
    until: datetime
    state: str = "open"


class Asking(Sending):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []

    @rule(two=pairs, minor=amounts)
    def ask(self, two: tuple[int, int], minor: int) -> None:
        one, other = two
        expected = self._cannot_ask(one, other) or DONE
        reference = self.reference()
        made = self.do(
            "ask",
            lambda: requests.ask(
                asker=self.member(one),
                payer=self.member(other),
                amount=Money(minor, "CNY"),
                reference=reference,
                by=self.actor(one),
            ),
            expected=expected,
        )
        if made:
            self.asked.append(Asked(made.pk, one, other, minor, self.now + requests.OPEN_FOR))

    def _cannot_ask(self, one: int, other: int) -> str:
        if one == other:
            return "request_to_oneself"
        if self.people[one].suspended:
            return "member_suspended"
        if self.people[other].suspended:
            return "payer_cannot_be_asked"
        waiting = [each for each in self.asked if each.asker == one and each.state == "open"]
        of_one = [each for each in waiting if each.payer == other]
        full = len(waiting) >= requests.OPEN_MAX or len(of_one) >= requests.OPEN_MAX_OF_ONE
        return "too_many_requests" if full else ""

    @rule(two=pairs, minor=amounts)
    def ask_and_be_paid(self, two: tuple[int, int], minor: int) -> None:
        """A request that is paid at once, as far as it can be: most are."""
        before = len(self.asked)
        self.ask(two, minor)
        if len(self.asked) > before:
            self.settle(self.asked[-1])

    @precondition(lambda self: self.asked)
    @rule(number=some)
    def pay(self, number: int) -> None:
        self.settle(self.one_of(self.asked, number))

    def settle(self, asked: Asked) -> None:
        expected = DONE
        if asked.state != "open":
            expected = "request_not_open"
        elif why := self.cannot_send(asked.payer, asked.asker, asked.minor):
            expected = why
        reference = self.reference()
        self.do(
            "pay",
            lambda: requests.pay(
                request=MoneyRequest.objects.get(pk=asked.pk),
                payer=self.member(asked.payer),
                reference=reference,
                by=self.actor(asked.payer),
            ),
            expected=expected,
        )
        if expected == DONE:
            asked.state = "paid"
            self.moved({"one": asked.payer, "other": asked.asker, "minor": asked.minor, "paid": True})

    @precondition(lambda self: self.asked)
    @rule(number=some)
    def decline(self, number: int) -> None:
        asked = self.one_of(self.asked, number)
        row, payer = MoneyRequest.objects.get(pk=asked.pk), self.member(asked.payer)
        expected = DONE if asked.state in {"open", "declined"} else "request_not_open"
        self.do(
            "decline",
            lambda: requests.decline(request=row, payer=payer, by=self.actor(asked.payer)),
            expected=expected,
        )
        if expected == DONE:
            asked.state = "declined"

    @precondition(lambda self: self.asked)
    @rule(number=some)
    def recall(self, number: int) -> None:
        asked = self.one_of(self.asked, number)
        row, asker = MoneyRequest.objects.get(pk=asked.pk), self.member(asked.asker)
        expected = DONE if asked.state in {"open", "cancelled"} else "request_not_open"
        self.do(
            "recall",
            lambda: requests.cancel(request=row, asker=asker, by=self.actor(asked.asker)),
            expected=expected,
        )
        if expected == DONE:
            asked.state = "cancelled"

    def what_time_does(self) -> None:
        super().what_time_does()
        due = [each for each in self.asked if each.state == "open" and each.until <= self.now]
        assert self.do("expire", lambda: requests.expire(now=self.now), expected=DONE) == len(due)
        for each in due:
            each.state = "expired"

    def compare(self) -> None:
        super().compare()
        stored = dict(MoneyRequest.objects.values_list("pk", "state"))
        assert stored == {each.pk: each.state for each in self.asked}
