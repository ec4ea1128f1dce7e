"""The members' page, with what wallets add to it: a membership ends here, where its money is known."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldBooleanWidget

from members.admin.members import Members, ReasonForm
from members.models import Member
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import deed
from wallets.services import leaving

State = Member.State


class LeavingForm(ReasonForm):
    forfeit_points = forms.BooleanField(
        label=_("The member was told that their points are lost"), required=False, widget=UnfoldBooleanWidget
    )


admin.site.unregister(Member)


@admin.register(Member)
class MembersWithWallets(Members):
    deeds = ("suspend", "resume", "close", "erase")

    @deed(
        _("Close membership"),
        permission="wallets.end_membership",
        form=LeavingForm,
        offered=lambda _by, row: row.state != State.CLOSED,
    )
    def close(self, *, row: Member, by: Actor, answers: dict[str, Any]) -> str | Promise:
        leaving.leave(member=row, by=by, reason=answers["reason"], forfeit_points=answers["forfeit_points"])
        return _("The membership is closed, and so are its wallets.")
