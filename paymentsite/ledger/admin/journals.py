"""Journals, and the blocks that seal them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from paymentsite.core.backoffice import BackOffice, person
from paymentsite.core.formats import amount as formatted
from paymentsite.core.layout import NOTHING, laid_out
from paymentsite.core.money import Money
from paymentsite.ledger.admin.tables import link, table
from paymentsite.ledger.models import Block, Journal


class ByOutcome(admin.SimpleListFilter):
    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, Any]]:
        del request, model_admin
        return list(Journal.Outcome.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Journal]) -> QuerySet[Journal]:
        del request
        if self.value() not in Journal.Outcome:
            return queryset
        return queryset.filter(refusal__isnull=self.value() == Journal.Outcome.POSTED)


@admin.register(Journal)
class Journals(BackOffice[Journal]):
    list_display = ("recorded_at", "kind", "ended", "scope", "reference", "who", "source")
    list_filter = (ByOutcome,)
    search_fields = ("reference",)
    search_help_text = _("a journal's id, or a whole reference or source")
    people = ("actor",)
    fields = (
        "id",
        "kind",
        "ended",
        "scope",
        "reference",
        "occurred_at",
        "recorded_at",
        "who",
        "came_from",
        "source",
        "what_moved",
        "what_was_held",
        "why_refused",
        "more",
        "sealed",
    )
    ordering = ("-pk",)

    who = person("actor", _("by"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Journal], search_term: str
    ) -> tuple[QuerySet[Journal], bool]:
        """By what an index answers: an id, a source, a reference within any scope."""
        del request
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(pk=term), False
        except (ValueError, forms.ValidationError):
            by_source = queryset.filter(source=term)
            return (by_source if by_source.exists() else queryset.filter(reference=term)), False

    @admin.display(description=_("outcome"))
    def ended(self, journal: Journal) -> str:
        return str(Journal.Outcome(journal.outcome).label)

    @admin.display(description=_("postings"))
    def what_moved(self, journal: Journal) -> str:
        postings = journal.postings.select_related("source", "target").order_by("position")
        rows = [
            (
                p.position,
                link("account", p.source_id, p.source),
                link("account", p.target_id, p.target),
                formatted(p.amount),
            )
            for p in postings
        ]
        return table(("", _("from"), _("to"), _("amount")), rows)

    @admin.display(description=_("holds"))
    def what_was_held(self, journal: Journal) -> str:
        events = journal.hold_events.select_related("hold").order_by("position", "pk")
        rows = [
            (
                e.position,
                e.get_kind_display(),
                link("hold", e.hold_id, e.hold_id),
                formatted(Money(e.amount_minor, e.hold.unit)),
            )
            for e in events
        ]
        return table(("", _("what"), _("hold"), _("amount")), rows)

    @admin.display(description=_("refused because"))
    def why_refused(self, journal: Journal) -> str:
        return laid_out(journal.refusal)

    @admin.display(description=_("details"))
    def more(self, journal: Journal) -> str:
        return laid_out(journal.details)

    @admin.display(description=_("follows"))
    def came_from(self, journal: Journal) -> str:
        return NOTHING if journal.parent_id is None else link("journal", journal.parent_id, journal.parent)

    @admin.display(description=_("sealed"))
    def sealed(self, journal: Journal) -> str | Promise:
        leaf = getattr(journal, "leaf", None)
        return _("not yet") if leaf is None else link("block", leaf.block_id, f"{leaf.block_id} / {leaf.position}")


@admin.register(Block)
class Blocks(BackOffice[Block]):
    list_display = ("height", "journals", "recorded_from", "recorded_until", "closed_at", "key_id")
    search_fields = ("height",)
    fields = ("height", "journals", "recorded_from", "recorded_until", "closed_at", "head", "before", "key_id")
    ordering = ("-height",)

    @admin.display(description=_("hash"))
    def head(self, block: Block) -> str:
        return bytes(block.digest).hex()

    @admin.display(description=_("hash of the block before"))
    def before(self, block: Block) -> str:
        return bytes(block.previous).hex()
