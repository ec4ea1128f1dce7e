"""Payment PINs, as operators see them: how often they were guessed at, and the way out for who is locked out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from members.models import Pin
from members.services import pins
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import BackOffice, deed


class ClearForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=255, widget=UnfoldAdminTextInputWidget)


@admin.register(Pin)
class Pins(BackOffice[Pin]):
    list_display = ("member", "set_at", "tries", "locks", "locked_until")
    list_filter = ("locks",)
    list_select_related = ("member",)
    search_fields = ("member",)
    search_help_text = _("a member's id")
    fields = ("member", "set_at", "tries", "locks", "locked_until")
    facts = ("member", "set_at", "locks", "locked_until")
    deeds = ("clear",)
    ordering = ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Pin], search_term: str
    ) -> tuple[QuerySet[Pin], bool]:
        """By member's id alone."""
        del request
        term = search_term.strip()
        if not term:
            return queryset, False
        return (queryset.filter(pk=int(term[:18])) if term.isdecimal() else queryset.none()), False

    @deed(
        _("Clear the PIN"),
        permission="members.clear_pin",
        form=ClearForm,
        offered=lambda _by, row: row.set_at is not None,
    )
    def clear(self, *, row: Pin, by: Actor, answers: dict[str, Any]) -> str | Promise:
        pins.clear_pin(member=row.member, by=by, reason=answers["reason"])
        return _("Proposed: the PIN is cleared when somebody else approves.")
