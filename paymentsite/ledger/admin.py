"""The ledger in the back office: everything to look at, nothing to edit."""

from typing import Any, Final
from uuid import uuid4

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import NOTHING, BackOffice, deed, laid_out, person
from paymentsite.core.errors import Missing
from paymentsite.core.formats import amount as formatted
from paymentsite.core.money import Money
from paymentsite.ledger import queries
from paymentsite.ledger.models import Account, Balance, Block, Hold, Journal, Lot
from paymentsite.ledger.services import accounts, manual

_LINES: Final = 20


class NoSuchAccount(Missing):
    code = "no_such_account"
    sentence = gettext_noop("There is no account {account}.")


class StatusForm(forms.Form):
    status = forms.ChoiceField(label=_("Status"), choices=Balance.Status, widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(label=_("Reason"), max_length=255, widget=UnfoldAdminTextInputWidget)


class MoveForm(forms.Form):
    amount = forms.CharField(label=_("Amount"), max_length=30, widget=UnfoldAdminTextInputWidget)
    target = forms.UUIDField(label=_("To the account (its id)"), widget=UnfoldAdminTextInputWidget)
    reference = forms.CharField(label=_("Reference"), max_length=100, widget=UnfoldAdminTextInputWidget)
    reason = forms.CharField(label=_("Reason"), max_length=255, widget=UnfoldAdminTextInputWidget)


def _table(headings: tuple[str | Promise, ...], rows: list[tuple[Any, ...]]) -> SafeString | str:
    if not rows:
        return NOTHING
    cell = '<td class="px-3 py-1 border-b border-base-200 dark:border-base-800 whitespace-nowrap">{}</td>'
    head = format_html_join("", '<th class="px-3 py-1 text-left font-medium">{}</th>', ((h,) for h in headings))
    body = format_html_join(
        "", "<tr>{}</tr>", ((format_html_join("", cell, ((value,) for value in row)),) for row in rows)
    )
    table = '<table class="tabular-nums"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    return format_html(f'<div class="overflow-x-auto max-w-full">{table}</div>', head, body)


def _link(page: str, pk: object, text: object) -> SafeString:
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
        reverse(f"admin:ledger_{page}_change", args=[pk]),
        text,
    )


