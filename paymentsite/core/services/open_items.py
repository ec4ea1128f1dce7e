"""Open items: services say what needs a person, and close it when its cause is gone; people take it and close it."""

from django.db import IntegrityError, models
from django.utils.translation import gettext_noop

from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.disclosure import clear, named
from paymentsite.core.errors import Conflict, Invalid
from paymentsite.core.models import OpenItem
from paymentsite.core.services import audit


class ItemDone(Conflict):
    code = "open_item_done"
    sentence = gettext_noop("This is done already: {item}.")


class NoteMissing(Invalid):
    code = "open_item_note_missing"
    sentence = gettext_noop("Say what was done about it.")


@act
def open(*, kind: str, subject: models.Model | str, why: str, by: Actor) -> OpenItem:  # noqa: A001  read in full
    """Have a person look at ``subject``. While such an item is open, opening another returns it unchanged."""
    first = {"why": clear(why), "since": clock.now(), "opened_by": str(by)}
    try:
        item, opened = OpenItem.objects.get_or_create(
            kind=kind, subject=named(subject), state=OpenItem.State.OPEN, defaults=first
        )
    except IntegrityError as error:
        # The open one that kept ours out was closed before it could be read. Now the place is free.
        error.begin_again = True  # type: ignore[attr-defined]
        raise
    if opened:
        what = {"kind": kind, "about": item.subject, "why": item.why}
        audit.record(by=by, act="open_item.opened", subject=item, after=what, at=item.since)
    return item


@act
def close(*, kind: str, subject: models.Model | str, by: Actor, note: str = "") -> OpenItem | None:
    """Close what is open of this kind about ``subject``: its cause is gone. None when nothing is open."""
    item = OpenItem.objects.open().about(subject).filter(kind=kind).first()
    if item is None or not _closed(item, by=by, note=note):
        return None
    return item


@act
def done(*, item: OpenItem, by: Actor, note: str) -> OpenItem:
    """Close this one item with what was done about it. Raises ``ItemDone`` when somebody was faster."""
    if not clear(note).strip():
        raise NoteMissing
    if not _closed(item, by=by, note=note):
        raise ItemDone(item=str(item))
    return item


@act
def assign(*, item: OpenItem, owner: Actor | None, by: Actor) -> OpenItem:
    """Give an open item to ``owner``, or to nobody. Raises ``ItemDone`` when it is open no more."""
    found = OpenItem.objects.select_for_update().get(pk=item.pk)
    name = str(owner) if owner else ""
    if not OpenItem.objects.open().filter(pk=item.pk).update(owner=name):
        raise ItemDone(item=str(item))
    if found.owner != name:
        before, after = {"owner": found.owner}, {"owner": name}
        audit.record(by=by, act="open_item.assigned", subject=item, before=before, after=after)
    item.refresh_from_db()
    return item


def _closed(item: OpenItem, *, by: Actor, note: str) -> bool:
    note, now = clear(note).strip(), clock.now()
    closed = (
        OpenItem.objects.open()
        .filter(pk=item.pk)
        .update(state=OpenItem.State.DONE, closed_by=str(by), closed_at=now, note=note)
    )
    if closed:
        audit.record(by=by, act="open_item.closed", subject=item, reason=note, at=now)
        item.refresh_from_db()
    return closed == 1
