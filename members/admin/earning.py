"""Earn rules and budgets, each change proposed for a second person; what was bought and earned, read-only."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db import models
from django.forms.models import fields_for_model
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from members.admin.finding import OfMembers
from members.admin.tiers import PROPOSED, changed, text, whole
from members.models import EarnBudget, Earning, EarnRule, Purchase, Referral
from members.services import earn_rules
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.amount_forms import AmountField, AmountForm
from paymentsite.core.backoffice import BackOffice, add_deed, as_is, deed
from paymentsite.core.formats import amount as formatted
from paymentsite.core.layout import NOTHING
from paymentsite.core.money import Money

RIGHT: Final = "members.propose_earn_rules"
_AMOUNTS: Final = {
    "per_minor": _("what is left over earns nothing"),
    "least_minor": _("a smaller payment earns nothing"),
}
TERMS: Final = tuple(earn_rules.RuleTerms.__annotations__)


# What is shown of a term in its place.
_SHOWN: Final = {"per_minor": "per", "least_minor": "least"}


def _asked(field: models.Field[Any, Any], **how: Any) -> forms.Field | None:
    """The form's field for a rule's column, dressed as the back office is."""
    if isinstance(field, models.DateTimeField):
        return forms.SplitDateTimeField(
            label=capfirst(field.verbose_name), required=not field.blank, widget=UnfoldAdminSplitDateTimeWidget
        )
    if field.name in _AMOUNTS:
        otherwise = field.default if field.has_default() else None
        return AmountField(
            label=capfirst(field.verbose_name), help_text=_AMOUNTS[field.name], required=False, otherwise=otherwise
        )
    if isinstance(field, models.BooleanField):
        widget: Any = UnfoldBooleanWidget
    elif field.choices or isinstance(field, models.ForeignKey):
        widget = UnfoldAdminSelectWidget
    elif isinstance(field, models.IntegerField):
        widget = UnfoldAdminIntegerFieldWidget
    else:
        widget = UnfoldAdminTextInputWidget
    made: forms.Field | None = field.formfield(**{**how, "widget": widget})
    return made


class RuleForm(AmountForm):
    locals().update(fields_for_model(EarnRule, TERMS, formfield_callback=_asked))
    starts_at = forms.SplitDateTimeField(
        label=_("In force from"),
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text=_("empty: from the approval on"),
    )
    reason = text(_("Reason"), 255)


class NewRuleForm(RuleForm):
    code = forms.SlugField(label=_("Code"), max_length=40, widget=UnfoldAdminTextInputWidget)
    field_order = ("code",)


class ReasonForm(forms.Form):
    reason = text(_("Reason"), 255)


class BudgetForm(forms.Form):
    total = whole(_("Points it may give in all"))
    reason = text(_("Reason"), 255)


class NewBudgetForm(BudgetForm):
    code = forms.SlugField(label=_("Code"), max_length=40, widget=UnfoldAdminTextInputWidget)
    field_order = ("code",)


def _stands(_by: Actor, rule: EarnRule) -> bool:
    """In force, or to come."""
    return rule.superseded_at is None or rule.superseded_at > max(clock.now(), rule.starts_at)


@admin.register(EarnRule)
class EarnRules(BackOffice[EarnRule]):
    list_display = (
        "code",
        "version",
        "name_en",
        "kind",
        "points",
        "per",
        "starts_at",
        "superseded_at",
    )
    list_filter = ("kind", ("superseded_at", admin.EmptyFieldListFilter))
    list_select_related = ("budget",)
    search_fields = ("code",)
    fields = ("code", "version", *(_SHOWN.get(name, name) for name in TERMS), "starts_at", "superseded_at")
    facts = ("code", "version", "starts_at")
    deeds = ("change_rule", "end_rule")
    add_deeds = ("add_rule",)
    ordering = ("code", "-version")

    @admin.display(description=_("for each"))
    def per(self, rule: EarnRule) -> str:
        return NOTHING if rule.per_minor is None else formatted(Money(rule.per_minor, rule.currency))

    @admin.display(description=_("from"))
    def least(self, rule: EarnRule) -> str:
        return formatted(Money(rule.least_minor, rule.currency)) if rule.least_minor else NOTHING

    @deed(_("Propose a change"), permission=RIGHT, form=RuleForm, initial=as_is(*TERMS), offered=_stands)
    def change_rule(self, *, row: EarnRule, by: Actor, answers: dict[str, Any]) -> str | Promise:
        earn_rules.change(
            rule=row,
            terms=changed(row, answers, TERMS),
            by=by,
            reason=answers["reason"],
            starts_at=answers["starts_at"],
        )
        return PROPOSED

    @deed(_("Propose its end"), permission=RIGHT, form=ReasonForm, offered=_stands)
    def end_rule(self, *, row: EarnRule, by: Actor, answers: dict[str, Any]) -> str | Promise:
        earn_rules.end(rule=row, by=by, reason=answers["reason"])
        return PROPOSED

    @add_deed(_("Propose a rule"), permission=RIGHT, form=NewRuleForm)
    def add_rule(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        earn_rules.add(
            code=answers["code"],
            terms={name: answers[name] for name in TERMS},
            by=by,
            reason=answers["reason"],
            starts_at=answers["starts_at"],
        )
        return PROPOSED


@admin.register(EarnBudget)
class EarnBudgets(BackOffice[EarnBudget]):
    list_display = ("code", "total", "used", "left")
    search_fields = ("code",)
    fields = facts = ("code", "total", "used", "left")
    deeds = ("change_budget",)
    add_deeds = ("add_budget",)
    ordering = ("code",)

    @admin.display(description=_("left"))
    def left(self, budget: EarnBudget) -> int:
        return budget.left

    @deed(_("Propose another total"), permission=RIGHT, form=BudgetForm, initial=as_is("total"))
    def change_budget(self, *, row: EarnBudget, by: Actor, answers: dict[str, Any]) -> str | Promise:
        earn_rules.set_budget(code=row.code, total=answers["total"], by=by, reason=answers["reason"])
        return PROPOSED

    @add_deed(_("Propose a budget"), permission=RIGHT, form=NewBudgetForm)
    def add_budget(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        earn_rules.set_budget(code=answers["code"], total=answers["total"], by=by, reason=answers["reason"])
        return PROPOSED


@admin.register(Earning)
class Earnings(OfMembers[Earning]):
    list_display = ("at", "member", "source", "rule", "points", "state", "pending_until", "expires_on", "taken")
    list_filter = ("state",)
    list_select_related = ("member", "rule")

    @admin.display(description=_("taken back"))
    def taken(self, earning: Earning) -> int:
        return earning.taken


@admin.register(Purchase)
class Purchases(OfMembers[Purchase]):
    list_display = ("at", "member", "source", "merchant", "price", "back", "final_at")
    fields = ("at", "member", "source", "merchant", "category", "price", "earns", "back", "final_at")
    otherwise = "source"
    search_help_text = _("a payment, or a member's handle, e-mail address or id")

    @admin.display(description=_("price"))
    def price(self, purchase: Purchase) -> str:
        return formatted(purchase.amount)

    @admin.display(description=_("of which earns"))
    def earns(self, purchase: Purchase) -> str:
        return formatted(purchase.earning)

    @admin.display(description=_("refunded"))
    def back(self, purchase: Purchase) -> str:
        return formatted(purchase.refunded)


@admin.register(Referral)
class Referrals(OfMembers[Referral]):
    parties = ("member", "referrer")
    list_display = ("at", "member", "referrer", "due_at", "settled_at")
    list_select_related = ("member", "referrer")
    ordering = ("-at",)

    @admin.display(description=_("settled"), ordering="rewarded_at")
    def settled_at(self, referral: Referral) -> datetime | None:
        """When the reward was given, or when it was found that no rule promises one."""
        return referral.rewarded_at
