"""What somebody with all rights over the database could do to the books, and which check has to name what."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db.models import F

from paymentsite.core import vault
from paymentsite.ledger import canon, proofs
from paymentsite.ledger.models import AccountEvent, Block, Journal

Act = str | Callable[..., None]
POSTGRESQL = "postgresql"


@dataclass(frozen=True)
class Corruption:
    """``pick`` finds the victim, ``acts`` do it, the finding names ``subject``; {0}, {1}, … is what was picked.

    ``loosens`` is the table and the constraint that have to go first.
    """

    what: str
    pick: str
    acts: tuple[Act, ...]
    subject: str
    loosens: tuple[str, str] | None = None
    vendor: str = ""


def row(what: str, pick: str, *acts: Act, names: str, loosens: str = "", vendor: str = "") -> Corruption:
    table, _, constraint = loosens.partition(".")
    return Corruption(what, pick, acts, names, (table, constraint) if loosens else None, vendor)


def edit(table: str, change: str, where: str = "id = '{0}'") -> str:
    return f"UPDATE ledger_{table} SET {change} WHERE {where}"  # noqa: S608  the tests' own text


def forge(journal: UUID | str) -> None:
    """Change a journal, and its hash with it, as one would who knows how hashes are made."""
    Journal.objects.filter(pk=journal).update(kind="forged")
    forged = Journal.objects.get(pk=journal)
    digest = canon.digest(
        proofs.facts_of(forged),
        proofs.posting_facts(forged.postings.all()),
        proofs.hold_facts(forged.hold_events.select_related("hold")),
        proofs.lot_facts(forged.lot_uses.select_related("lot")),
    )
    Journal.objects.filter(pk=journal).update(digest=digest)


def invent(journal: UUID | str) -> None:
    """A journal that agrees with itself, but was never written by the ledger."""
    invented = Journal.objects.get(pk=journal)
    invented.pk, invented.reference = UUID(NOBODY), "invented"
    invented.digest = canon.digest(proofs.facts_of(invented))
    Journal.objects.bulk_create([invented])


def sign_wrongly(*_: Any) -> None:
    signature = Ed25519PrivateKey.generate().sign(bytes(Block.objects.get(height=3).digest))
    Block.objects.filter(height=3).update(signature=signature)


def sign_as_another(*_: Any) -> None:
    sign_wrongly()
    Block.objects.filter(height=3).update(key_id="another")


def put_off(_account: int, event: int) -> None:
    AccountEvent.objects.filter(pk=event).update(at=F("at") + timedelta(microseconds=1))


def rehash(height: int) -> Callable[..., None]:
    """Make the hash and signature of a changed block anew; the next one still names the old hash."""

    def work(*_: Any) -> None:
        block = Block.objects.get(height=height)
        block.digest = canon.block(block)
        signed = vault.sign(block.digest)
        new = {"digest": block.digest, "key_id": signed.key_id, "signature": signed.signature}
        Block.objects.filter(height=height).update(**new)

    return work


# Victims.
PURSE = "SELECT id FROM ledger_account WHERE code = 'wallet 0'"
CASH = "SELECT id FROM ledger_account WHERE code = 'cash' AND unit = 'CNY'"
POINTS = "SELECT id FROM ledger_account WHERE code = 'points' AND unit = 'PTS'"
CHANGED = "SELECT account_id, MIN(id), MAX(id) FROM ledger_accountevent GROUP BY account_id HAVING COUNT(*) > 2 LIMIT 1"
MOVED = "SELECT account_id, id FROM ledger_accountevent WHERE kind = 'floor' AND seq > 0 ORDER BY id LIMIT 1"
# A sealed posting between strict accounts without lots, and the next one on its source.
POSTING = """
SELECT p.id, p.journal_id, p.source_id, q.id FROM ledger_posting p
JOIN ledger_leaf l ON l.journal_id = p.journal_id
JOIN ledger_posting q ON q.source_id = p.source_id AND q.source_seq = p.source_seq + 1
WHERE p.unit = 'CNY' AND p.target_seq IS NOT NULL AND p.reverses_id IS NULL ORDER BY p.id LIMIT 1
"""
ALIKE = """
SELECT p.journal_id, q.journal_id, p.id, q.id, p.amount_minor, q.amount_minor
FROM ledger_posting p JOIN ledger_posting q ON q.source_id = p.source_id AND q.target_id = p.target_id
WHERE q.amount_minor <> p.amount_minor ORDER BY p.id, q.id LIMIT 1
"""
SPENT = """
SELECT p.id, p.source_id FROM ledger_posting p WHERE p.source_seq IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM ledger_posting q WHERE q.journal_id = p.journal_id AND q.id <> p.id)
ORDER BY p.id LIMIT 1
"""
REVERSAL = "SELECT id, reverses_id FROM ledger_posting WHERE reverses_id IS NOT NULL AND unit = 'CNY' LIMIT 1"
REFUSED = "SELECT id FROM ledger_journal WHERE refusal IS NOT NULL ORDER BY id LIMIT 1"
POSTED = "SELECT id FROM ledger_journal WHERE refusal IS NULL ORDER BY id LIMIT 1"
REFUSED_AND_POSTING = """
SELECT j.id, MIN(p.id) FROM ledger_journal j CROSS JOIN ledger_posting p WHERE j.refusal IS NOT NULL
GROUP BY j.id LIMIT 1
"""
TWO_ACTS = """
SELECT j.id, k.reference FROM ledger_journal j JOIN ledger_journal k ON k.scope = j.scope AND k.id > j.id
WHERE j.scope = 'batch' ORDER BY j.id, k.id LIMIT 1
"""
WAITING = "SELECT journal_id FROM ledger_unsealed LIMIT 1"
LEAF = "SELECT journal_id FROM ledger_leaf WHERE block_id = 2 AND position = 0"
HOLD = "SELECT id, account_id FROM ledger_hold WHERE unit = 'CNY' AND state = 'open' ORDER BY placed_at, id LIMIT 1"
DATED = "SELECT id FROM ledger_hold WHERE expires_at IS NOT NULL LIMIT 1"
CAPTURED = "SELECT id FROM ledger_hold WHERE state = 'captured' LIMIT 1"
PLACED = "SELECT id, hold_id, journal_id FROM ledger_holdevent WHERE kind = 'placed' ORDER BY id LIMIT 1"
LOT = "SELECT id, account_id FROM ledger_lot WHERE issued_minor > used_minor + expired_minor + held_minor LIMIT 1"
LOT_AND_PURSE = f"SELECT l.id, a.id FROM ({LOT}) l CROSS JOIN ({PURSE}) a"  # noqa: S608  our own text
ISSUED = "SELECT id, lot_id, journal_id FROM ledger_lotuse WHERE kind = 'issued' ORDER BY id LIMIT 1"
USED = """
SELECT p.id, u.id FROM ledger_lotuse u JOIN ledger_lot l ON l.id = u.lot_id
JOIN ledger_posting p ON p.journal_id = u.journal_id AND p.position = u.position AND p.source_id = l.account_id
WHERE u.kind = 'used' LIMIT 1
"""
RESERVED = "SELECT hold_id, id FROM ledger_lotuse WHERE kind = 'held' LIMIT 1"
SNAPSHOT = """
SELECT s.id, s.account_id, s.block_id FROM ledger_snapshot s JOIN ledger_account a ON a.id = s.account_id
WHERE a.mode = '{mode}' ORDER BY s.id LIMIT 1
"""
LATE_SNAPSHOT = """
SELECT s.id, s.account_id FROM ledger_snapshot s
JOIN ledger_posting p ON p.target_id = s.account_id AND p.target_seq = s.seq
JOIN ledger_leaf l ON l.journal_id = p.journal_id WHERE l.block_id > 1 ORDER BY s.id LIMIT 1
"""

# Acts.
NOBODY = "00000000000070008000000000000001"
OF_ACCOUNT = "account_id = {0}"
UP = edit("balance", "posted_minor = posted_minor + 5", OF_ACCOUNT)
COUNT_UP = edit("balance", "seq = seq + 1", OF_ACCOUNT)
AMOUNT_UP = edit("posting", "amount_minor = amount_minor + 1")
BALANCE_UP = edit("posting", "source_balance_minor = source_balance_minor + 3")
EVENT_UP = edit("holdevent", "amount_minor = amount_minor + 1")
USE_UP = edit("lotuse", "amount_minor = amount_minor + 1")
LOT_USED_UP = edit("lot", "used_minor = used_minor + 1")
ONE_ACT_TWICE = edit("journal", "reference = '{1}'")
DELETE_POSTING = "DELETE FROM ledger_posting WHERE id = {0}"
DELETE_EVENT = "DELETE FROM ledger_holdevent WHERE id = {0}"
DELETE_LEAF = "DELETE FROM ledger_leaf WHERE journal_id = '{0}'"
BLANK_LEAF = edit("leaf", "digest = {zeros}", "journal_id = '{0}'")
BLANK_ROOT = edit("block", "root = {zeros}", "height = 2")
_COPY = """
INSERT INTO ledger_posting (id, journal_id, position, unit, source_id, target_id, amount_minor)
SELECT 999999, {journal}, 77, unit, source_id, target_id, amount_minor FROM ledger_posting WHERE id = {{0}}
"""
COPY_POSTING = _COPY.format(journal="journal_id")
COPY_ASTRAY = _COPY.format(journal=f"'{NOBODY}'")
FREEZE_EARLIER = """
INSERT INTO ledger_accountevent (account_id, kind, status, seq, actor, reason, at)
SELECT id, 'status', 'frozen', 0, 'staff:1', 'none', opened_at FROM ledger_account WHERE id = {2}
"""
INVENT_USE = """
INSERT INTO ledger_lotuse (id, lot_id, journal_id, position, kind, amount_minor)
VALUES (999999, '{1}', '{2}', 99, 'issued', 5)
"""
SWAP_AMOUNTS = (edit("posting", "amount_minor = {5}", "id = {2}"), edit("posting", "amount_minor = {4}", "id = {3}"))
SWAP_LEAVES = (
    edit("leaf", "position = 9999", "block_id = 2 AND position = 0"),
    edit("leaf", "position = 0", "block_id = 2 AND position = 1"),
    edit("leaf", "position = 1", "block_id = 2 AND position = 9999"),
)
LOOSE_LOT_DAYS = (
    "ALTER TABLE ledger_lot DROP CONSTRAINT ledger_lot_days",
    "ALTER TABLE ledger_lot ADD CONSTRAINT ledger_lot_days CHECK (expires_on >= active_on) NOT VALID",
)
DUMB_FUNCTION = """
CREATE OR REPLACE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'
"""
DROP_TRIGGER = "DROP TRIGGER ledger_posting_no_update {on_posting}"
DISABLE_TRIGGER = "ALTER TABLE ledger_block DISABLE TRIGGER ledger_block_no_delete"
SILENCE = "SET LOCAL session_replication_role = replica"
SNAPSHOT_NAME = "snapshot of account {1} at block {2}"
ON_GUARDS = (DROP_TRIGGER, DISABLE_TRIGGER, DUMB_FUNCTION, SILENCE)
ONCE = "journal.ledger_journal_once"
WAIT_FOR_NOBODY = f"INSERT INTO ledger_unsealed VALUES ('{NOBODY}')"  # noqa: S608  our own text
