"""What must always be true of open items: each is what the audit trail tells of it, and none is gone."""

from collections.abc import Iterator
from typing import Final

from paymentsite.core.disclosure import disclosed, named
from paymentsite.core.models import AuditEntry, OpenItem

CHUNK: Final = 1_000
_ACTS: Final = ("open_item.opened", "open_item.assigned", "open_item.closed")

Fault = tuple[str, str]


def verify() -> Iterator[Fault]:
    """What is wrong, of which item."""
    last = 0
    while chunk := list(OpenItem.objects.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        entries = AuditEntry.objects.filter(subject__in=[named(item) for item in chunk], act__in=_ACTS)
        # Of each act the last one: an item may be given to somebody more than once.
        told = {(entry.subject, entry.act): entry for entry in entries.order_by("pk")}
        for item in chunk:
            opened, assigned, closed = (told.get((named(item), act)) for act in _ACTS)
            for detail in (*_faults(item, opened, closed), *_owner(item, assigned)):
                yield f"open item {item.pk}", detail
        last = chunk[-1].pk
    yield from _gone()


def _faults(item: OpenItem, opened: AuditEntry | None, closed: AuditEntry | None) -> Iterator[str]:
    what = disclosed({"kind": item.kind, "about": item.subject, "why": item.why})
    if opened is None or (opened.after, opened.by, opened.at) != (what, item.opened_by, item.since):
        yield "the audit trail tells otherwise of how it was opened"
    done = item.state == OpenItem.State.DONE
    if done != (closed is not None):
        yield f"is {item.state}, and {'closed' if closed else 'open'} by the audit trail"
    elif closed is not None and (closed.by, closed.reason, closed.at) != (item.closed_by, item.note, item.closed_at):
        yield "the audit trail tells otherwise of how it was closed"
    elif not done and item.note:
        yield "is open, and has a note of what was done about it"


def _owner(item: OpenItem, assigned: AuditEntry | None) -> Iterator[str]:
    if (assigned.after if assigned else {"owner": ""}) != disclosed({"owner": item.owner}):
        yield "the audit trail tells otherwise of whose it is"


def _gone() -> Iterator[Fault]:
    there = set(OpenItem.objects.values_list("pk", flat=True))
    told = AuditEntry.objects.filter(act=_ACTS[0]).order_by("pk").values_list("subject", flat=True)
    for subject in told.iterator(CHUNK):
        key = subject.rpartition(":")[2]
        if not (key.isdecimal() and int(key) in there):
            yield f"open item {key}", "was opened by the audit trail, and is gone"
