"""Who signs in, as staff see it: nobody is added or edited, no password set; rights are a matter of two people."""

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldBooleanSwitchWidget

from members.admin.members import ReasonForm
from members.models import User
from members.services import rights
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import BackOffice, deed
from paymentsite.core.layout import NOTHING

# The factors' secrets and the sessions' keys are nobody's business, and an address is verified by its owner. Groups
# come with roles.
for model in (Authenticator, EmailAddress, Group, UserSession):
    admin.site.unregister(model)


class GrantForm(ReasonForm):
    staff = forms.BooleanField(label=_("Staff"), required=False, widget=UnfoldBooleanSwitchWidget)
    superuser = forms.BooleanField(label=_("Every right there is"), required=False, widget=UnfoldBooleanSwitchWidget)
    groups = forms.ModelMultipleChoiceField(label=_("Groups"), queryset=Group.objects.order_by("name"), required=False)
    permissions = forms.ModelMultipleChoiceField(
        label=_("Rights"),
        queryset=Permission.objects.select_related("content_type").order_by("content_type__app_label", "codename"),
        required=False,
    )

    field_order = ("staff", "superuser", "groups", "permissions", "reason")


def _has_rights(row: User) -> bool:
    return any(rights.held(row).values())


@admin.register(User)
class SignIns(BackOffice[User]):
    list_display = ("email", "is_staff", "is_superuser", "is_active", "joined_at", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active")
    search_fields = ("email",)
    search_help_text = _("an e-mail address, or how one begins")
    ordering = ("email",)
    fields = (
        "email",
        "is_active",
        "is_staff",
        "is_superuser",
        "shown_groups",
        "shown_permissions",
        "joined_at",
        "last_login",
    )
    readonly_fields = ("shown_groups", "shown_permissions")
    facts = ("email", "is_active", "is_staff", "is_superuser", "shown_groups", "shown_permissions")
    deeds: ClassVar[tuple[str, ...]] = ("grant", "withdraw", "deactivate", "activate")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """By what an index answers."""
        del request
        term = search_term.strip().lower()
        return queryset.filter(email__startswith=term) if term else queryset, False

    @admin.display(description=_("groups"))
    def shown_groups(self, user: User) -> str:
        return ", ".join(rights.held(user)["groups"]) or NOTHING

    @admin.display(description=_("rights"))
    def shown_permissions(self, user: User) -> str:
        return ", ".join(rights.held(user)["permissions"]) or NOTHING

    @deed(_("Propose rights"), permission="members.set_rights", form=GrantForm, offered=lambda _by, row: row.is_active)
    def grant(self, *, row: User, by: Actor, answers: dict[str, Any]) -> str | Promise:
        rights.grant(
            user=row,
            staff=answers["staff"],
            superuser=answers["superuser"],
            groups=tuple(group.name for group in answers["groups"]),
            permissions=tuple(f"{each.content_type.app_label}.{each.codename}" for each in answers["permissions"]),
            by=by,
            reason=answers["reason"],
        )
        return _("Proposed: the rights are given when somebody else approves.")

    @deed(
        _("Withdraw all rights"),
        permission="members.set_rights",
        form=ReasonForm,
        offered=lambda _by, row: _has_rights(row),
    )
    def withdraw(self, *, row: User, by: Actor, answers: dict[str, Any]) -> str | Promise:
        rights.withdraw(user=row, by=by, reason=answers["reason"])
        return _("This person has no rights any more.")

    @deed(
        _("Deactivate"),
        permission="members.set_rights",
        form=ReasonForm,
        offered=lambda _by, row: row.is_active,
    )
    def deactivate(self, *, row: User, by: Actor, answers: dict[str, Any]) -> str | Promise:
        rights.deactivate(user=row, by=by, reason=answers["reason"])
        return _("This person is signed out and cannot sign in.")

    @deed(
        _("Activate"),
        permission="members.set_rights",
        form=ReasonForm,
        offered=lambda _by, row: not row.is_active,
    )
    def activate(self, *, row: User, by: Actor, answers: dict[str, Any]) -> str | Promise:
        rights.activate(user=row, by=by, reason=answers["reason"])
        return _("This person may sign in again.")
