"""Accounts: what is on them, and the three things that may be done about one."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import BackOffice, deed
from paymentsite.core.errors import Missing
from paymentsite.core.formats import amount as formatted
from paymentsite.core.formats import read
from paymentsite.core.layout import NOTHING
from paymentsite.ledger import queries
from paymentsite.ledger.admin.tables import LINES, link, table
from paymentsite.ledger.models import Account, Balance
from paymentsite.ledger.services import accounts, manual


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
        return table((_("posted"), _("held"), _("available")), rows)

    @admin.display(description=_("latest lines"))
    def lines(self, account: Account) -> str:
        page = queries.statement(account, limit=LINES)
        rows = [
            (
                line.journal.recorded_at.strftime("%Y-%m-%d %H:%M:%S"),
                link("journal", line.journal.pk, line.journal.kind),
                link("account", line.counterparty.pk, line.counterparty),
                formatted(line.amount),
                formatted(line.balance) if line.balance else NOTHING,
            )
            for line in page.lines
        ]
        return table((_("at (UTC)"), _("what"), _("with"), _("amount"), _("balance")), rows)

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
            for event in account.events.order_by("-pk")[:LINES]
        ]
        return table((_("at (UTC)"), _("what"), _("status"), _("by"), _("reason")), rows)

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
            amount=read(answers["amount"], row.unit),
            source=row,
            target=target,
            reference=answers["reference"],
            by=by,
            reason=answers["reason"],
        )
        return _("Proposed: the money moves when somebody else approves.")
