"""Rates, offers and exchanges, as operators see them; a rate by hand is proposed for a second person."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from members.admin.finding import OfMembers
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import BackOffice, add_deed, in_percent, person
from paymentsite.core.formats import amount as formatted
from wallets.models import Exchange, ExchangeQuote, ExchangeRate
from wallets.services import rates


class RateForm(forms.Form):
    base = forms.CharField(label=_("Of"), max_length=3, widget=UnfoldAdminTextInputWidget)
    quote = forms.CharField(label=_("In"), max_length=3, widget=UnfoldAdminTextInputWidget)
    value = forms.DecimalField(label=_("Rate"), max_digits=24, decimal_places=12, widget=UnfoldAdminDecimalFieldWidget)
    reason = forms.CharField(label=_("Reason"), max_length=255, widget=UnfoldAdminTextInputWidget)


@admin.register(ExchangeRate)
class ExchangeRates(BackOffice[ExchangeRate]):
    list_display = ("base", "quote", "value", "source", "at", "by")
    list_filter = ("base", "quote")
    people = ("actor",)
    add_deeds = ("set_rate",)
    ordering = ("-at", "-pk")

    by = person("actor", _("by"))

    @add_deed(_("Propose a rate"), permission="wallets.propose_rate", form=RateForm)
    def set_rate(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        rates.set_by_hand(
            base=answers["base"].upper(),
            quote=answers["quote"].upper(),
            value=answers["value"],
            at=clock.now(),
            by=by,
            reason=answers["reason"],
        )
        return _("Proposed: it holds when another person approves it.")


@admin.register(ExchangeQuote)
class ExchangeQuotes(OfMembers[ExchangeQuote]):
    list_display = ("public_id", "member", "sold", "bought", "margin", "rate", "quoted_at")
    known_by = "public_id"
    fields = (
        "public_id",
        "member",
        "sold",
        "fee",
        "bought",
        "margin",
        "margin_share",
        "rate",
        "rate_source",
        "rate_at",
        "quoted_at",
        "expires_at",
    )

    margin_share = in_percent("margin_bp", _("margin, as a share"))

    @admin.display(description=_("sold"))
    def sold(self, quote: ExchangeQuote) -> str:
        return formatted(quote.sold)

    @admin.display(description=_("fee"))
    def fee(self, quote: ExchangeQuote) -> str:
        return formatted(quote.fee)

    @admin.display(description=_("bought"))
    def bought(self, quote: ExchangeQuote) -> str:
        return formatted(quote.bought)

    @admin.display(description=_("margin"))
    def margin(self, quote: ExchangeQuote) -> str:
        return formatted(quote.margin)


@admin.register(Exchange)
class Exchanges(OfMembers[Exchange]):
    list_display = ("quote", "member", "reference", "journal", "at")
    list_select_related = ("member", "quote", "journal")
    fields = ("quote", "member", "reference", "sold_from", "bought_into", "journal", "at")
