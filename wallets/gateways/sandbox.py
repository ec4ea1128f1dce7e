"""A gateway of our own, for trying things out: in this process, and each outcome to be had on purpose.

What comes of an order, ``scripts`` says. What it did it keeps in a file of its own, with its own connection: nothing
that we roll back is undone there, as at a real gateway. Its notifications are signed, and wait in the same file for
``deliveries``.
"""

import hashlib
import hmac
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from paymentsite.core import clock
from paymentsite.core.money import Money
from wallets.gateways.base import Answer, Capability, NotAuthentic, Order, OrderKind, Outcome, Receipt, Told
from wallets.gateways.scripts import AT_ONCE, OUTCOMES, SUCCESS, Script, Step, number_of

SIGNATURE: Final = "sandbox-signature"
TOLERANCE: Final = timedelta(minutes=5)
METHODS: Final = frozenset({"card", "alipay", "wechat_pay", "bank"})

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS orders (
    reference TEXT, kind TEXT, amount INTEGER, currency TEXT, script INTEGER, begun TEXT, seen INTEGER DEFAULT 1,
    PRIMARY KEY (kind, reference)
);
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY, event TEXT, due TEXT, body TEXT, delivered INTEGER DEFAULT 0
);
CREATE TABLE IF NOT EXISTS acts (reference TEXT, kind TEXT, done TEXT, at TEXT, PRIMARY KEY (kind, reference));
"""


class Sandbox:
    """The sandbox gateway; every process that opens the same file is the same gateway."""

    capabilities = frozenset(Capability)
    receipt = Receipt()

    def __init__(self, *, name: str, path: str, key: str, slow_seconds: int = 3) -> None:
        if not settings.SANDBOX:
            raise ImproperlyConfigured("The sandbox gateway moves no money: only with SANDBOX=1.")
        self.name = name
        self._path, self._key, self._slow_seconds = Path(path), key.encode(), slow_seconds

    def supports(self, *, method: str, currency: str) -> bool:
        return method in METHODS and len(currency) == 3  # noqa: PLR2004  it takes any currency

    def begin(self, order: Order) -> Answer:
        return self._asked(order)

    def pay_out(self, order: Order) -> Answer:
        return self._asked(order)

    def refund(self, order: Order) -> Answer:
        return self._asked(order)

    def query(self, reference: str, kind: OrderKind, *, gateway_reference: str = "") -> Answer:
        del gateway_reference
        with self._memory() as memory:
            found = _find(memory, kind, reference)
        if found is None or not found["seen"]:
            return Answer(outcome=Outcome.ABSENT)
        return _standing(found, clock.now())

    def read(self, headers: Mapping[str, str], body: bytes) -> Told:
        stated = next((value for name, value in headers.items() if name.lower() == SIGNATURE), "")
        at, _dot, signature = stated.partition(".")
        if not (at.isascii() and at.isdecimal() and hmac.compare_digest(self._signed(at, body), signature)):
            raise NotAuthentic
        if abs(clock.now().timestamp() - int(at)) > TOLERANCE.total_seconds():
            raise NotAuthentic
        message = json.loads(body)
        amount = Money(message["amount"], message["currency"]) if message["amount"] is not None else None
        answer = Answer(
            outcome=Outcome(message["outcome"]), gateway_reference=message["id"], amount=amount, reason="as told"
        )
        return Told(
            event_id=message["event"],
            kind=OrderKind(message["kind"]),
            about=message["reference"],
            answer=answer,
        )

    def cancel(self, order: Order) -> Answer:
        with self._memory() as memory:
            found = _find(memory, order.kind, order.reference)
            if found is None or not found["seen"]:
                return Answer(outcome=Outcome.ABSENT)
            now = clock.now()
            if order.kind == OrderKind.TOP_UP and _standing(found, now).outcome == Outcome.REQUIRES_ACTION:
                self._acted(memory, found, Outcome.FAILED)
                found = _find(memory, order.kind, order.reference) or found
            return _standing(found, now)

    def confirm(self, reference: str, *, agreed: bool) -> None:
        """The member did on the gateway's page what was required, or refused to."""
        with self._memory() as memory:
            if found := _find(memory, OrderKind.TOP_UP, reference):
                self._acted(memory, found, Outcome.SUCCEEDED if agreed else Outcome.FAILED)

    def deliveries(self, now: datetime) -> list[tuple[int, dict[str, str], bytes]]:
        """What is to be told by ``now`` and was not heard yet: a number to call ``heard`` with, headers, body."""
        with self._memory() as memory:
            due = memory.execute(
                "SELECT number, body FROM messages WHERE due <= ? AND NOT delivered ORDER BY due, number",
                (now.isoformat(),),
            ).fetchall()
        return [(row["number"], self.headers(row["body"].encode()), row["body"].encode()) for row in due]

    def heard(self, number: int) -> None:
        """The site answered 200: this is not told again."""
        with self._memory() as memory:
            memory.execute("UPDATE messages SET delivered = 1 WHERE number = ?", (number,))

    def next_delivery(self, after: datetime) -> datetime | None:
        """When, later than ``after``, there is something to be told next."""
        with self._memory() as memory:
            (due,) = memory.execute(
                "SELECT MIN(due) FROM messages WHERE due > ? AND NOT delivered", (after.isoformat(),)
            ).fetchone()
        return datetime.fromisoformat(due) if due else None

    def headers(self, body: bytes) -> dict[str, str]:
        """With what a notification is sent."""
        at = str(int(clock.now().timestamp()))
        return {SIGNATURE: f"{at}.{self._signed(at, body)}"}

    def _signed(self, at: str, body: bytes) -> str:
        return hmac.new(self._key, at.encode() + b"." + body, hashlib.sha256).hexdigest()

    def _asked(self, order: Order) -> Answer:
        now = clock.now()
        with self._memory() as memory:
            found = _find(memory, order.kind, order.reference)
            if found is None:
                found = self._begun(memory, order, now)
                if (script := _script(found)).slow:
                    time.sleep(self._slow_seconds)
                if script.says:
                    return Answer(outcome=script.says, reason="the sandbox does not say")
                return _standing(found, now)
            if not found["seen"]:
                # The first request was lost on its way. This one is not.
                memory.execute(
                    "UPDATE orders SET seen = 1, begun = ? WHERE kind = ? AND reference = ?",
                    (now.isoformat(), order.kind, order.reference),
                )
                found = _find(memory, order.kind, order.reference) or found
                self._announced(memory, found, now)
            return _standing(found, now)

    def _acted(self, memory: sqlite3.Connection, found: sqlite3.Row, done: Outcome) -> None:
        """What was required is done, or never will be; the first time it counts."""
        now = clock.now()
        memory.execute(
            "INSERT OR IGNORE INTO acts VALUES (?, ?, ?, ?)", (found["reference"], found["kind"], done, now.isoformat())
        )
        found = _find(memory, found["kind"], found["reference"]) or found
        self._announce(memory, found, now, _standing(found, now))

    def _begun(self, memory: sqlite3.Connection, order: Order, now: datetime) -> sqlite3.Row:
        original = _find(memory, OrderKind.TOP_UP, order.original) if order.kind == OrderKind.REFUND else None
        script = original["script"] if original else number_of(order)
        arrives = OUTCOMES.get(script, SUCCESS).arrives or order.kind == OrderKind.REFUND
        memory.execute(
            "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                order.reference,
                order.kind,
                order.amount.minor,
                order.amount.unit,
                script,
                now.isoformat(),
                arrives,
            ),
        )
        found = _find(memory, order.kind, order.reference)
        if found is None:
            raise AssertionError("it was written just now")
        if arrives:
            self._announced(memory, found, now)
        return found

    def _announced(self, memory: sqlite3.Connection, found: sqlite3.Row, now: datetime) -> None:
        """Everything that will be told of the order is written down, each for its moment."""
        for step in _script(found).messages():
            self._announce(memory, found, now + step.after, _said(found, step))

    def _announce(self, memory: sqlite3.Connection, found: sqlite3.Row, due: datetime, said: Answer) -> None:
        first = memory.execute(
            "SELECT event FROM messages WHERE due = ? AND body LIKE ?", (due.isoformat(), f'%"{found["reference"]}"%')
        ).fetchone()
        event = first["event"] if first else f"evt_{uuid4().hex}"
        body = json.dumps(
            {
                "event": event,
                "id": said.gateway_reference,
                "kind": found["kind"],
                "reference": found["reference"],
                "outcome": said.outcome,
                "amount": said.amount.minor if said.amount else None,
                "currency": said.amount.unit if said.amount else "",
            }
        )
        memory.execute("INSERT INTO messages (event, due, body) VALUES (?, ?, ?)", (event, due.isoformat(), body))

    @contextmanager
    def _memory(self) -> Iterator[sqlite3.Connection]:
        """The gateway's own file: what is done inside is kept, whatever becomes of our transaction."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        memory = sqlite3.connect(self._path, timeout=20)
        memory.row_factory = sqlite3.Row
        try:
            memory.executescript(_TABLES)
            with memory:
                memory.execute("BEGIN IMMEDIATE")
                yield memory
        finally:
            memory.close()


def _find(memory: sqlite3.Connection, kind: str, reference: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = memory.execute(
        "SELECT o.*, a.done, a.at FROM orders o LEFT JOIN acts a ON a.kind = o.kind AND a.reference = o.reference"
        " WHERE o.kind = ? AND o.reference = ?",
        (kind, reference),
    ).fetchone()
    return found


def _script(found: Mapping[str, Any] | sqlite3.Row) -> Script:
    script = OUTCOMES.get(found["script"], SUCCESS)
    return script.as_refund() if found["kind"] == OrderKind.REFUND else script


def _standing(found: sqlite3.Row, now: datetime) -> Answer:
    """How the order stands at ``now``, by its script and by what the member did."""
    script, begun = _script(found), datetime.fromisoformat(found["begun"])
    now = max(now, begun)
    step = [step for step in script.steps if begun + step.after <= now][-1]
    if found["done"] and step.outcome == Outcome.REQUIRES_ACTION:
        step = Step(AT_ONCE, Outcome(found["done"]))
    return _said(found, step)


def _said(found: sqlite3.Row, step: Step) -> Answer:
    script, waits = _script(found), step.outcome == Outcome.REQUIRES_ACTION
    return Answer(
        outcome=step.outcome,
        gateway_reference=f"sb_{found['reference']}",
        amount=step.moved(Money(found["amount"], found["currency"])),
        reason=script.name,
        action_url=f"{settings.SITE_URL.rstrip('/')}/sandbox/gateway/{found['reference']}/" if waits else "",
        untried=script.untried and step.outcome == Outcome.FAILED,
    )
