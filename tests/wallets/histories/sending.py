"""Transfers in histories."""

from typing import Any

from hypothesis.stateful import precondition, rule

from paymentsite.core.money import Money
from tests.wallets.histories.people import BALANCE_MAX, TRANSFER_BP, TRANSFER_DAY_MAX, part
from tests.wallets.histories.world import DONE, PEOPLE, World, amounts, pairs, some, who
from wallets.models import Transfer
from wallets.services import transfers


class Sending(World):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []

    def first(self, one: int, number: int) -> None:
        super().first(one, number)
        two = (one, (one + 1) % PEOPLE)
        self.send_and_otherwise(two, 1 + number)
        if number % 4 == 0:
            for forbid in (self.frost, self.membership):
                forbid(one, on=True)
                self.send_from(two, 1 + number)
                forbid(one, on=False)

    @rule(two=pairs, minor=amounts)
    def send(self, two: tuple[int, int], minor: int) -> None:
        self.send_from(two, minor)

    def send_from(self, two: tuple[int, int], minor: int) -> None:
        one, other = two
        asked = {"one": one, "other": other, "minor": minor, "reference": self.reference()}
        expected = "transfer_to_oneself" if one == other else self.cannot_send(one, other, minor) or DONE
        self.do("send", lambda: self._send(**asked), expected=expected)
        if expected == DONE:
            self.moved(asked)

    @rule(two=pairs, more=amounts)
    def send_more_than_there_is(self, two: tuple[int, int], more: int) -> None:
        """Left to chance alone, some runs would meet no empty wallet."""
        person = self.people[two[0]]
        self.send_from(two, max(0, person.posted - person.held) + more)

    @rule(two=pairs, more=amounts)
    def send_more_than_the_day_allows(self, two: tuple[int, int], more: int) -> None:
        self.send_from(two, TRANSFER_DAY_MAX - self.people[two[0]].used("transfer", self.now) + more)

    @rule(two=pairs, more=amounts)
    def send_to_who_holds_too_much(self, two: tuple[int, int], more: int) -> None:
        self.send_from(two, max(0, BALANCE_MAX["CNY"] - self.people[two[1]].posted) + more)

    @precondition(lambda self: any(person.frozen for person in self.people))
    @rule(number=some, other=who, minor=amounts)
    def send_from_frozen(self, number: int, other: int, minor: int) -> None:
        frozen = [person.number for person in self.people if person.frozen]
        self.send_from((frozen[number % len(frozen)], other), minor)

    def cannot_send(self, one: int, other: int, minor: int) -> str:
        """The sender's side first; of who holds too much no more is told than that it cannot be."""
        full = "payee_cannot_receive" if self.has_no_room(other, minor) else ""
        return self.people[one].cannot_send(minor, self.now) or full

    def moved(self, asked: dict[str, Any]) -> None:
        sender, minor = self.people[asked["one"]], asked["minor"]
        fee = part(minor, TRANSFER_BP)
        sender.posted -= minor + fee
        self.people[asked["other"]].posted += minor
        self.house["fees", "CNY"] += fee
        sender.use("transfer", minor, fee, self.now)
        self.sent.append(asked)

    @precondition(lambda self: any(self.plain))
    @rule(number=some)
    def send_again(self, number: int) -> None:
        self.again("send again", lambda: self._send(**self.plain[number % len(self.plain)]))

    @precondition(lambda self: any(self.plain))
    @rule(number=some)
    def send_otherwise(self, number: int) -> None:
        asked = self.plain[number % len(self.plain)]
        other = {**asked, "minor": asked["minor"] + 1}
        self.do("send otherwise", lambda: self._send(**other), expected="reference_taken")

    @rule(two=pairs, minor=amounts)
    def send_and_otherwise(self, two: tuple[int, int], minor: int) -> None:
        """Each repetition at once, too: later it may be refused for other reasons."""
        before = len(self.plain)
        self.send_from(two, minor)
        if len(self.plain) > before:
            self.send_otherwise(before)

    @property
    def plain(self) -> list[dict[str, Any]]:
        return [asked for asked in self.sent if "paid" not in asked]

    def _send(self, *, one: int, other: int, minor: int, reference: str) -> Transfer:
        return transfers.send(
            sender=self.member(one),
            payee=self.member(other),
            amount=Money(minor, "CNY"),
            reference=reference,
            by=self.actor(one),
        )

    def compare(self) -> None:
        super().compare()
        assert Transfer.objects.count() == len(self.sent)
