"""One way to write an act as bytes, so that equal acts and only those have equal hashes.

Each field is preceded by its length: no field can pretend to be two.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

from paymentsite.core.ids import microseconds
from paymentsite.core.money import Money
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
from paymentsite.ledger.models import Block

VERSION: Final = "1"
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


def pack(fields: Iterable[str]) -> bytes:
    """The fields as bytes from which they can be read back in one way only."""
    return "".join([f"{len(field)}:{field}" for field in fields]).encode()


def hashed(fields: Iterable[str]) -> bytes:
    return sha256(pack(fields)).digest()


@lru_cache(maxsize=1024)
def _packed(*fields: str) -> str:
    """Fields that are the same for many acts, such as their kind and scope."""
    return pack(fields).decode()


def text(value: Any) -> str:
    """JSON that is the same for equal values on every database, or nothing for None."""
    if value is None:
        return ""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def moment(at: datetime | None) -> str:
    return "" if at is None else str(microseconds(at))


def _terms(terms: Terms | None) -> tuple[str, ...]:
    if terms is None:
        return ()
    return (terms.origin, terms.active_on.isoformat(), terms.expires_on.isoformat())


def _given(amount: Money | None) -> str:
    return "" if amount is None else f"{amount.minor} {amount.unit}"


def _asked(entry: Entry) -> tuple[str, ...]:  # noqa: PLR0911  one line a kind
    match entry:
        case Move(amount, source, target, terms):
            return ("move", str(amount.minor), amount.unit, str(source.id), str(target.id), *_terms(terms))
        case Undo(posting, given):
            return ("undo", str(posting.pk), _given(given))
        case Lapse(source, target, day):
            return ("lapse", str(source.id), str(target.id), day.isoformat())
        case Place(amount, account, expires_at):
            return ("place", str(amount.minor), amount.unit, str(account.id), moment(expires_at))
        case Increase(amount, hold, expires_at):
            return ("increase", str(amount.minor), amount.unit, hold.pk.hex, moment(expires_at))
        case Extend(hold, expires_at):
            return ("extend", hold.pk.hex, moment(expires_at))
        case Capture(amount, hold, target, final, tolerance, terms):
            how = ("final" if final else "", _given(tolerance), *_terms(terms))
            return ("capture", str(amount.minor), amount.unit, hold.pk.hex, str(target.id), *how)
        case Release(hold, given):
            return ("release", hold.pk.hex, _given(given))
        case Expire(hold):
            return ("expire", hold.pk.hex)


def asked(draft: Draft) -> list[list[str]]:
    """The content of an act in words: what a repeated reference is compared by, field by field."""
    parent = "" if draft.parent is None else draft.parent.hex
    return [
        ["kind", draft.kind],
        ["parent", parent],
        ["source", draft.source],
        ["occurred_at", moment(draft.occurred_at)],
        ["details", text(draft.details)],
        *(["entries", *_asked(entry)] for entry in draft.entries),
    ]


def request_hash(draft: Draft) -> bytes:
    """What a repeated act is recognised by."""
    if len(entries := draft.entries) == 1 and type(move := entries[0]) is Move and move.terms is None:
        return _hash_of_one_move(draft, move)
    return hashed(request_fields(draft))


def _hash_of_one_move(draft: Draft, move: Move) -> bytes:
    """The same, written out for the act that most are."""
    parent, origin = "" if draft.parent is None else draft.parent.hex, draft.source
    when, details = moment(draft.occurred_at), text(draft.details)
    minor, unit, source, target = str(move.amount.minor), move.amount.unit, str(move.source.id), str(move.target.id)
    return sha256(
        f"{_packed(VERSION, draft.kind)}{len(parent)}:{parent}{len(origin)}:{origin}"
        f"{len(when)}:{when}{len(details)}:{details}1:54:move"
        f"{len(minor)}:{minor}{len(unit)}:{unit}{len(source)}:{source}{len(target)}:{target}".encode()
    ).digest()


def request_fields(draft: Draft) -> list[str]:
    """What the hash of a request covers."""
    parent = "" if draft.parent is None else draft.parent.hex
    fields = [VERSION, draft.kind, parent, draft.source, moment(draft.occurred_at), text(draft.details)]
    for entry in draft.entries:
        part = _asked(entry)
        fields.append(str(len(part)))
        fields += part
    return fields


class JournalFacts(NamedTuple):
    """The columns of a journal, as its digest covers them."""

    id: UUID
    kind: str
    scope: str
    reference: str
    request_hash: bytes
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    parent_id: UUID | None
    source: str
    details: Any
    refusal: Any


class PostingFacts(NamedTuple):
    position: int
    unit: str
    source_id: int
    target_id: int
    amount_minor: int
    reverses_id: int | None


class HoldFacts(NamedTuple):
    position: int
    kind: str
    hold_id: UUID
    account_id: int
    amount_minor: int
    expires_at: datetime | None


class LotFacts(NamedTuple):
    position: int
    kind: str
    lot_id: UUID
    account_id: int
    origin: str
    active_on: date
    expires_on: date
    amount_minor: int
    hold_id: UUID | None


def digest_fields(
    journal: JournalFacts,
    postings: Sequence[PostingFacts] = (),
    holds: Sequence[HoldFacts] = (),
    lots: Sequence[LotFacts] = (),
) -> list[str]:
    """What the hash of a journal and all that it did covers, whatever order the parts are given in."""
    fields = [
        VERSION,
        journal.id.hex,
        journal.kind,
        journal.scope,
        journal.reference,
        journal.request_hash.hex(),
        str(microseconds(journal.occurred_at)),
        str(microseconds(journal.recorded_at)),
        journal.actor,
        "" if journal.parent_id is None else journal.parent_id.hex,
        journal.source,
        text(journal.details),
        text(journal.refusal),
        str(len(postings)),
    ]
    for p in sorted(postings) if len(postings) > 1 else postings:
        reverses = "" if p.reverses_id is None else str(p.reverses_id)
        fields += (str(p.position), p.unit, str(p.source_id), str(p.target_id), str(p.amount_minor), reverses)
    for h in sorted(holds, key=lambda h: h[:2]):
        when = moment(h.expires_at)
        fields += (
            "hold",
            str(h.position),
            h.kind,
            h.hold_id.hex,
            str(h.account_id),
            str(h.amount_minor),
            when,
        )
    for lot in sorted(lots, key=lambda lot: lot[:3]):
        hold = "" if lot.hold_id is None else lot.hold_id.hex
        fields += ("lot", str(lot.position), lot.kind, lot.lot_id.hex, str(lot.account_id), lot.origin)
        fields += (lot.active_on.isoformat(), lot.expires_on.isoformat(), str(lot.amount_minor), hold)
    return fields


def digest(
    journal: JournalFacts,
    postings: Sequence[PostingFacts] = (),
    holds: Sequence[HoldFacts] = (),
    lots: Sequence[LotFacts] = (),
) -> bytes:
    """The hash of a journal and all that it did."""
    if len(postings) == 1 and not holds and not lots and journal.refusal is None:
        return _digest_of_one_posting(journal, postings[0])
    return hashed(digest_fields(journal, postings, holds, lots))


def _digest_of_one_posting(j: JournalFacts, p: PostingFacts) -> bytes:
    """The same, written out for the act that most are."""
    recorded = str(microseconds(j.recorded_at))
    occurred = recorded if j.occurred_at is j.recorded_at else str(microseconds(j.occurred_at))
    parent, details = "" if j.parent_id is None else j.parent_id.hex, text(j.details)
    source, target, minor = str(p.source_id), str(p.target_id), str(p.amount_minor)
    reverses = "" if p.reverses_id is None else str(p.reverses_id)
    return sha256(
        f"{_VERSION_AND_ID}{j.id.hex}{_packed(j.kind, j.scope)}{len(j.reference)}:{j.reference}"
        f"64:{j.request_hash.hex()}{len(occurred)}:{occurred}{len(recorded)}:{recorded}{_packed(j.actor)}"
        f"{len(parent)}:{parent}{len(j.source)}:{j.source}{len(details)}:{details}0:1:1"
        f"{_packed(str(p.position), p.unit)}{len(source)}:{source}{len(target)}:{target}"
        f"{len(minor)}:{minor}{len(reverses)}:{reverses}".encode()
    ).digest()


_VERSION_AND_ID: Final = f"{len(VERSION)}:{VERSION}32:"


class SideFacts(NamedTuple):
    """What a posting left behind: known only once it stands in the database, so sealed there and not in the digest."""

    posting_id: int
    position: int
    source_seq: int | None
    source_balance_minor: int | None
    target_seq: int | None
    target_balance_minor: int | None


def leaf_fields(journal_digest: bytes, sides: Iterable[SideFacts]) -> list[str]:
    """What a journal's leaf in its block covers: its digest, and the running balances and numbers of its postings."""
    fields = [journal_digest.hex()]
    for side in sorted(sides, key=lambda side: side.position):
        fields += ["" if value is None else str(value) for value in side]
    return fields


def leaf(journal_digest: bytes, sides: Iterable[SideFacts]) -> bytes:
    return sha256(_LEAF + pack(leaf_fields(journal_digest, sides))).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The inner node of a block's tree; its prefix keeps it from being taken for a leaf (RFC 6962)."""
    return sha256(_NODE + left + right).digest()


def block_fields(block: Block) -> list[str]:
    """What a block's hash covers."""
    return [
        VERSION,
        "block",
        str(block.height),
        bytes(block.previous).hex(),
        bytes(block.root).hex(),
        str(block.journals),
        moment(block.recorded_from),
        moment(block.recorded_until),
        moment(block.closed_at),
    ]


def block(block: Block) -> bytes:
    """The hash of a block: what its signature signs and the next block names."""
    return hashed(block_fields(block))
