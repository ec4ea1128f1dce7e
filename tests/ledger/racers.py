"""What one racer does: functions of its number and of plain facts, so that a thread or a process may run them."""

import random
import time
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from django.db import DatabaseError

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.acts import act, attempt
from paymentsite.core.errors import DomainError
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance, Hold, Journal

WAYS = ("post", "post_many", "act")


class Told(NamedTuple):
    """How an act ended: ``posted`` or the refusal's code, or the error that should not have come."""

    word: str
    journal: str = ""
    fresh: bool = False
    facts: str = ""


def tell(act_: Callable[[], ledger.Posted | None]) -> Told:
    try:
        posted = act_()
    except DomainError as refusal:
        return Told(refusal.code, facts=repr(sorted(refusal.facts.items())))
    except DatabaseError as error:
        return Told(_first_line(error))
    if posted is None:
        return Told("done")
    return Told("posted", str(posted.journal_id), not posted.replayed, repr(sorted(posted.balances.items())))


def _first_line(error: DatabaseError) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def send(draft: ledger.Draft, way: str) -> ledger.Posted:
    """``draft`` by one of the three ways in."""
    if way == "post_many":
        outcome = ledger.post_many([draft])[0]
        if isinstance(outcome, DomainError):
            raise outcome
        return outcome
    if way == "act":
        return attempt(lambda: send(draft, "post"))
    return ledger.post(
        *draft.entries, reference=draft.reference, scope=draft.scope, kind=draft.kind, parent=draft.parent
    )


def draft_of(reference: str, *entries: ledger.Move | ledger.Undo) -> ledger.Draft:
    return ledger.Draft(entries=entries, reference=reference, scope="race")


def move(minor: int, source: int, target: int, terms: ledger.Terms | None = None) -> ledger.Move:
    accounts = Account.objects.in_bulk([source, target])
    return ledger.Move(Money(minor, accounts[source].unit), accounts[source], accounts[target], terms)


def spend(number: int, *, source: int, target: int, minor: int, reference: str, ways: tuple[str, ...] = WAYS) -> Told:
    """``minor`` from one account to another; ``reference`` and ``minor`` may differ by number."""
    draft = draft_of(reference.format(number=number), move(minor, source, target))
    return tell(lambda: send(draft, ways[number % len(ways)]))


def spend_otherwise(number: int, *, source: int, target: int, reference: str) -> Told:
    """The same reference, but each racer means another amount."""
    draft = draft_of(reference, move(number + 1, source, target))
    return tell(lambda: send(draft, WAYS[number % len(WAYS)]))


