"""Instruments, as operators see them: last four digits, no number, no holder; and what is in doubt to decide."""

from typing import Any

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from members.admin.finding import OfMembers
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import deed
from paymentsite.core.layout import NOTHING
from wallets.models import AccountProof, Instrument
from wallets.services import account_proofs

State = AccountProof.State


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=255, widget=UnfoldAdminTextInputWidget)


@admin.register(Instrument)
class Instruments(OfMembers[Instrument]):
    list_display = ("public_id", "member", "kind", "shown", "default", "state", "added_at")
    list_filter = ("kind", "state")
    list_select_related = ("member", "wallet", "card", "bank_account")
    known_by = "public_id"
    fields = (
        "public_id",
        "member",
        "kind",
        "shown",
        "default",
        "state",
        "source",
        "expires",
        "proved",
        "added_at",
        "removed_at",
    )

    @admin.display(description=_("shown as"))
    def shown(self, instrument: Instrument) -> str:
        return instrument.shown

    @admin.display(description=_("last day"))
    def expires(self, instrument: Instrument) -> str:
        return str(instrument.card.expires_on) if instrument.kind == Instrument.Kind.CARD else ""

    @admin.display(description=_("verified by"))
    def proved(self, instrument: Instrument) -> str:
        if instrument.kind != Instrument.Kind.BANK_ACCOUNT:
            return ""
        return str(instrument.bank_account.get_verified_by_display())


@admin.register(AccountProof)
class AccountProofs(OfMembers[AccountProof]):
    """The amounts of small deposits are not shown: who knows them can verify the account."""

    list_display = ("public_id", "owner", "account", "means", "state", "likeness", "started_at")
    list_filter = ("state", "means")
    list_select_related = ("account__instrument__member",)
    parties = ("account__instrument__member",)
    known_by = "public_id"
    fields = (
        "public_id",
        "owner",
        "instrument",
        "means",
        "state",
        "tries_left",
        "likeness",
        "started_at",
        "decided_at",
        "sent",
    )
    facts = ("owner", "instrument", "likeness")
    deeds = ("pass_doubt", "fail_doubt")

    @admin.display(description=_("member"))
    def owner(self, proof: AccountProof) -> str:
        return str(proof.account.instrument.member)

    @admin.display(description=_("instrument"))
    def instrument(self, proof: AccountProof) -> str:
        return f"{proof.account} ({proof.account.public_id})"

    @admin.display(description=_("small deposits"))
    def sent(self, proof: AccountProof) -> str:
        rows = (
            (reverse("admin:wallets_proofdeposit_change", args=[deposit.pk]), deposit, deposit.get_state_display())
            for deposit in proof.deposits.order_by("pk")
        )
        return format_html_join("", '<div><a href="{}">{}</a>: {}</div>', rows) or NOTHING

    @deed(
        _("It is the member's"),
        permission="wallets.verify_account",
        form=ReasonForm,
        offered=lambda _by, row: row.state == State.DOUBTFUL,
    )
    def pass_doubt(self, *, row: AccountProof, by: Actor, answers: dict[str, Any]) -> str | Promise:
        account_proofs.decide(proof=row, passed=True, by=by, reason=answers["reason"])
        return _("The account is verified.")

    @deed(
        _("It is not the member's"),
        permission="wallets.verify_account",
        form=ReasonForm,
        offered=lambda _by, row: row.state == State.DOUBTFUL,
    )
    def fail_doubt(self, *, row: AccountProof, by: Actor, answers: dict[str, Any]) -> str | Promise:
        account_proofs.decide(proof=row, passed=False, by=by, reason=answers["reason"])
        return _("The account stays unverified.")
