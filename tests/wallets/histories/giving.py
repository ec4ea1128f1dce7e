"""Gift links in histories."""

from dataclasses import dataclass
from datetime import datetime

from hypothesis.stateful import precondition, rule

from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from tests.wallets.histories.people import TRANSFER_BP, Use, part
from tests.wallets.histories.world import DONE, PEOPLE, World, amounts, pairs, some, who
from wallets.models import Gift
from wallets.services import gift_links


@dataclass
class Given:
    pk: int
    token: Secret
    sender: int
    use: Use
    until: datetime
    state: str = "open"
    taker: int | None = None

    @property
    def takes(self) -> int:
        return self.use.minor + self.use.fee


class Giving(World):
    def __init__(self) -> None:
        super().__init__()
        self.given: list[Given] = []

    def first(self, one: int, number: int) -> None:
        super().first(one, number)
        if number % 3:
            self.give_to_somebody((one, (one + 1) % PEOPLE), 1 + number)
        else:
            self.give_and_take_back(one, 1 + number)

    @rule(one=who, minor=amounts)
    def give(self, one: int, minor: int) -> None:
        reference = self.reference()
        made = self.do(
            "give",
            lambda: gift_links.make(
                sender=self.member(one), amount=Money(minor, "CNY"), reference=reference, by=self.actor(one)
            ),
            expected=self.people[one].cannot_send(minor, self.now) or DONE,
        )
        if made:
            use = self.people[one].use("transfer", minor, part(minor, TRANSFER_BP), self.now)
            self.people[one].held += minor + use.fee
            self.given.append(Given(made.gift.pk, made.token, one, use, self.now + gift_links.OPEN_FOR))

    @precondition(lambda self: self.given)
    @rule(number=some, one=who)
    def claim(self, number: int, one: int) -> None:
        self.take(self.one_of(self.given, number), one)

    def take(self, gift: Given, one: int) -> None:
        expected = DONE if gift.taker == one else self._cannot_claim(gift, one) or DONE
        member = self.member(one)
        self.do(
            "claim",
            lambda: gift_links.claim(token=gift.token, member=member, by=self.actor(one)),
            expected=expected,
        )
        if expected == DONE and gift.taker is None:
            gift.state, gift.taker = "claimed", one
            giver = self.people[gift.sender]
            giver.posted, giver.held = giver.posted - gift.takes, giver.held - gift.takes
            self.people[one].posted += gift.use.minor
            self.house["fees", "CNY"] += gift.use.fee

    def _cannot_claim(self, gift: Given, one: int) -> str:
        if gift.sender == one:
            return "gift_to_oneself"
        if self.people[one].suspended:
            return "member_suspended"
        if gift.state != "open":
            return "gift_not_open"
        return "balance_limit_exceeded" if self.has_no_room(one, gift.use.minor) else ""

    @rule(two=pairs, minor=amounts)
    def give_to_somebody(self, two: tuple[int, int], minor: int) -> None:
        """A gift that is taken at once: most are."""
        before = len(self.given)
        self.give(two[0], minor)
        if len(self.given) > before:
            self.take(self.given[-1], two[1])

    @precondition(lambda self: self.given)
    @rule(number=some)
    def take_back(self, number: int) -> None:
        self.taken_back(self.one_of(self.given, number))

    def taken_back(self, gift: Given) -> None:
        expected = DONE if gift.state in {"open", "cancelled"} else "gift_not_open"
        row, sender = Gift.objects.get(pk=gift.pk), self.member(gift.sender)
        self.do(
            "take back",
            lambda: gift_links.cancel(gift=row, sender=sender, by=self.actor(gift.sender)),
            expected=expected,
        )
        if expected == DONE:
            self._came_back(gift, "cancelled")

    @rule(one=who, minor=amounts)
    def give_and_take_back(self, one: int, minor: int) -> None:
        before = len(self.given)
        self.give(one, minor)
        if len(self.given) > before:
            self.taken_back(self.given[-1])

    def _came_back(self, gift: Given, state: str) -> None:
        if gift.state == "open":
            self.people[gift.sender].held -= gift.takes
            gift.use.give_back()
        gift.state = state

    def what_time_does(self) -> None:
        super().what_time_does()
        due = [each for each in self.given if each.state == "open" and each.until <= self.now]
        assert self.do("return", lambda: gift_links.return_due(now=self.now), expected=DONE) == len(due)
        for each in due:
            self._came_back(each, "returned")

    def compare(self) -> None:
        super().compare()
        stored = {row.pk: (row.state, row.claimed_by_id) for row in Gift.objects.all()}
        takers = [None if each.taker is None else self.purses[each.taker].member_id for each in self.given]
        assert stored == {each.pk: (each.state, taker) for each, taker in zip(self.given, takers, strict=True)}
