"""Transfers in histories."""

from typing import Any

from hypothesis.stateful import precondition, rule

from paymentsite.core.money import Money
from tests.wallets.histories.world import DONE, World, amounts, pairs, some, who
from wallets.models import Transfer
from wallets.services import transfers


class Sending(World):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []

    @rule(two=pairs, minor=amounts)
    def send(self, two: tuple[int, int], minor: int) -> None:
        self.send_from(two, minor)

    def send_from(self, two: tuple[int, int], minor: int) -> None:
        one, other = two
        asked = {"one": one, "other": other, "minor": minor, "reference": self.reference()}
        expected = "transfer_to_oneself" if one == other else self.people[one].cannot_spend(minor) or DONE
        self.do("send", lambda: self._send(**asked), expected=expected)
        if expected == DONE:
            self.moved(asked)

    @rule(two=pairs, more=amounts)
    def send_more_than_there_is(self, two: tuple[int, int], more: int) -> None:
        """Left to chance alone, some runs would meet no empty wallet."""
        person = self.people[two[0]]
        self.send_from(two, max(0, person.posted - person.held) + more)

    @precondition(lambda self: any(person.frozen for person in self.people))
    @rule(number=some, other=who, minor=amounts)
    def send_from_frozen(self, number: int, other: int, minor: int) -> None:
        frozen = [person.number for person in self.people if person.frozen]
        self.send_from((frozen[number % len(frozen)], other), minor)

    def moved(self, asked: dict[str, Any]) -> None:
        self.people[asked["one"]].posted -= asked["minor"]
        self.people[asked["other"]].posted += asked["minor"]
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
