"""The audit trail: recording acts, and sealing what was recorded.

Recording takes no lock, so that no act waits for another one's trail. A sealer that runs beside chains what
was committed and signs the chain; see docs/decisions/031-audit-sealed-beside.md.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from django.db import connection, models, transaction

from paymentsite.core import canonical, clock, origin, vault
from paymentsite.core.actors import Actor
from paymentsite.core.disclosure import clear, disclosed, named
from paymentsite.core.findings import Finding
from paymentsite.core.ids import microseconds
from paymentsite.core.models import AuditEntry, AuditLink, AuditSeal, AuditWaiting

SEAL_SIZE: Final = 10_000
CHUNK: Final = 2_000
# An advisory lock of PostgreSQL, taken by sealers alone: "audt".
SEALER_LOCK: Final = 0x61756474


def record(
    *,
    by: Actor,
    act: str,
    subject: models.Model | str,
    before: Any = None,
    after: Any = None,
    reason: str = "",
    at: datetime | None = None,
) -> AuditEntry:
    """Record that ``by`` did ``act`` to ``subject``, in the transaction of the act: with it or not at all.

    ``at`` is the moment that the row itself keeps of the act, so that the two can be compared; by default it is now.
    Secrets are taken out of the values and of the reason. Raises ``TransactionManagementError`` outside one.
    """
    [entry] = _recorded([(subject, before, after)], by=by, act=act, reason=reason, at=at)
    return entry


def record_each(*, by: Actor, act: str, after: Mapping[str, Any], reason: str = "") -> None:
    """Record the same act of many subjects, each with what it is ``after``: two statements, however many they are."""
    _recorded([(subject, None, value) for subject, value in after.items()], by=by, act=act, reason=reason)


def _recorded(
    facts: Iterable[tuple[models.Model | str, Any, Any]],
    *,
    by: Actor,
    act: str,
    reason: str,
    at: datetime | None = None,
) -> list[AuditEntry]:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(f"{act} must be recorded in the transaction that does it")

    at, where = at or clock.now(), origin.current()
    entries = AuditEntry.objects.bulk_create(
        AuditEntry(
            at=at,
            by=str(by),
            act=act,
            subject=clear(named(subject)),
            before=None if before is None else disclosed(before),
            after=None if after is None else disclosed(after),
            reason=clear(reason),
            request_id=clear(where.request_id),
            address=where.address,
        )
        for subject, before, after in facts
    )
    AuditWaiting.objects.bulk_create(AuditWaiting(entry=entry) for entry in entries)
    return entries


@transaction.atomic
def seal(*, size: int = SEAL_SIZE) -> AuditSeal | None:
    """Chain and sign up to ``size`` entries that wait; None when none does. Sealers that run at once queue.

    What is sealed is what is deleted from the waiting rows. A watermark over ids would lose entries for ever,
    since a smaller id can be committed after a larger one.
    """
    _queue()
    waiting = list(AuditWaiting.objects.order_by("entry_id").values_list("entry_id", flat=True)[:size])
    if not waiting:
        return None
    last = AuditSeal.objects.order_by("-number").first()
    position, head = (last.last_position, bytes(last.head)) if last else (0, b"")

    links = []
    for entry in AuditEntry.objects.filter(pk__in=waiting).order_by("pk"):
        position += 1
        head = link_digest(head, position, entry)
        links.append(AuditLink(position=position, entry=entry, digest=head))
    AuditLink.objects.bulk_create(links, batch_size=CHUNK)
    AuditWaiting.objects.filter(pk__in=waiting).delete()

    made = AuditSeal(number=last.number + 1 if last else 1, last_position=position, head=head, sealed_at=clock.now())
    made.key_id, made.signature = vault.sign(_message(made))
    made.save(force_insert=True)
    return made


def seal_all() -> int:
    """Seal everything that waits; how many seals it took."""
    return sum(1 for _ in iter(seal, None))


def head() -> str:
    """The newest seal's number and head, to be kept outside for ``verify``; empty before the first seal."""
    newest = AuditSeal.objects.order_by("-number").first()
    return str(newest) if newest else ""


def link_digest(previous: bytes, position: int, entry: AuditEntry) -> bytes:
    """The digest of ``entry`` at ``position``, after the link whose digest is ``previous``."""
    return canonical.digest(
        [
            "paymentsite audit link 1",
            previous.hex(),
            str(position),
            str(entry.pk),
            str(microseconds(entry.at)),
            entry.by,
            entry.act,
            entry.subject,
            canonical.text(entry.before),
            canonical.text(entry.after),
            entry.reason,
            entry.request_id,
            entry.address,
        ]
    )


