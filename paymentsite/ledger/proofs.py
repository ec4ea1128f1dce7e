"""Proofs: what lets somebody outside check, with nothing of ours, that a journal stands in a signed block."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop

from paymentsite.core import vault
from paymentsite.core.errors import Refused
from paymentsite.ledger import canon, merkle
from paymentsite.ledger.canon import HoldFacts, JournalFacts, LotFacts, PostingFacts, SideFacts
from paymentsite.ledger.models import Block, HoldEvent, Journal, Leaf, LotUse, Posting


class NotSealedYet(Refused):
    code = "not_sealed_yet"
    sentence = gettext_noop("Journal {journal} stands in no block yet.")


def facts_of(journal: Journal) -> JournalFacts:
    """A journal's columns, as its digest covers them."""
    return JournalFacts(
        journal.pk,
        journal.kind,
        journal.scope,
        journal.reference,
        bytes(journal.request_hash),
        journal.occurred_at,
        journal.recorded_at,
        journal.actor,
        journal.parent_id,
        journal.source,
        journal.details,
        journal.refusal,
    )


def posting_facts(postings: Iterable[Posting]) -> list[PostingFacts]:
    return [PostingFacts(p.position, p.unit, p.source_id, p.target_id, p.amount_minor, p.reverses_id) for p in postings]


def hold_facts(events: Iterable[HoldEvent]) -> list[HoldFacts]:
    """Facts of events whose ``hold`` is at hand."""
    return [HoldFacts(e.position, e.kind, e.hold_id, e.hold.account_id, e.amount_minor, e.expires_at) for e in events]


def lot_facts(uses: Iterable[LotUse]) -> list[LotFacts]:
    """Facts of uses whose ``lot`` is at hand."""
    return [
        LotFacts(
            use.position,
            use.kind,
            use.lot_id,
            use.lot.account_id,
            use.lot.origin,
            use.lot.active_on,
            use.lot.expires_on,
            use.amount_minor,
            use.hold_id,
        )
        for use in uses
    ]


def side_facts(postings: Iterable[Posting]) -> list[SideFacts]:
    return [
        SideFacts(p.pk, p.position, p.source_seq, p.source_balance_minor, p.target_seq, p.target_balance_minor)
        for p in postings
    ]


def head() -> dict[str, Any] | None:
    """The last block, to be kept where nobody who can change the database can reach it."""
    block = Block.objects.order_by("-height").first()
    return None if block is None else _shown(block)


def prove(journal_id: UUID) -> dict[str, Any]:
    """All that ``script/check-proof`` needs to check that the journal is in its block, as it is now."""
    leaf = Leaf.objects.select_related("block").filter(journal=journal_id).first()
    if leaf is None:
        raise NotSealedYet(journal=journal_id)
    journal = Journal.objects.get(pk=journal_id)
    postings = list(journal.postings.order_by("position"))
    fields = canon.digest_fields(
        facts_of(journal),
        posting_facts(postings),
        hold_facts(journal.hold_events.select_related("hold")),
        lot_facts(journal.lot_uses.select_related("lot")),
    )
    leaves = [bytes(row) for row in leaf.block.leaves.order_by("position").values_list("digest", flat=True)]
    return {
        "journal": fields,
        "leaf": canon.leaf_fields(canon.hashed(fields), side_facts(postings)),
        "path": [[side, neighbour.hex()] for side, neighbour in merkle.path(leaves, leaf.position)],
        "block": _shown(leaf.block),
    }


def _shown(block: Block) -> dict[str, Any]:
    public = vault.public_keys().get(block.key_id, b"")
    return {
        "fields": canon.block_fields(block),
        "digest": bytes(block.digest).hex(),
        "key_id": block.key_id,
        "public_key": public.hex(),
        "signature": bytes(block.signature).hex(),
    }
