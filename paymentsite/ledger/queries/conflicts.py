"""A reference that was used for something else: which fields differ."""

from datetime import datetime
from itertools import zip_longest
from typing import Final

from django.db.models import Sum

from paymentsite.core.money import Money
from paymentsite.ledger import canon
from paymentsite.ledger.entries import (
    Capture,
    Draft,
    Entry,
    Expire,
    Extend,
    Increase,
    Lapse,
    Move,
    Place,
    Release,
    Terms,
    Undo,
)
from paymentsite.ledger.models import Hold, HoldEvent, Journal, LotUse, Posting
from paymentsite.ledger.refusals import ReferenceConflict
from paymentsite.ledger.store import Stored

_MOVE_FIELDS: Final = ("kind", "amount", "unit", "source", "target")
Kind = HoldEvent.Kind


def conflict(draft: Draft, first: Stored) -> ReferenceConflict:
    """The refusal of ``draft`` because its reference belongs to ``first``, naming the fields that differ."""
    if first.refusal is not None:
        fields = _differing([list(part) for part in first.refusal["asked"]], canon.asked(draft))
    else:
        fields = _differing_from(Journal.objects.get(pk=first.id), draft)
    return ReferenceConflict(reference=draft.reference, fields=fields)


def conflict_between(draft: Draft, first: Draft) -> ReferenceConflict:
    """The same, when both stand in one batch."""
    return ReferenceConflict(reference=draft.reference, fields=_differing(canon.asked(first), canon.asked(draft)))


def _differing(before: list[list[str]], asked: list[list[str]]) -> list[str]:
    fields, position = [], 0
    nothing: list[str] = []
    for one, other in zip_longest(before, asked, fillvalue=nothing):
        position += "entries" in (one[:1] + other[:1])
        if one == other:
            continue
        name = (other or one)[0]
        fields.append(name if name != "entries" else _differing_entry(position, one[1:], other[1:]))
    return fields


def _differing_entry(position: int, one: list[str], other: list[str]) -> str:
    """``entries[1].amount`` when that is all that differs between two moves, else ``entries[1]``."""
    if one[:1] == other[:1] == ["move"] and one[len(_MOVE_FIELDS) :] == other[len(_MOVE_FIELDS) :]:
        names = [name for name, a, b in zip(_MOVE_FIELDS, one, other, strict=False) if a != b]
        if len(names) == 1:
            return f"entries[{position}].{names[0]}"
    return f"entries[{position}]"


def _differing_from(journal: Journal, draft: Draft) -> list[str]:
    """The same against an act that was done: what was asked is read back from what was written."""
    given = draft.occurred_at is not None or journal.occurred_at != journal.recorded_at
    before = [
        ["kind", journal.kind],
        ["parent", "" if journal.parent_id is None else journal.parent_id.hex],
        ["source", journal.source],
        ["occurred_at", canon.moment(journal.occurred_at if given else None)],
        ["details", canon.text(journal.details)],
    ]
    asked = canon.asked(draft)
    fields = _differing(before, asked[: len(before)])
    written = _Written(journal)
    for position, entry in enumerate(draft.entries, 1):
        words = asked[len(before) + position - 1][1:]
        if not written.shows(position, entry, words):
            fields.append(_differing_entry(position, written.as_move(position), words))
    fields += [f"entries[{position}]" for position in range(len(draft.entries) + 1, written.last + 1)]
    return fields or _untold(draft)


def _untold(draft: Draft) -> list[str]:
    """What may differ where nothing that was written does: an amount left open or named, a tolerance, a day."""
    vague = (Undo, Lapse, Increase, Capture, Release)
    fields = [f"entries[{n}]" for n, entry in enumerate(draft.entries, 1) if isinstance(entry, vague)]
    return fields or ["occurred_at"]


