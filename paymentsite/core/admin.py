"""The core in the back office: the audit trail, approvals, open items."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from paymentsite.core import queries
from paymentsite.core.actors import Actor
from paymentsite.core.arguments import readable
from paymentsite.core.backoffice import BackOffice, deed, person
from paymentsite.core.disclosure import disclosed
from paymentsite.core.effects import titled
from paymentsite.core.layout import NOTHING, laid_out
from paymentsite.core.models import Approval, AuditEntry, AuditSeal, OpenItem
from paymentsite.core.services import approvals, open_items


class NoteForm(forms.Form):
    note = forms.CharField(label=_("Note"), max_length=2_000, widget=UnfoldAdminTextareaWidget)


class ApproveForm(forms.Form):
    """Carries back the digest of the effect that is on the page."""

    shown = forms.CharField(widget=forms.HiddenInput)


class AssignForm(forms.Form):
    owner = forms.ModelChoiceField(label=_("Owner"), queryset=queries.staff(), widget=UnfoldAdminSelectWidget)


@admin.register(AuditEntry)
class AuditTrail(BackOffice[AuditEntry]):
    list_display = ("at", "who", "act", "subject", "reason", "address")
    people = ("by",)
    fields = ("at", "who", "act", "subject", "change_before", "change_after", "reason", "request_id", "address", "seal")
    search_fields = ("subject",)
    search_help_text = _("a whole subject, act or actor, such as core.approval:7 or staff:3")
    ordering = ("-pk",)

    who = person("by", _("by"))

    @admin.display(description=_("before"))
    def change_before(self, entry: AuditEntry) -> str:
        return laid_out(entry.before)

    @admin.display(description=_("after"))
    def change_after(self, entry: AuditEntry) -> str:
        return laid_out(entry.after)

    @admin.display(description=_("sealed"))
    def seal(self, entry: AuditEntry) -> str | Promise:
        seal = queries.seal_of(entry)
        return _("not yet") if seal is None else _("by seal %(number)s") % {"number": seal.number}

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002  Django's signature
        queryset: QuerySet[AuditEntry],
        search_term: str,
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Whole words only: parts of words would read the whole table."""
        if term := search_term.strip():
            queryset = queryset.filter(Q(subject=term) | Q(act=term) | Q(by=term))
        return queryset, False


@admin.register(AuditSeal)
class AuditSeals(BackOffice[AuditSeal]):
    list_display = ("number", "last_position", "sealed_at", "key_id")
    fields = ("number", "last_position", "sealed_at", "key_id", "exported")
    ordering = ("-number",)

    @admin.display(description=_("head"))
    def exported(self, seal: AuditSeal) -> str:
        return str(seal)


