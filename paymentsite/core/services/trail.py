"""What the audit trail tells of terms, and whether they are so.

Told is what the database has, not what somebody meant to write; see docs/decisions/183-terms-are-told.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db.models import Max, Model

from paymentsite.core import terms
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.acts import act
from paymentsite.core.disclosure import disclosed
from paymentsite.core.findings import Finding
from paymentsite.core.models import AuditEntry
from paymentsite.core.services import audit
from paymentsite.core.terms import Decided, Image

TOLD: Final = "terms.told"
CHUNK: Final = 2_000


def tell(*rows: Model, by: Actor, reason: str = "") -> None:
    """The trail says what each of ``rows`` is, in the transaction that wrote them."""
    keys: dict[type[Model], list[Any]] = defaultdict(list)
    for row in rows:
        keys[type(row)].append(row.pk)
    images = {
        _subject(decided, pk): image
        for decided, written in ((terms.of(model), keys[model]) for model in keys)
        for pk, image in decided.images(decided.rows.filter(pk__in=written).order_by("pk"))
    }
    audit.record_each(by=by, act=TOLD, after=images, reason=reason)


@act
def tell_untold(*, by: Actor = SYSTEM) -> int:
    """The trail knows of every row, as it is now, of which it knew nothing; how many these were.

    For whoever runs a site whose rows were set before anything was told. What was told and differs still does.
    """
    count = 0
    for decided in terms.registered():
        for rows, told in _parts(decided):
            images = {subject: image for subject, (_pk, image) in rows.items() if subject not in told}
            audit.record_each(by=by, act=TOLD, after=images, reason="as it stood")
            count += len(images)
    return count


def verify() -> Iterator[Finding]:
    """Where a row is not what the trail last says of it, where it says nothing, and where it speaks of none."""
    for decided in terms.registered():
        there: set[str] = set()
        for rows, told in _parts(decided):
            for subject, (pk, image) in rows.items():
                yield from _compared(decided, pk, image, told.get(subject))
            there.update(rows)
        yield from _gone(decided, there)


def _parts(decided: Decided) -> Iterator[tuple[dict[str, tuple[Any, Image]], dict[str, Any]]]:
    """All rows, some at a time: each with its key and what it is, and what the trail last says of them."""
    last: Any = None
    while chunk := list(decided.images(_after(decided, last))):
        rows = {_subject(decided, pk): (pk, image) for pk, image in chunk}
        yield rows, _told(rows)
        last = chunk[-1][0]


def _subject(decided: Decided, pk: Any) -> str:
    return f"{decided.model._meta.label_lower}:{pk}"


def _after(decided: Decided, pk: Any) -> Any:
    rows = decided.rows if pk is None else decided.rows.filter(pk__gt=pk)
    return rows.order_by("pk")[:CHUNK]


def _told(subjects: Iterable[str]) -> dict[str, Any]:
    """What the newest entry says of each."""
    entries = AuditEntry.objects.filter(act=TOLD, subject__in=list(subjects))
    newest = entries.values("subject").annotate(newest=Max("pk")).values("newest")
    return dict(AuditEntry.objects.filter(pk__in=newest).values_list("subject", "after"))


def _compared(decided: Decided, pk: Any, image: Image, told: Any) -> Iterator[Finding]:
    if image == told:
        return
    if not isinstance(told, dict):
        yield _finding(decided, pk, "the audit trail does not know of it")
        return
    then, now = {**decided.defaults, **told}, disclosed(image)
    for column, value in now.items():
        if value != then[column]:
            yield _finding(decided, pk, f"its {column} is {value}, by the audit trail {then[column]}")


def _gone(decided: Decided, there: set[str]) -> Iterator[Finding]:
    told = AuditEntry.objects.filter(act=TOLD, subject__startswith=_subject(decided, ""))
    for subject in told.order_by("subject").values_list("subject", flat=True).distinct().iterator(CHUNK):
        if subject not in there:
            yield _finding(decided, subject.rpartition(":")[2], "is no longer there, by the audit trail it is")


def _finding(decided: Decided, pk: Any, detail: str) -> Finding:
    return Finding("terms_told", f"{decided.model._meta.verbose_name} {pk}", detail)
