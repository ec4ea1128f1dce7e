"""Moves what is stored from old keys to the current ones, beside everything else that writes.

No row is waited for: a batch takes the rows that are free at that moment, writes those that still hold what
was read, and leaves the others to the next pass. So it can neither lose another writer's value nor be part
of a deadlock, and it may be stopped and started anywhere. docs/decisions/023 has the reasons.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, Final

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.db.models import Q, QuerySet

from paymentsite.core import clock
from paymentsite.core.models.vault import KeyRotation
from paymentsite.core.vault import loading, lookup
from paymentsite.core.vault.envelope import Envelope
from paymentsite.core.vault.errors import Undecipherable
from paymentsite.core.vault.fields import DigestField, EncryptedField
from paymentsite.core.vault.keyring import Purpose

PASSES_MAX: Final = 20
# Rows that others hold are tried again after this long, then twice as long, and so on: ten seconds in all.
LOCKED_SECONDS: Final = 0.05

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Guarded:
    """A model and those of its own columns that are under keys."""

    model: type[models.Model]
    encrypted: tuple[EncryptedField, ...]
    digests: tuple[DigestField, ...]

    @property
    def name(self) -> str:
        return self.model._meta.label

    @property
    def rows(self) -> QuerySet[models.Model]:
        """Every row: a manager that hides some would leave them behind on the old key."""
        return QuerySet(self.model)

    def stale(self) -> QuerySet[models.Model]:
        """The rows with anything that can be moved to a current key."""
        return self.rows.filter(reduce(or_, [*map(_old_envelope, self.encrypted), *map(_old_digest, self.digests)]))

    def stranded(self) -> int:
        """Old digests whose content is gone: nothing can make them anew, so their key stays."""
        lost = [_old(column) & Q(**{f"{column.of}__isnull": True}) for column in self.digests]
        return self.rows.filter(reduce(or_, lost)).count() if lost else 0

    def under(self, key_id: str) -> int:
        """How many rows need the key of that id."""
        needing = [Q(**{f"{column.attname}__under_key": key_id}) for column in self.encrypted]
        needing += [Q(**{f"{column.attname}__startswith": f"{key_id}."}) for column in self.digests]
        return self.rows.filter(reduce(or_, needing)).count()


@dataclass(slots=True)
class Progress:
    """How far one table is. ``failed`` names the rows that could not be read, or not be written."""

    table: str
    total: int
    left: int = 0
    moved: int = 0
    failed: dict[Any, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.table}: {self.moved} moved, {len(self.failed)} failed, of {self.total}"


def guarded() -> list[Guarded]:
    """Every table with encrypted columns; a column is found because it is declared, nobody has to list it."""
    found = []
    for model in apps.get_models():
        columns = model._meta.local_concrete_fields
        encrypted = tuple(column for column in columns if isinstance(column, EncryptedField))
        if encrypted and model._meta.managed and not model._meta.proxy:
            digested = tuple(column for column in columns if isinstance(column, DigestField))
            found.append(Guarded(model, encrypted, digested))
    return found


def rotate(
    table: Guarded,
    *,
    batch: int = 200,
    pause: float = 0.0,
    report: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Move ``table`` to the current keys, going on where an interrupted run stopped.

    Afterwards no row is under another key, except those named in ``failed`` and those that others held locked
    through every pass; running it again is always right.
    """
    record = _begun(table)
    progress = Progress(table.name, table.stale().count())
    for passes in range(PASSES_MAX):
        time.sleep(passes * LOCKED_SECONDS)
        for rows in _batches(table, record, batch):
            _move(table, rows, record, progress)
            report(progress)
            time.sleep(pause)
        record.position = ""
        progress.left = table.stale().count()
        if progress.left <= len(progress.failed):
            break
    record.finished_at = record.updated_at = clock.now()
    record.save(update_fields=["position", "updated_at", "finished_at"])
    return progress