def trickle_or_ask(number: int, *, world: int, source: int, target: int, reference: str) -> Told:
    """Even racers put a little on the source, one after the other; odd ones ask for more than there can be."""
    if number % 2:
        return spend(number // 2, source=source, target=target, minor=10_000, reference=reference)
    for step in range(5):
        told = spend(step, source=world, target=source, minor=1, reference=f"{reference} in {number} {step}")
    return told


def take(number: int, *, hold: str, target: int, minor: int, reference: str, expiry: datetime | None = None) -> Told:
    """Capture, release or, where it has an ``expiry``, expire: each racer one of them."""
    held = Hold.objects.select_related("account").get(pk=UUID(hold))
    captured = ledger.Capture(Money(minor, held.unit), held, Account.objects.get(pk=target))
    acts = (captured, captured, ledger.Release(held), *([ledger.Expire(held)] if expiry else []))
    entry = acts[number % len(acts)]
    draft = draft_of(f"{reference} {number}", entry)
    if not isinstance(entry, ledger.Expire):
        return tell(lambda: send(draft, WAYS[number % 2]))
    with clock.standing(expiry or clock.now()):
        return tell(lambda: send(draft, WAYS[number % 2]))


def capture(number: int, *, hold: str, target: int, minor: int, reference: str) -> Told:
    held = Hold.objects.select_related("account").get(pk=UUID(hold))
    entry = ledger.Capture(Money(minor, held.unit), held, Account.objects.get(pk=target))
    return tell(lambda: send(draft_of(f"{reference} {number}", entry), WAYS[number % len(WAYS)]))


def undo(number: int, *, journal: str, minor: int | None, reference: str) -> Told:
    """All that is left of a journal of one posting, or ``minor`` of it."""
    posting = Journal.objects.get(pk=UUID(journal)).postings.select_related("source", "target").get()
    entry = ledger.Undo(posting, None if minor is None else Money(minor, posting.unit))
    return tell(lambda: send(draft_of(f"{reference} {number}", entry), WAYS[number % len(WAYS)]))


def issue(number: int, *, world: int, account: int, minor: int, terms: ledger.Terms, reference: str) -> Told:
    draft = draft_of(f"{reference} {number}", move(minor, world, account, terms))
    return tell(lambda: send(draft, WAYS[number % len(WAYS)]))


def shuttle(number: int, *, accounts: list[int], reference: str, acts: int, ways: tuple[str, ...]) -> list[Told]:
    """Acts of one to four legs along random chains of ``accounts``, there and back again."""
    dice = random.Random(f"{reference} {number}")
    known = Account.objects.in_bulk(accounts)
    ended = []
    for step in range(acts):
        chain = [known[pk] for pk in dice.sample(accounts, min(len(accounts), dice.randint(2, 5)))]
        legs = [ledger.Move(Money(1, a.unit), a, b) for a, b in pairwise(chain)]
        drafts = [draft_of(f"{reference} {number} {step}", *legs)]
        way = dice.choice(ways)
        if way == "post_many":
            drafts += [
                draft_of(f"{reference} {number} {step} {more}", move(1, *dice.sample(accounts, 2))) for more in range(3)
            ]
            ended += [tell(lambda: send_all(drafts))]  # noqa: B023  called at once
        else:
            ended += [tell(lambda: send(drafts[0], way))]  # noqa: B023  called at once
    return ended


def send_all(drafts: list[ledger.Draft]) -> ledger.Posted:
    """All of them in one go, and all accepted; the first one's answer."""
    first, *_ = outcomes = ledger.post_many(drafts)
    for outcome in outcomes:
        if isinstance(outcome, DomainError):
            raise outcome
    assert isinstance(first, ledger.Posted)
    return first


@act
def errands(steps: list[tuple[int, int]], reference: str) -> ledger.Posted:
    """One act of several posts, each with locks of its own, in the order in which they come."""
    for place, (source, target) in enumerate(steps):
        posted = ledger.post(move(1, source, target), reference=f"{reference} {place}", scope="race")
    return posted


def run_errands(number: int, *, accounts: list[int], reference: str, acts: int) -> list[Told]:
    dice = random.Random(f"{reference} {number}")
    ended = []
    for step in range(acts):
        order = dice.sample(accounts, len(accounts))
        steps = list(pairwise(order))
        ended.append(tell(lambda: errands(steps, f"{reference} {number} {step}")))  # noqa: B023  called at once
    return ended


def batch(number: int, *, accounts: list[int], reference: str, pool: int, drafts: int) -> list[Told]:
    """A batch out of a pool of drafts that all racers draw from, in an order of its own."""
    dice = random.Random(f"{reference} {number}")
    sent = []
    for place in dice.sample(range(pool), drafts):
        # What a reference of the pool means is the same for all, but that of each tenth differs by racer.
        source, target = random.Random(f"{reference} content {place}").sample(accounts, 2)
        minor = number + 1 if place % 10 == 0 else 1
        sent.append(draft_of(f"{reference} {place}", move(minor, source, target)))
    try:
        outcomes = ledger.post_many(sent)
    except DatabaseError as error:
        return [Told(_first_line(error))]
    return [tell(lambda: _answer(outcome)) for outcome in outcomes]  # noqa: B023  called at once


def _answer(outcome: ledger.Posted | DomainError) -> ledger.Posted:
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def open_purse(number: int, *, owner: str) -> Told:
    def opened() -> None:
        account = ledger.open_account(owner=owner, code="wallet", unit="CNY", kind=Account.Kind.LIABILITY)
        facts.append(account.pk)

    facts: list[int] = []
    return tell(opened)._replace(facts=repr(facts))


def spend_until_refused(
    number: int, *, source: int, target: int, reference: str, change: str, after: int
) -> list[Told]:
    """Racer 0 changes the source once ``after`` postings are on it; the others spend from it until refused."""
    if number:
        ended = []
        while not ended or ended[-1].word == "posted":
            step = f"{reference} {number} {len(ended)}"
            ended.append(spend(number, source=source, target=target, minor=1, reference=step))
        return ended

    account = Account.objects.get(pk=source)
    while Balance.objects.get(pk=source).seq < after:
        time.sleep(0.005)
    return [tell(lambda: _change(account, change))]


def _change(account: Account, change: str) -> None:
    if change == "freeze":
        ledger.set_status(account=account, status=Balance.Status.FROZEN, by=SYSTEM, reason="race")
        return None
    # The others spend meanwhile, so that it leaves them some room, and more each time it is refused.
    room = 50
    while True:
        floor = Balance.objects.get(pk=account.pk).posted_minor - room
        try:
            return ledger.set_floor(account=account, floor_minor=floor, by=SYSTEM, reason="race")
        except DomainError:
            room *= 2


def spend_or_seal(number: int, *, source: int, target: int, reference: str, acts: int) -> list[Told]:
    """Odd racers spend; even ones seal what there is, again and again."""
    ended = []
    for step in range(acts):
        if number % 2:
            ended.append(spend(step, source=source, target=target, minor=1, reference=f"{reference} {number} {step}"))
        else:
            ended.append(tell(_seal))
    return ended


def _seal() -> None:
    ledger.close_blocks(size=3)
