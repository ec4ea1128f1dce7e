"""Members, as operators see them: no personal data in clear, and each change through its service."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from members.admin.finding import OfMembers
from members.models import Member, MemberEvent
from members.services import members, privacy
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import BackOffice, deed, person

State = Member.State


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=255, widget=UnfoldAdminTextInputWidget)


@admin.register(Member)
class Members(BackOffice[Member]):
    list_display = ("user", "handle", "display_name", "state", "kyc_level", "joined_at")
    list_filter = ("state", "kyc_level")
    list_select_related = ("user",)
    search_fields = ("handle",)
    search_help_text = _("a handle or an e-mail address, or how one begins; a member's id")
    fields = (
        "public_id",
        "user",
        "handle",
        "display_name",
        "state",
        "kyc_level",
        "phone_proven_at",
        "language",
        "time_zone",
        "home_currency",
        "joined_at",
        "erased_at",
    )
    facts = ("user", "handle", "state")
    deeds: ClassVar[tuple[str, ...]] = ("suspend", "resume", "erase")
    ordering = ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Member], search_term: str
    ) -> tuple[QuerySet[Member], bool]:
        """By what an index answers."""
        del request
        term = search_term.strip().removeprefix("@").lower()
        if not term:
            return queryset, False
        wanted = Q(handle__startswith=term) | Q(user__email__startswith=term)
        return queryset.filter(wanted | Q(pk=int(term)) if term.isdecimal() and len(term) < 19 else wanted), False  # noqa: PLR2004  64 bits

    @deed(
        _("Suspend"),
        permission="members.suspend",
        form=ReasonForm,
        offered=lambda _by, row: row.state == State.ACTIVE,
    )
    def suspend(self, *, row: Member, by: Actor, answers: dict[str, Any]) -> str | Promise:
        members.suspend(member=row, by=by, reason=answers["reason"])
        return _("The member is suspended: nothing goes out, what comes in is kept.")

    @deed(
        _("Resume"),
        permission="members.suspend",
        form=ReasonForm,
        offered=lambda _by, row: row.state == State.SUSPENDED,
    )
    def resume(self, *, row: Member, by: Actor, answers: dict[str, Any]) -> str | Promise:
        members.resume(member=row, by=by, reason=answers["reason"])
        return _("The member may act again.")

    @deed(
        _("Erase personal data"),
        permission="members.erase",
        form=ReasonForm,
        offered=lambda _by, row: row.state == State.CLOSED and row.erased_at is None,
    )
    def erase(self, *, row: Member, by: Actor, answers: dict[str, Any]) -> str | Promise:
        privacy.erase(member=row, by=by, reason=answers["reason"])
        return _("Proposed: the data is erased when somebody else approves.")


@admin.register(MemberEvent)
class MemberEvents(OfMembers[MemberEvent]):
    list_display = ("at", "member", "kind", "state", "by", "reason")
    fields = list_display
    list_filter = ("kind",)
    people = ("actor",)

    by = person("actor", _("by"))
