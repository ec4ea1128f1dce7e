"""Fees in the back office: proposed by one person, approved by another; and each price that was taken."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from members.admin.finding import OfMembers
from members.models import Tier
from paymentsite.core.actors import Actor
from paymentsite.core.amount_forms import PercentField
from paymentsite.core.backoffice import BackOffice, add_deed, deed, in_percent, person
from paymentsite.core.formats import amount as formatted
from paymentsite.core.formats import read
from paymentsite.core.money import Money
from wallets.models import FeeRule, FeeUse
from wallets.models.fees import Kind
from wallets.services import fee_rules

PROPOSED = _("Proposed: it is in force when somebody else approves.")
AMOUNTS = ("fixed", "minimum", "maximum")


def _text(label: Any, length: int, *, needed: bool = True) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, required=needed, widget=UnfoldAdminTextInputWidget)


class PriceForm(forms.Form):
    percent_bp = PercentField(label=_("Percentage"))
    fixed = _text(_("Fixed part"), 30, needed=False)
    minimum = _text(_("Minimum"), 30, needed=False)
    maximum = _text(_("Maximum, empty for none"), 30, needed=False)
    ends_at = forms.SplitDateTimeField(label=_("In force until"), required=False, widget=UnfoldAdminSplitDateTimeWidget)
    reason = _text(_("Reason"), 255)


class RuleForm(PriceForm):
    kind = forms.ChoiceField(label=_("Kind"), choices=Kind, widget=UnfoldAdminSelectWidget)
    currency = _text(_("Currency"), 3)
    tier = forms.ModelChoiceField(
        label=_("Of a tier"), queryset=Tier.objects.all(), required=False, widget=UnfoldAdminSelectWidget
    )

    field_order = ("kind", "currency", "tier")


class EndForm(forms.Form):
    reason = _text(_("Reason"), 255)


def asked(answers: dict[str, Any], currency: str) -> dict[str, Any]:
    """What an operator typed, with its amounts in whole units of ``currency``, for ``fee_rules.propose``."""
    amounts = {name: read(text, currency).minor for name in AMOUNTS if (text := answers[name].strip())}
    rest = {name: value for name, value in answers.items() if name not in AMOUNTS}
    return {**rest, **{f"{name}_minor": minor for name, minor in amounts.items()}}


def typed(rule: FeeRule) -> dict[str, Any]:
    amounts = {name: getattr(rule, f"{name}_minor") for name in AMOUNTS}
    texts = {n: "" if minor is None else str(Money(minor, rule.currency).decimal) for n, minor in amounts.items()}
    return {**texts, "percent_bp": rule.percent_bp, "ends_at": rule.ends_at}


@admin.register(FeeRule)
class FeeRules(BackOffice[FeeRule]):
    list_display = ("kind", "currency", "tier", "percentage", "fixed", "minimum", "maximum", "starts_at", "ends_at")
    list_filter = ("kind", "currency")
    list_select_related = ("tier",)
    fields = (
        "kind",
        "currency",
        "tier",
        "percentage",
        "fixed",
        "minimum",
        "maximum",
        "starts_at",
        "ends_at",
        "setter",
        "reason",
    )
    facts = ("kind", "currency", "tier", "percentage", "fixed", "minimum", "maximum")
    people = ("set_by",)
    add_deeds = ("propose",)
    deeds = ("replace", "end")
    ordering = ("-pk",)

    setter = person("set_by", _("set by"))
    percentage = in_percent("percent_bp", _("percentage"))

    @admin.display(description=_("fixed part"))
    def fixed(self, rule: FeeRule) -> str:
        return formatted(Money(rule.fixed_minor, rule.currency))

    @admin.display(description=_("minimum"))
    def minimum(self, rule: FeeRule) -> str:
        return formatted(Money(rule.minimum_minor, rule.currency))

    @admin.display(description=_("maximum"))
    def maximum(self, rule: FeeRule) -> str | None:
        return None if rule.maximum_minor is None else formatted(Money(rule.maximum_minor, rule.currency))

    @add_deed(_("Propose a fee"), permission="wallets.set_fees", form=RuleForm)
    def propose(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        currency = answers["currency"].upper()
        fee_rules.propose(**asked({**answers, "currency": currency}, currency), by=by)
        return PROPOSED

    @deed(_("Propose another price"), permission="wallets.set_fees", form=PriceForm, initial=typed)
    def replace(self, *, row: FeeRule, by: Actor, answers: dict[str, Any]) -> str | Promise:
        same: dict[str, Any] = {"kind": row.kind, "currency": row.currency, "tier": row.tier}
        fee_rules.propose(**same, **asked(answers, row.currency), by=by)
        return PROPOSED

    @deed(_("Propose to end it"), permission="wallets.set_fees", form=EndForm)
    def end(self, *, row: FeeRule, by: Actor, answers: dict[str, Any]) -> str | Promise:
        fee_rules.end(rule=row, by=by, reason=answers["reason"])
        return PROPOSED


@admin.register(FeeUse)
class FeeUses(OfMembers[FeeUse]):
    list_display = ("at", "member", "kind", "shown_fee", "free", "source", "given_back_at")
    list_filter = ("kind", "currency", "free")
    otherwise = "source"
    search_help_text = _("a whole source, such as withdrawal:…, or a member's handle, e-mail address or id")
    fields = ("at", "member", "kind", "shown_fee", "rule", "free", "free_number", "month", "source", "given_back_at")

    @admin.display(description=_("fee"))
    def shown_fee(self, use: FeeUse) -> str:
        return formatted(use.fee)
