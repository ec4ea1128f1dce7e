"""Banks and ranges of account numbers: proposed by one person, approved by another."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from cards.admin.cards import ReasonForm
from cards.models import AccountRange, Bank
from cards.services import banks
from members.admin.tiers import PROPOSED, text, whole
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import BackOffice, add_deed, deed

PROPOSE: Final = "cards.propose_banks"
TERMS: Final = tuple(banks.RangeTerms.__annotations__)


class BankForm(forms.Form):
    code = forms.SlugField(label=_("Code"), max_length=40, widget=UnfoldAdminTextInputWidget)
    name = text(_("Name"), 80)
    reason = text(_("Reason"), 255)


class AccountRangeForm(forms.Form):
    bank = forms.ModelChoiceField(
        label=_("Bank"), queryset=Bank.objects.order_by("code"), widget=UnfoldAdminSelectWidget
    )
    scheme = forms.ChoiceField(
        label=_("Kind of its numbers"), choices=AccountRange.Scheme, widget=UnfoldAdminSelectWidget
    )
    country = text(_("Country, of IBANs alone"), 2, needed=False)
    beginning = text(_("Beginning of its numbers, of IBANs after country and check digits"), 24)
    length = whole(_("Characters of a number"))
    currency = text(_("Currency"), 3)
    held_max = whole(_("How many a member may have at once"))
    reason = text(_("Reason"), 255)


@admin.register(Bank)
class Banks(BackOffice[Bank]):
    list_display = ("code", "name", "how_many")
    fields = ("public_id", "code", "name", "how_many")
    add_deeds = ("propose",)
    ordering = ("code",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bank]:
        found: QuerySet[Bank] = super().get_queryset(request)
        return found.annotate(ranges_of_it=Count("ranges"))

    @admin.display(description=_("ranges of account numbers"))
    def how_many(self, row: Any) -> int:
        return int(row.ranges_of_it)

    @add_deed(_("Propose a bank"), permission=PROPOSE, form=BankForm)
    def propose(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        banks.add_bank(code=answers["code"], name=answers["name"], by=by, reason=answers["reason"])
        return PROPOSED


@admin.register(AccountRange)
class AccountRanges(BackOffice[AccountRange]):
    list_display = ("shown", "bank", "scheme", "currency", "held_max", "issued", "how_many", "filled", "state")
    list_filter = ("scheme", "currency", "state")
    list_select_related = ("bank",)
    fields = (
        "shown",
        "bank",
        "scheme",
        "country",
        "prefix",
        "length",
        "currency",
        "held_max",
        "issued",
        "how_many",
        "filled",
        "state",
    )
    facts = ("shown", "bank", "scheme", "currency", "issued", "how_many")
    deeds = ("close",)
    add_deeds = ("propose",)
    ordering = ("prefix", "pk")

    @admin.display(description=_("numbers"))
    def shown(self, row: AccountRange) -> str:
        return str(row)

    @admin.display(description=_("how many there are"))
    def how_many(self, row: AccountRange) -> int:
        return row.capacity

    @admin.display(description=_("given, in percent"))
    def filled(self, row: AccountRange) -> str:
        return f"{100 * row.issued / row.capacity:.1f}"

    @add_deed(_("Propose a range"), permission=PROPOSE, form=AccountRangeForm, initial=lambda _row: {"held_max": 20})
    def propose(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        answers |= {name: answers[name].upper() for name in ("country", "beginning", "currency")}
        terms: Any = {name: answers["beginning" if name == "prefix" else name] for name in TERMS}
        banks.add_range(terms=terms, by=by, reason=answers["reason"])
        return PROPOSED

    @deed(
        _("Close"),
        permission=PROPOSE,
        form=ReasonForm,
        offered=lambda _by, row: row.state == AccountRange.State.OPEN,
    )
    def close(self, *, row: AccountRange, by: Actor, answers: dict[str, Any]) -> str | Promise:
        banks.close_range(numbers=row, by=by, reason=answers["reason"])
        return _("Nobody gets a new number of it. The accounts that are there stay.")
