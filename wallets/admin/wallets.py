"""Wallets, as operators see them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from members.admin.finding import OfMembers
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import deed
from paymentsite.core.formats import amount as formatted
from paymentsite.ledger import queries as books
from wallets.models import Wallet
from wallets.services import wallets

State = Wallet.State


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=255, widget=UnfoldAdminTextInputWidget)


@admin.register(Wallet)
class Wallets(OfMembers[Wallet]):
    list_display = ("public_id", "member", "currency", "posted", "state", "opened_at")
    list_filter = ("currency", "state")
    list_select_related = ("member", "account__balance")
    known_by = "public_id"
    fields = ("public_id", "member", "currency", "account", "account_status", "state", "opened_at", "standing")
    facts = ("member", "currency", "account_status", "standing")
    deeds = ("freeze", "thaw", "close")

    @admin.display(description=_("in it"))
    def posted(self, wallet: Wallet) -> str:
        return formatted(wallet.account.balance.posted)

    @admin.display(description=_("status of the account"))
    def account_status(self, wallet: Wallet) -> str:
        return str(wallet.account.balance.get_status_display())

    @admin.display(description=_("in it, on hold, to spend"))
    def standing(self, wallet: Wallet) -> str:
        now = books.standing(wallet.account)
        return " / ".join(formatted(money) for money in (now.posted, now.held, now.available) if money)

    @deed(_("Freeze"), permission="wallets.freeze", form=ReasonForm, offered=lambda _by, row: row.state == State.OPEN)
    def freeze(self, *, row: Wallet, by: Actor, answers: dict[str, Any]) -> str | Promise:
        wallets.freeze(wallet=row, by=by, reason=answers["reason"])
        return _("Nothing goes out of this wallet any more.")

    @deed(_("Thaw"), permission="wallets.freeze", form=ReasonForm, offered=lambda _by, row: row.state == State.FROZEN)
    def thaw(self, *, row: Wallet, by: Actor, answers: dict[str, Any]) -> str | Promise:
        wallets.thaw(wallet=row, by=by, reason=answers["reason"])
        return _("Money may leave this wallet again.")

    @deed(
        _("Close the wallet"),
        permission="wallets.freeze",
        form=ReasonForm,
        offered=lambda _by, row: row.state != State.CLOSED,
    )
    def close(self, *, row: Wallet, by: Actor, answers: dict[str, Any]) -> str | Promise:
        wallets.close(wallet=row, by=by, reason=answers["reason"])
        return _("This wallet is closed.")
