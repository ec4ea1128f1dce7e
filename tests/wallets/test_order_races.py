"""A notification, the janitor and the member's retry at once: one booking."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from members.models.members import MemberQuerySet
from members.services.limits import BalanceLimitExceeded
from paymentsite.core import clock
from paymentsite.core.errors import DomainError
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Journal
from tests.members.limiting import cap
from tests.members.races import winners
from tests.wallets.factories import holds
from tests.wallets.gateways import eur, gateway, route, sandboxes, top_up, wallet, withdraw
from tests.wallets.saved import bank_account
from wallets.models import TopUp, Withdrawal
from wallets.services import bookings, janitor, notifications, orders

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROUNDS = 15


@pytest.fixture(autouse=True)
def sandbox(tmp_path: Path) -> Iterator[None]:
    with sandboxes(tmp_path, "sandbox"):
        route("top_up")
        route("payout")
        yield


Together = Callable[[int, Callable[[int], Any]], list[Any]]


def race(together: Together, kind: str) -> None:
    """Nine at once settle one order, in three ways; counted is who found it done, and what it did to the money."""
    purse = wallet(5_000)
    account = bank_account(of=purse.member, verified=True)

    def ask() -> TopUp | Withdrawal:
        return top_up(purse, 1_002) if kind == "top_up" else withdraw(purse, 1_002, to=account)

    order = ask()
    later = clock.now() + timedelta(minutes=3)
    with clock.standing(later):
        [(number, headers, body)] = gateway().deliveries(later)
        gateway().heard(number)

    def settle(number: int) -> str:
        with clock.standing(later):
            if number % 3 == 0:
                found = notifications.receive(gateway="sandbox", headers=headers, body=body)
                return str(notifications.process(notification=found).state)
            if number % 3 == 1:
                return str(getattr(janitor.ask(order=order), "state", ""))
            return "asked" if ask().pk == order.pk else "another"

    ended = together(9, settle)

    assert not [each for each in ended if isinstance(each, Exception) and not isinstance(each, DomainError)]
    assert ended[0::3] == ["processed"] * 3
    assert ended[1::3] == ["succeeded"] * 3
    assert ended[2::3] == ["asked"] * 3
    assert holds(purse) == (eur(6_002) if kind == "top_up" else eur(3_998))
    scope = "wallets.top_up" if kind == "top_up" else "wallets.withdrawal"
    assert Journal.objects.posted().filter(source=order.source, scope=scope).count() == 1


@pytest.mark.parametrize("kind", ["top_up", "withdrawal"])
def test_settled_from_all_sides_at_once_it_is_booked_once(together: Together, kind: str):
    for _ in range(ROUNDS):
        race(together, kind)


def test_two_begun_at_once_under_one_reference_are_one_order(together: Together):
    for number in range(ROUNDS):
        purse = wallet()

        ended = together(4, lambda _each, number=number, purse=purse: top_up(purse, 1_000, reference=f"r{number}").pk)

        assert (len(set(ended)), holds(purse)) == (1, eur(1_000))


def room(together: Together) -> None:
    """There is room for one of those that are begun at once, and none is decided: one is begun."""
    purse = wallet()
    cap(1_500, measure="balance", period="always", currency="EUR", member=purse.member)

    begun = together(4, lambda number: top_up(purse, 1_002, reference=f"r{number}").state)

    assert len(winners(begun, BalanceLimitExceeded)) == 1
    assert TopUp.objects.filter(member=purse.member).count() == 1


def test_top_ups_begun_at_once_share_the_most_that_may_be_held(together: Together):
    for _ in range(ROUNDS):
        room(together)


def test_without_the_member_s_lock_more_is_begun_than_may_be_held(together: Together, monkeypatch: pytest.MonkeyPatch):
    """The control: nobody waits for anybody."""
    monkeypatch.setattr(MemberQuerySet, "lock", lambda self, pk: self.get(pk=pk))

    def rounds() -> None:
        for _ in range(2 * ROUNDS):
            room(together)

    with pytest.raises(AssertionError):
        rounds()


def test_without_its_lock_and_its_reference_it_is_booked_twice(together: Together, monkeypatch: pytest.MonkeyPatch):
    """The control: the race finds the bug that it is there to find."""

    def unlocked(order: Any) -> Any:
        return type(order).objects.select_related("member", "wallet__account").get(pk=order.pk)

    def update(order: Any, **columns: Any) -> None:
        type(order).objects.filter(pk=order.pk).update(**columns)
        for name, value in columns.items():
            setattr(order, name, value)

    def post(order: Any, scope: str, *entries: ledger.Entry, kind: str = "") -> Any:
        named = {"kind": kind or order.noun, "scope": scope, "source": order.source}
        return ledger.post(*entries, reference=str(uuid4()), **named).journal_id

    monkeypatch.setattr(orders, "locked", unlocked)
    monkeypatch.setattr(orders, "update", update)
    monkeypatch.setattr(bookings, "_post", post)
    monkeypatch.setattr(bookings, "takes", lambda _wallet: True)

    def rounds() -> None:
        for _ in range(20 * ROUNDS):
            race(together, "top_up")

    with pytest.raises(AssertionError):
        rounds()