@admin.register(Account)
class Accounts(BackOffice[Account]):
    list_display = ("public_id", "owner", "code", "unit", "kind", "mode", "posted", "status")
    list_filter = ("unit", "kind", "mode", "balance__status")
    list_select_related = ("balance",)
    search_fields = ("public_id", "owner")
    search_help_text = _("an account's id, or the beginning of its owner, such as member:7")
    fields = ("public_id", "owner", "code", "unit", "kind", "mode", "lots", "opened_at", "standing", "changes", "lines")
    facts = ("owner", "code", "standing")
    deeds = ("move_by_hand", "change_status")
    ordering = ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Account], search_term: str
    ) -> tuple[QuerySet[Account], bool]:
        """By what an index answers: an account's whole id, or how its owner begins."""
        del request
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(public_id=term), False
        except (ValueError, forms.ValidationError):
            return queryset.filter(owner__startswith=term), False

    @admin.display(description=_("posted"))
    def posted(self, account: Account) -> str:
        """As rolled up; the account's own page says it to the last posting."""
        return formatted(account.balance.posted)

    @admin.display(description=_("status"))
    def status(self, account: Account) -> str:
        return account.balance.get_status_display()

    @admin.display(description=_("now"))
    def standing(self, account: Account) -> str:
        now = queries.standing(account)
        rows = [(formatted(now.posted), formatted(now.held), formatted(now.available) if now.available else NOTHING)]
        return _table((_("posted"), _("held"), _("available")), rows)

    @admin.display(description=_("latest lines"))
    def lines(self, account: Account) -> str:
        page = queries.statement(account, limit=_LINES)
        rows = [
            (
                line.journal.recorded_at.strftime("%Y-%m-%d %H:%M:%S"),
                _link("journal", line.journal.pk, line.journal.kind),
                _link("account", line.counterparty.pk, line.counterparty),
                formatted(line.amount),
                formatted(line.balance) if line.balance else NOTHING,
            )
            for line in page.lines
        ]
        return _table((_("at (UTC)"), _("what"), _("with"), _("amount"), _("balance")), rows)

    @admin.display(description=_("opened and changed"))
    def changes(self, account: Account) -> str:
        rows = [
            (
                event.at.strftime("%Y-%m-%d %H:%M"),
                event.get_kind_display(),
                event.get_status_display(),
                event.actor,
                event.reason,
            )
            for event in account.events.order_by("-pk")[:_LINES]
        ]
        return _table((_("at (UTC)"), _("what"), _("status"), _("by"), _("reason")), rows)

    @deed(_("Change status"), permission="ledger.change_status", form=StatusForm)
    def change_status(self, *, row: Account, by: Actor, answers: dict[str, Any]) -> str | Promise:
        accounts.set_status(account=row, status=Balance.Status(answers["status"]), by=by, reason=answers["reason"])
        return _("The account's status is changed.")

    @deed(
        _("Move money by hand"),
        permission="ledger.post_manual",
        form=MoveForm,
        initial=lambda _row: {"reference": uuid4().hex[:12]},
    )
    def move_by_hand(self, *, row: Account, by: Actor, answers: dict[str, Any]) -> str | Promise:
        target = Account.objects.filter(public_id=answers["target"]).first()
        if target is None:
            raise NoSuchAccount(account=answers["target"])
        manual.post_manual(
            amount=Money.parse(answers["amount"], row.unit),
            source=row,
            target=target,
            reference=answers["reference"],
            by=by,
            reason=answers["reason"],
        )
        return _("Proposed: the money moves when somebody else approves.")


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
    list_display = ("recorded_at", "kind", "outcome", "scope", "reference", "who", "source")
    list_filter = (ByOutcome,)
    search_fields = ("reference",)
    search_help_text = _("a journal's id, or a whole reference or source")
    people = ("actor",)
    fields = (
        "id",
        "kind",
        "outcome",
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

    @admin.display(description=_("postings"))
    def what_moved(self, journal: Journal) -> str:
        postings = journal.postings.select_related("source", "target").order_by("position")
        rows = [
            (
                p.position,
                _link("account", p.source_id, p.source),
                _link("account", p.target_id, p.target),
                formatted(p.amount),
            )
            for p in postings
        ]
        return _table(("", _("from"), _("to"), _("amount")), rows)

    @admin.display(description=_("holds"))
    def what_was_held(self, journal: Journal) -> str:
        events = journal.hold_events.select_related("hold").order_by("position", "pk")
        rows = [
            (
                e.position,
                e.get_kind_display(),
                _link("hold", e.hold_id, e.hold_id),
                formatted(Money(e.amount_minor, e.hold.unit)),
            )
            for e in events
        ]
        return _table(("", _("what"), _("hold"), _("amount")), rows)

    @admin.display(description=_("refused because"))
    def why_refused(self, journal: Journal) -> str:
        return laid_out(journal.refusal)

    @admin.display(description=_("details"))
    def more(self, journal: Journal) -> str:
        return laid_out(journal.details)

    @admin.display(description=_("follows"))
    def came_from(self, journal: Journal) -> str:
        return NOTHING if journal.parent_id is None else _link("journal", journal.parent_id, journal.parent)

    @admin.display(description=_("sealed"))
    def sealed(self, journal: Journal) -> str | Promise:
        leaf = getattr(journal, "leaf", None)
        return _("not yet") if leaf is None else _link("block", leaf.block_id, f"{leaf.block_id} / {leaf.position}")


@admin.register(Hold)
class Holds(BackOffice[Hold]):
    list_display = ("id", "account", "left_now", "state", "placed_at", "expires_at")
    list_filter = ("state",)
    list_select_related = ("account",)
    search_fields = ("id",)
    fields = (
        "id",
        "account",
        "authorised",
        "captured",
        "released",
        "left_now",
        "state",
        "placed_at",
        "expires_at",
        "events",
    )
    ordering = ("-pk",)

    @admin.display(description=_("left"))
    def left_now(self, hold: Hold) -> str:
        return formatted(hold.left)

    @admin.display(description=_("authorised"))
    def authorised(self, hold: Hold) -> str:
        return formatted(Money(hold.authorised_minor, hold.unit))

    @admin.display(description=_("captured"))
    def captured(self, hold: Hold) -> str:
        return formatted(Money(hold.captured_minor, hold.unit))

    @admin.display(description=_("released"))
    def released(self, hold: Hold) -> str:
        return formatted(Money(hold.released_minor, hold.unit))

    @admin.display(description=_("what happened"))
    def events(self, hold: Hold) -> str:
        rows = [
            (
                event.journal.recorded_at.strftime("%Y-%m-%d %H:%M:%S"),
                event.get_kind_display(),
                formatted(Money(event.amount_minor, hold.unit)),
                _link("journal", event.journal_id, event.journal.kind),
            )
            for event in hold.events.select_related("journal").order_by("pk")
        ]
        return _table((_("at (UTC)"), _("what"), _("amount"), _("journal")), rows)


@admin.register(Lot)
class Lots(BackOffice[Lot]):
    list_display = ("account", "origin", "active_on", "expires_on", "issued_minor", "left")
    list_select_related = ("account",)
    search_fields = ("id",)
    fields = (
        "account",
        "origin",
        "active_on",
        "expires_on",
        "issued_minor",
        "used_minor",
        "expired_minor",
        "held_minor",
        "left",
    )
    ordering = ("-pk",)

    @admin.display(description=_("left"))
    def left(self, lot: Lot) -> str:
        return formatted(Money(lot.left_minor, lot.account.unit))


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