@admin.register(Approval)
class Approvals(BackOffice[Approval]):
    list_display = ("title", "proposer", "reason", "proposed_at", "expires_at", "state", "decider")
    list_filter = ("state",)
    people = ("proposed_by", "decided_by")
    fields = (
        "title",
        "shown_effect",
        "reason",
        "proposer",
        "proposed_at",
        "expires_at",
        "state",
        "decider",
        "decided_at",
        "note",
        "history",
        "given",
    )
    facts = ("title", "shown_effect", "reason", "proposer", "expires_at", "given")
    deeds = ("approve", "refuse", "withdraw")
    ordering = ("-pk",)

    proposer = person("proposed_by", _("proposed by"))
    decider = person("decided_by", _("decided by"))

    @admin.display(description=_("act"), ordering="act")
    def title(self, approval: Approval) -> str:
        return titled(approval.act)

    @admin.display(description=_("effect"))
    def shown_effect(self, approval: Approval) -> str:
        return laid_out(approval.effect, approvals.lines_of(approval.act))

    @admin.display(description=_("as proposed"))
    def given(self, approval: Approval) -> str:
        """What is done, to the letter: folded up, for the effect says it in words."""
        arguments = {name: disclosed(readable(value), name=name) for name, value in approval.arguments.items()}
        return format_html(
            "<details><summary>{}</summary>{}{}</details>",
            _("as machines have it, amounts in smallest parts"),
            laid_out(arguments),
            approval.act,
        )

    @admin.display(description=_("history"))
    def history(self, approval: Approval) -> str:
        entries = queries.trail(approval)
        names = queries.names(entry.by for entry in entries)
        lines = ((f"{e.at:%Y-%m-%d %H:%M}", e.act, names.get(e.by, e.by)) for e in entries)
        return format_html_join("", "<div>{} {} {}</div>", lines) or NOTHING

    @deed(
        _("Approve and do it"),
        permission="core.view_approval",
        form=ApproveForm,
        initial=lambda approval: {"shown": approval.shown},
        offered=approvals.may_decide,
    )
    def approve(self, *, row: Approval, by: Actor, answers: dict[str, Any]) -> Promise:
        approvals.approve(approval=row, by=by, shown=answers["shown"])
        return _("Approved and done.")

    @deed(_("Refuse"), permission="core.view_approval", form=NoteForm, offered=approvals.may_decide)
    def refuse(self, *, row: Approval, by: Actor, answers: dict[str, Any]) -> Promise:
        approvals.refuse(approval=row, by=by, note=answers["note"])
        return _("Refused.")

    @deed(_("Withdraw"), permission="core.view_approval", form=NoteForm, offered=approvals.may_withdraw)
    def withdraw(self, *, row: Approval, by: Actor, answers: dict[str, Any]) -> Promise:
        approvals.withdraw(approval=row, by=by, note=answers["note"])
        return _("Withdrawn.")


def _is_open(_by: Actor, item: OpenItem) -> bool:
    return item.state == OpenItem.State.OPEN


def _can_be_taken(by: Actor, item: OpenItem) -> bool:
    return _is_open(by, item) and item.owner != str(by)


@admin.register(OpenItem)
class OpenItems(BackOffice[OpenItem]):
    list_display = ("kind", "subject", "why", "since", "holder", "state")
    list_filter = ("state", "kind")
    people = ("owner", "opened_by", "closed_by")
    fields = ("kind", "subject", "why", "since", "opener", "holder", "state", "closer", "closed_at", "note")
    facts = ("kind", "subject", "why", "since", "holder")
    search_fields = ("=subject",)
    deeds: ClassVar[tuple[str, ...]] = ("take", "assign", "release", "close")
    ordering = ("-pk",)

    holder = person("owner", _("owner"))
    opener = person("opened_by", _("opened by"))
    closer = person("closed_by", _("closed by"))

    @deed(_("Take"), permission="core.change_openitem", offered=_can_be_taken)
    def take(self, *, row: OpenItem, by: Actor, answers: dict[str, Any]) -> Promise:  # noqa: ARG002  nothing is asked
        open_items.assign(item=row, owner=by, by=by)
        return _("It is yours.")

    @deed(_("Assign"), permission="core.change_openitem", form=AssignForm, offered=_is_open)
    def assign(self, *, row: OpenItem, by: Actor, answers: dict[str, Any]) -> Promise:
        open_items.assign(item=row, owner=Actor.of(answers["owner"]), by=by)
        return _("Assigned.")

    @deed(
        _("Release"),
        permission="core.change_openitem",
        offered=lambda by, item: _is_open(by, item) and item.owner != "",
    )
    def release(self, *, row: OpenItem, by: Actor, answers: dict[str, Any]) -> Promise:  # noqa: ARG002
        open_items.assign(item=row, owner=None, by=by)
        return _("Nobody's now.")

    @deed(_("Close"), permission="core.change_openitem", form=NoteForm, offered=_is_open)
    def close(self, *, row: OpenItem, by: Actor, answers: dict[str, Any]) -> Promise:
        open_items.done(item=row, by=by, note=answers["note"])
        return _("Closed.")