def _begun(table: Guarded) -> KeyRotation:
    now = clock.now()
    target = " ".join(
        f"{purpose}={loading.keys().ring(purpose).current.id}" for purpose in Purpose if purpose is not Purpose.SIGNING
    )
    record, _ = KeyRotation.objects.get_or_create(
        table=table.name, target=target, defaults={"started_at": now, "updated_at": now}
    )
    if record.finished_at:
        record.finished_at = None
        record.save(update_fields=["finished_at"])
    return record


def _batches(table: Guarded, record: KeyRotation, size: int) -> Iterator[list[Row]]:
    """The stale rows from the record's position on, in order of their primary keys."""
    binding = {column.attname for each in table.encrypted for column in each.binding_columns()}
    names = {"pk", *binding, *(column.attname for column in (*table.encrypted, *table.digests))}
    key = table.model._meta.pk
    rows = table.stale().order_by("pk").values(*names)
    while batch := list(rows.filter(pk__gt=key.to_python(record.position))[:size] if record.position else rows[:size]):
        yield batch


def _move(table: Guarded, rows: list[Row], record: KeyRotation, progress: Progress) -> None:
    changes: dict[Any, tuple[Row, Row]] = {}
    for row in rows:
        try:
            changes[row["pk"]] = row, _renewed(table, row)
            progress.failed.pop(row["pk"], None)
        except Undecipherable:
            progress.failed[row["pk"]] = "cannot be decrypted"
    try:
        moved = _write(table, changes)
    except IntegrityError:
        moved = _write_singly(table, changes, progress)
    progress.moved += moved
    record.position = str(rows[-1]["pk"])
    record.rows_seen += len(rows)
    record.rows_moved += moved
    record.updated_at = clock.now()
    record.save(update_fields=["position", "rows_seen", "rows_moved", "updated_at"])


def _renewed(table: Guarded, row: Row) -> Row:
    """The columns of ``row`` under the current keys; the envelopes by way of their content, always."""
    new: Row = {}
    for column in table.encrypted:
        held: Envelope | None = row[column.attname]
        if held is None:
            continue
        bound_to = tuple(part.to_python(row[part.attname]) for part in column.binding_columns())
        content = column.decrypted(held, bound_to)
        if held.key_id != loading.keys().ring(column.purpose).current.id:
            new[column.attname] = column.encrypted(content, bound_to)
        for digested in table.digests:
            if digested.of == column.name:
                new[digested.attname] = lookup.digest(content, label=digested.label)
    return new


def _write(table: Guarded, changes: dict[Any, tuple[Row, Row]]) -> int:
    """Write what is still as it was read; the count of rows written."""
    with transaction.atomic():
        free = table.rows.filter(pk__in=changes).select_for_update(skip_locked=True, of=("self",))
        return sum(
            table.rows.filter(pk=pk).filter(_unchanged(table, changes[pk][0])).update(**changes[pk][1])
            for pk in list(free.values_list("pk", flat=True))
        )


def _write_singly(table: Guarded, changes: dict[Any, tuple[Row, Row]], progress: Progress) -> int:
    """A row whose new digest another row has already must not hold up the rest of its batch."""
    moved = 0
    for pk, change in changes.items():
        try:
            moved += _write(table, {pk: change})
        except IntegrityError:
            progress.failed[pk] = "has the same content as another row"
    return moved


def _unchanged(table: Guarded, row: Row) -> Q:
    """True of the row only while everything that its new values were made from is what was read."""
    same = Q()
    for column in (*table.encrypted, *table.digests):
        held = row[column.attname]
        if held is None:
            same &= Q(**{f"{column.attname}__isnull": True})
        else:
            same &= Q(**{f"{column.attname}__unchanged" if isinstance(held, Envelope) else column.attname: held})
    return same


def _old_envelope(column: EncryptedField) -> Q:
    current = loading.keys().ring(column.purpose).current.id
    return Q(**{f"{column.attname}__isnull": False}) & ~Q(**{f"{column.attname}__under_key": current})


def _old_digest(column: DigestField) -> Q:
    return _old(column) & Q(**{f"{column.of}__isnull": False})


def _old(column: DigestField) -> Q:
    current = loading.keys().ring(Purpose.DIGEST).current.id
    return Q(**{f"{column.attname}__isnull": False}) & ~Q(**{f"{column.attname}__startswith": f"{current}."})