class _Written:
    """What a journal did, by the position of the entry that asked for it."""

    def __init__(self, journal: Journal) -> None:
        self.postings: dict[int, Posting] = {posting.position: posting for posting in journal.postings.all()}
        self.events: dict[int, dict[str, HoldEvent]] = {}
        for event in journal.hold_events.select_related("hold"):
            self.events.setdefault(event.position, {})[event.kind] = event
        self.uses: dict[int, list[LotUse]] = {}
        for use in journal.lot_uses.select_related("lot"):
            self.uses.setdefault(use.position, []).append(use)

    @property
    def last(self) -> int:
        return max((*self.postings, *self.events))

    def as_move(self, position: int) -> list[str]:
        """The posting there as the words of a move; none when it was no move."""
        posting = self.postings.get(position)
        if posting is None or position in self.events or posting.reverses_id is not None or self._lapsed(position):
            return []
        ends = (str(posting.source_id), str(posting.target_id))
        terms = self._terms(position)
        words = [] if terms is None else [terms.origin, terms.active_on.isoformat(), terms.expires_on.isoformat()]
        return ["move", str(posting.amount_minor), posting.unit, *ends, *words]

    def shows(self, position: int, entry: Entry, words: list[str]) -> bool:
        """Whether ``entry`` can be what was asked there: all of it that the books can tell is so."""
        posting = self.postings.get(position)
        match entry:
            case Move():
                return self.as_move(position) == words
            case Undo(undone, None) if posting is None:
                return position not in self.events and self._passed_over(undone)
            case Undo(undone, given):
                return (
                    posting is not None
                    and posting.reverses_id == undone.pk
                    and (given is None or given == posting.amount)
                )
            case Lapse(source, target, _):
                ends = posting and (posting.source_id, posting.target_id)
                return self._lapsed(position) and ends == (source.pk, target.pk)
            case Capture():
                return posting is not None and self._shows_capture(position, posting, entry)
        return posting is None and self._shows_event(position, entry)

    def _shows_event(self, position: int, entry: Entry) -> bool:
        events = self.events.get(position, {})
        match entry:
            case Place(amount, account, expires_at):
                event = events.get(Kind.PLACED)
                wanted = (account.pk, amount.minor, expires_at)
                return event is not None and (event.hold.account_id, event.amount_minor, event.expires_at) == wanted
            case Increase(amount, hold, expires_at):
                return _tells(events.get(Kind.INCREASED), hold, amount, expires_at)
            case Extend(hold, expires_at):
                return _tells(events.get(Kind.EXTENDED), hold, None, expires_at)
            case Release(hold, given):
                return _tells(events.get(Kind.RELEASED), hold, given)
        return isinstance(entry, Expire) and _tells(events.get(Kind.EXPIRED), entry.hold)

    def _shows_capture(self, position: int, posting: Posting, entry: Capture) -> bool:
        events = self.events.get(position, {})
        taken = events.get(Kind.CAPTURED)
        return (
            taken is not None
            and (taken.hold_id, taken.amount_minor) == (entry.hold.pk, entry.amount.minor)
            and posting.target_id == entry.target.pk
            and self._terms(position) == entry.terms
            and (entry.final or Kind.RELEASED not in events)
        )

    def _passed_over(self, undone: Posting) -> bool:
        """Whether this journal brought back the rest of another, and ``undone`` of that one was back already."""
        reversals = [posting for posting in self.postings.values() if posting.reverses_id is not None]
        if not Posting.objects.filter(
            pk__in=[each.reverses_id for each in reversals], journal=undone.journal_id
        ).exists():
            return False
        # Who reverses locks the journal first, so that reversals of one are numbered in their order.
        earlier = Posting.objects.filter(reverses=undone.pk, pk__lt=min(each.pk for each in reversals))
        back: int | None = earlier.aggregate(total=Sum("amount_minor"))["total"]
        return back == undone.amount_minor

    def _terms(self, position: int) -> Terms | None:
        for use in self.uses.get(position, ()):
            if use.kind == LotUse.Kind.ISSUED:
                return Terms(use.lot.origin, use.lot.active_on, use.lot.expires_on)
        return None

    def _lapsed(self, position: int) -> bool:
        return any(use.kind == LotUse.Kind.EXPIRED for use in self.uses.get(position, ()))


def _tells(event: HoldEvent | None, hold: Hold, amount: Money | None = None, until: datetime | None = None) -> bool:
    """Whether the event is one of ``hold``, and of that amount and until then where these are named."""
    return (
        event is not None
        and event.hold_id == hold.pk
        and (amount is None or event.amount_minor == amount.minor)
        and (until is None or event.expires_at == until)
    )
