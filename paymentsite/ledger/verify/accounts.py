"""Accounts against the audit trail, which is sealed apart from them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final

from paymentsite.core.disclosure import clear, disclosed, named
from paymentsite.core.models import AuditEntry
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Account, AccountEvent, Balance
from paymentsite.ledger.services.accounts import FLOOR_SET, OPENED, OPENING, STATUS_SET, change, identity
from paymentsite.ledger.verify.scope import scope

_CHUNK: Final = 1_000
_ACTS: Final = {OPENED: "opened", STATUS_SET: "status", FLOOR_SET: "floor"}


@check(
    "ledger.account_is_as_recorded",
    "Each account is what it was opened as, and its changes are those on the audit trail.",
)
def account_is_as_recorded(run: Run) -> Iterator[Fault]:
    accounts = Account.objects.order_by("pk")
    if (touched := scope(run).accounts) is not None:
        accounts = accounts.filter(pk__in=touched)
    chunk: list[Account] = []
    for account in accounts.iterator(chunk_size=_CHUNK):
        chunk.append(account)
        if len(chunk) == _CHUNK:
            yield from _compare(chunk)
            chunk = []
    yield from _compare(chunk)


def _compare(accounts: Sequence[Account]) -> Iterator[Fault]:
    told: dict[str, list[AuditEntry]] = defaultdict(list)
    entries = AuditEntry.objects.filter(subject__in=[named(account) for account in accounts], act__in=_ACTS)
    for entry in entries.order_by("pk"):
        told[entry.subject].append(entry)
    events: dict[int, list[AccountEvent]] = defaultdict(list)
    for event in AccountEvent.objects.filter(account__in=accounts).order_by("pk"):
        events[event.account_id].append(event)
    for account in accounts:
        trail = told[named(account)]
        yield from _compare_one(account, trail, events[account.pk])


def _compare_one(account: Account, trail: Sequence[AuditEntry], events: Sequence[AccountEvent]) -> Iterator[Fault]:
    subject = f"account {account.pk}"
    opened = _after(trail[0]) if trail and trail[0].act == OPENED else {}
    if not opened:
        yield subject, "the audit trail does not tell of its opening"
        return
    # The trail keeps no card number and no secret, be it somebody's name: each is told as it is kept there.
    for name, value in disclosed(identity(account)).items():
        if opened.get(name) != value:
            yield subject, f"its {name} is {value!r}, it was opened with {opened.get(name)!r}"
    for entry, event in zip_longest(trail, events):
        if entry is None or event is None or _recorded(entry) != _happened(event):
            what = "nothing" if event is None else f"event {event.pk}"
            yield subject, f"{what} stands where the audit trail has {'nothing' if entry is None else entry.act}"


def _recorded(entry: AuditEntry) -> tuple[Any, ...]:
    if entry.act == OPENED:
        opened = {"status": Balance.Status.OPEN, "floor_minor": _after(entry).get("floor_minor"), "seq": 0}
        return ("opened", opened, entry.by, OPENING, entry.at)
    return (_ACTS[entry.act], entry.after, entry.by, entry.reason, entry.at)


def _after(entry: AuditEntry) -> dict[str, Any]:
    return dict(entry.after) if isinstance(entry.after, dict) else {}


def _happened(event: AccountEvent) -> tuple[Any, ...]:
    return (event.kind, change(event), event.actor, clear(event.reason), event.at)
