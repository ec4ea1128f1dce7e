"""Gateways to arrange tests with: the sandbox, its file in a folder of the test's own, and a world around it."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.test import override_settings

from members.models import Member
from members.services import pins
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from tests.factories import fund
from tests.members.factories import member as joined
from tests.wallets.saved import bank_account
from wallets.gateways import registry
from wallets.gateways.base import Answer, Capability, Order, Outcome
from wallets.gateways.sandbox import _TABLES, Sandbox
from wallets.models import Instrument, TopUp, Wallet, Withdrawal
from wallets.services import janitor, notifications, routing, sandbox, top_ups, wallets, withdrawals

PIN = Secret("802751")
CURRENCY = "EUR"


@contextmanager
def sandboxes(folder: Path, *names: str, adapter: str = "wallets.gateways.sandbox.Sandbox") -> Iterator[None]:
    """Sandbox gateways called ``names`` are configured, each with a file of its own."""
    made = {
        name: {"adapter": adapter, "path": str(folder / f"{name}.sqlite3"), "key": f"key of {name}", "slow_seconds": 0}
        for name in names
    }
    with override_settings(GATEWAYS=made):
        yield


@contextmanager
def sandbox_as_of(made: Path, folder: Path) -> Iterator[None]:
    """The sandbox gateway knows what the one in ``made`` knows, and what becomes of it stays in ``folder``."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    with sandboxes(folder, "sandbox"):
        yield


class Remembering(Sandbox):
    """The sandbox with its file in memory: for one process, without the disk's pace, and it can be made to forget."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._file = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._file.row_factory = sqlite3.Row
        self._file.executescript(_TABLES)

    def forget(self) -> None:
        for table in ("orders", "messages", "acts"):
            self._file.execute(f"DELETE FROM {table}")  # noqa: S608  our own names

    @contextmanager
    def _memory(self) -> Iterator[sqlite3.Connection]:
        self._file.execute("BEGIN")
        with self._file:
            yield self._file


class Unable(Remembering):
    """A gateway whose pages stay as they are."""

    capabilities = frozenset(Capability) - {Capability.CANCEL}

    def cancel(self, order: Order) -> Answer:
        raise AssertionError(f"it cannot, and was asked for {order.reference}")


class Silent(Remembering):
    """A gateway that takes back what it is asked to, and never says so."""

    def cancel(self, order: Order) -> Answer:
        super().cancel(order)
        return Answer(outcome=Outcome.UNKNOWN, reason="no_answer")


def gateway(name: str = "sandbox") -> Sandbox:
    found = registry.get(name)
    assert isinstance(found, Sandbox)
    return found


def route(kind: str = "top_up", *, gateway: str = "sandbox", **fields: Any) -> None:
    facts = {"method": "card" if kind == "top_up" else "bank", "currency": CURRENCY, **fields}
    routing.add(by=SYSTEM, reason="test", kind=kind, gateway=gateway, **facts)


def eur(minor: int) -> Money:
    return Money(minor, CURRENCY)


def wallet(holding: int = 0, *, of: Member | None = None) -> Wallet:
    """A wallet in euros of somebody who has a payment PIN."""
    of = of or joined()
    if not pins.is_set(of):
        pins.set_pin(member=of, pin=PIN, by=SYSTEM)
    found = wallets.open(member=of, currency=CURRENCY, by=SYSTEM)
    if holding:
        fund(found.account, holding)
    return found


def top_up(purse: Wallet, minor: int, *, reference: str = "r1", method: str = "card", **more: Any) -> TopUp:
    return top_ups.begin(
        member=purse.member,
        wallet=purse,
        amount=Money(minor, purse.currency),
        method=method,
        reference=reference,
        by=Actor.of(purse.member.user),
        **more,
    )


def withdraw(purse: Wallet, minor: int, *, to: Instrument | None = None, reference: str = "r1") -> Withdrawal:
    return withdrawals.request(
        member=purse.member,
        wallet=purse,
        amount=Money(minor, purse.currency),
        instrument=to or bank_account(of=purse.member, verified=True),
        reference=reference,
        by=Actor.of(purse.member.user),
        pin=PIN,
    )


def let_time_pass(duration: timedelta = timedelta(days=2), *, since: Any = None, notified: bool = True) -> None:
    """What falls due at gateways and in the janitor's book happens, each at its moment."""
    moment, end = since or clock.now(), (since or clock.now()) + duration
    while moment < end:
        following = [janitor.next_due(moment), *([sandbox.next_delivery(moment)] if notified else []), end]
        moment = min(each for each in following if each)
        with clock.standing(moment):
            if notified:
                sandbox.deliver(now=moment)
            notifications.process_left()
            janitor.ask_due(now=moment)