def knows(exported: str) -> bool:
    """Whether a head that was exported earlier is still one of the trail: cut off or rewritten, it is not."""
    number, _colon, _digest = exported.partition(":")
    made = AuditSeal.objects.filter(number=number).first() if number.isdecimal() else None
    return made is not None and str(made) == exported


def verify() -> list[Finding]:
    """What is wrong with the trail; empty when the chain recomputes, each seal is ours, each row covered."""
    seals = list(AuditSeal.objects.order_by("number"))
    return [
        *_chain_findings(seals[-1].last_position if seals else 0, {s.last_position: s for s in seals}),
        *_seal_findings(seals),
        *_coverage_findings(),
    ]


def _queue() -> None:
    # On SQLite the transaction itself has the only write lock.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEALER_LOCK])


def _message(made: AuditSeal) -> bytes:
    fields = [
        str(made.number),
        str(made.last_position),
        bytes(made.head).hex(),
        str(microseconds(made.sealed_at)),
    ]
    return b"paymentsite audit seal 1 " + canonical.digest(fields)


def _chain_findings(end: int, seals: dict[int, AuditSeal]) -> Iterator[Finding]:
    """Each link is checked against the digest stored before it: an altered row is named, not all after it."""
    before: bytes | None = b""
    expected = 1
    while chunk := list(
        AuditLink.objects.filter(position__gte=expected, position__lte=end).order_by("position")[:CHUNK]
    ):
        entries = AuditEntry.objects.in_bulk([link.entry_id for link in chunk])
        for link in chunk:
            if link.position != expected:
                yield Finding("audit_link_missing", f"position {expected}", f"the chain goes on at {link.position}")
                before = None
            yield from _link_findings(link, entries.get(link.entry_id), before)
            before, expected = bytes(link.digest), link.position + 1
            if (made := seals.get(link.position)) and bytes(made.head) != before:
                yield Finding("audit_seal", f"seal {made.number}", "signs another head than the chain has there")
    if expected <= end:
        yield Finding("audit_link_missing", f"position {expected}", f"the chain ends before {end}, which is sealed")


def _link_findings(link: AuditLink, entry: AuditEntry | None, before: bytes | None) -> Iterator[Finding]:
    if entry is None:
        yield Finding("audit_deleted", f"entry {link.entry_id}", f"was sealed at position {link.position}, and is gone")
    elif before is not None and link_digest(before, link.position, entry) != bytes(link.digest):
        what = f"{entry.act} of {entry.subject} by {entry.by}"
        yield Finding("audit_altered", f"entry {entry.pk}", f"{what} is not what was sealed at {link.position}")


def _seal_findings(seals: list[AuditSeal]) -> Iterator[Finding]:
    for expected, made in enumerate(seals, start=seals[0].number if seals else 1):
        if made.number != expected:
            yield Finding("audit_seal", f"seal {made.number}", f"seal {expected} should have come before it")
            break
    for made in seals:
        if not vault.verify(_message(made), made.key_id, bytes(made.signature)):
            yield Finding("audit_seal", f"seal {made.number}", f"is not signed by our key {made.key_id}")
    if seals and seals[0].number != 1:
        yield Finding("audit_seal", "seal 1", f"is gone: the first is {seals[0].number}")


def _coverage_findings() -> Iterator[Finding]:
    covered = models.Q(link__isnull=False) | models.Q(waiting__isnull=False)
    for pk in AuditEntry.objects.exclude(covered).order_by("pk").values_list("pk", flat=True):
        yield Finding("audit_inserted", f"entry {pk}", "is neither sealed nor waiting: it was not recorded by us")
    for pk in AuditWaiting.objects.filter(entry__link__isnull=False).values_list("pk", flat=True):
        yield Finding("audit_waiting", f"entry {pk}", "is sealed, and waits to be sealed")
    newest = AuditSeal.objects.order_by("-number").values("last_position")[:1]
    sealed = models.functions.Coalesce(models.Subquery(newest), 0)
    outside = models.Q(position__gt=sealed) | models.Q(position__lt=1)
    for link in AuditLink.objects.filter(outside).order_by("position"):
        yield Finding("audit_inserted", f"position {link.position}", f"links entry {link.entry_id}, under no seal")
