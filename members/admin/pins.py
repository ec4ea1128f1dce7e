"""Payment PINs, as operators see them: how often they were guessed at, and the way out for who is locked out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from members.admin.finding import OfMembers
from members.models import Pin
from members.services import pins
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import deed


class ClearForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=255, widget=UnfoldAdminTextInputWidget)


@admin.register(Pin)
class Pins(OfMembers[Pin]):
    list_display = ("member", "set_at", "tries", "locks", "locked_until")
    list_filter = ("locks",)
    fields = ("member", "set_at", "tries", "locks", "locked_until")
    facts = ("member", "set_at", "locks", "locked_until")
    deeds = ("clear",)

    @deed(
        _("Clear the PIN"),
        permission="members.clear_pin",
        form=ClearForm,
        offered=lambda _by, row: row.set_at is not None,
    )
    def clear(self, *, row: Pin, by: Actor, answers: dict[str, Any]) -> str | Promise:
        pins.clear_pin(member=row.member, by=by, reason=answers["reason"])
        return _("Proposed: the PIN is cleared when somebody else approves.")
