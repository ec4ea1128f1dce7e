"""Posting: the one way by which a balance moves."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.errors import DomainError
from paymentsite.core.ids import uuid7s
from paymentsite.core.money import Money
from paymentsite.ledger import store
from paymentsite.ledger.entries import Draft, Entry, Place, Posted, Undo
from paymentsite.ledger.models import Journal
from paymentsite.ledger.refusals import Fault, InvalidEntry
from paymentsite.ledger.services.recording import Outcome, Slip, record, record_swiftly, uncollected
from paymentsite.ledger.validation import validate

_PART: Final = 1_000


def post(
    *entries: Entry,
    reference: str,
    scope: str = "ledger",
    kind: str = "transfer",
    occurred_at: datetime | None = None,
    by: Actor = SYSTEM,
    parent: UUID | None = None,
    source: str = "",
    details: dict[str, Any] | None = None,
    must: bool = False,
) -> Posted:
    """Do all of ``entries`` or none, once per ``scope`` and ``reference``.

    Repeated, it returns the first answer; a reference used for something else is a ``ReferenceConflict`` that names
    the fields. A refusal (``Unposted``) changes nothing and is final for its reference; of what has happened, and so
    ``must`` be booked sooner or later, nothing is kept, and asked again it is decided afresh.
    """
    draft = Draft(
        entries=entries,
        reference=reference,
        scope=scope,
        kind=kind,
        occurred_at=occurred_at,
        by=by,
        parent=parent,
        source=source,
        details=details,
        must=must,
    )
    validate(draft)
    if parent is not None:
        _check_parents([draft])
    slip = Slip.of(draft)
    _check_lives([slip])
    outcome = record_swiftly(slip) or record([slip])[0]
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def post_many(drafts: Sequence[Draft]) -> list[Outcome]:
    """Do many acts in one go, in order, each accepted or refused on its own: its answer or its refusal.

    Each draft answers as ``post`` would have; what one leaves on an account, the next one finds. What is refused and
    ``must`` be booked is decided afresh where it comes again. A draft that could never be right raises before any is
    done.
    """
    if not drafts:
        return []
    with uncollected():
        for draft in drafts:
            validate(draft)
        _check_parents(drafts)
        now = clock.now()
        ids = uuid7s(now)
        slips = [Slip.of(draft, now, ids) for draft in drafts]
        _check_lives(slips)
        return record(slips)


def reverse(
    *,
    journal: Journal,
    reference: str,
    scope: str = "ledger",
    kind: str = "reversal",
    amounts: Mapping[int, Money] | None = None,
    by: Actor = SYSTEM,
    source: str = "",
    must: bool = False,
) -> Posted:
    """Move back what ``journal`` moved: all that is left of it, or ``amounts`` by the position of the posting.

    Never more than was moved, whoever reverses at the same time; lots come back as they went. All that is left passes
    over postings that are back already, and is refused when all of them are; ``amounts`` are moved whole or not at all.
    """
    postings = journal.postings.select_related("source", "target").order_by("-position")
    if amounts is None:
        undone = [Undo(posting) for posting in postings]
    else:
        undone = [Undo(posting, amounts[posting.position]) for posting in postings if posting.position in amounts]
        for position in sorted(amounts.keys() - {undo.posting.position for undo in undone}):
            raise InvalidEntry(position=position, why=Fault.NO_POSTING)
    return post(
        *undone, reference=reference, scope=scope, kind=kind, by=by, parent=journal.pk, source=source, must=must
    )


def _check_parents(drafts: Sequence[Draft]) -> None:
    """Refuse what belongs to a journal that is not there, which the database would at the commit, in its own words.

    A journal is never deleted, so one that is there stays; that of a posting which is undone is there by its posting.
    """
    parents = {draft.parent for draft in drafts if draft.parent is not None}
    unsure = list(parents - {each.posting.journal_id for d in drafts for each in d.entries if isinstance(each, Undo)})
    for start in range(0, len(unsure), _PART):
        part = unsure[start : start + _PART]
        if Journal.objects.filter(pk__in=part).count() < len(part):
            raise InvalidEntry(position=0, why=Fault.PARENT)


def _check_lives(slips: Sequence[Slip]) -> None:
    """Refuse to place what would be over at once; what was placed in time is answered again however late it is."""
    over = [(slip, position) for slip in slips if (position := _over(slip))]
    if not over:
        return
    known = store.here().find([slip.key for slip, _ in over])
    for slip, position in over:
        if slip.key not in known:
            raise InvalidEntry(position=position, why=Fault.PAST)


def _over(slip: Slip) -> int:
    """The position of a hold that would end before it begins, or 0."""
    for position, entry in enumerate(slip.draft.entries, 1):
        if isinstance(entry, Place) and entry.expires_at is not None and entry.expires_at <= slip.now:
            return position
    return 0
