"""Tiers and where members stand: read-only, and each change proposed for a second person."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from members.admin.finding import MemberField, OfMembers
from members.models import MemberTier, Progress, Tier, TierChange, TierProgramme
from members.services import tier_gifts, tier_terms
from members.windows import Window
from paymentsite.core.actors import Actor
from paymentsite.core.amount_forms import AmountField, AmountForm, PercentField
from paymentsite.core.backoffice import BackOffice, add_deed, as_is, deed, in_percent, person
from paymentsite.core.effects import Line, columns
from paymentsite.core.formats import amount as formatted
from paymentsite.core.layout import laid_out
from paymentsite.core.money import Money

TERMS = (
    "name_en",
    "name_zh",
    "rank",
    "threshold",
    "earn_bp",
    "fee_discount_bp",
    "free_withdrawals",
    "fx_margin_bp",
    "upgrade_points",
)
# How a page shows terms that are amounts or shares.
SHOWN = {"threshold": "takes", "earn_bp": "earn_rate", "fee_discount_bp": "fee_discount", "fx_margin_bp": "fx_margin"}
PROGRAMME = ("measure", "currency", "window", "grace_days", "step_down")
# Before the code of a tier: the field that asks what it takes.
TAKES = "takes_"
# By what a standing was worked out.
FIGURES = {"have": Line(_("counted")), **columns(TierProgramme, ("measure", "window", "version"))}
PROPOSED = _("Proposed: it is done when another person approves it.")


def whole(label: Any, *, needed: bool = True) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=0, required=needed, widget=UnfoldAdminIntegerFieldWidget)


def text(label: Any, length: int, *, needed: bool = True) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, required=needed, widget=UnfoldAdminTextInputWidget)


class TierForm(AmountForm):
    """Its currency is what thresholds are counted in: money, or qualifying points."""

    currency = forms.CharField(widget=forms.HiddenInput)
    name_en = text(_("Name in English"), 40)
    name_zh = text(_("Name in Chinese"), 40, needed=False)
    rank = whole(_("Rank"))
    threshold = AmountField(label=_("Threshold"))
    earn_bp = PercentField(label=_("Earn rate"), most=1_000_000)
    fee_discount_bp = PercentField(label=_("Fee discount"))
    free_withdrawals = whole(_("Free withdrawals a month"))
    fx_margin_bp = PercentField(label=_("Exchange margin"))
    upgrade_points = whole(_("Price in points"), needed=False)
    reason = text(_("Reason"), 255)

    def clean(self) -> dict[str, Any]:
        """What was typed was typed as an amount of what the page said, which may have changed since."""
        answers = super().clean()
        if answers.get("currency") != TierProgramme.current().unit:
            complaint = _("Tiers are counted in something else now. Open this page again, and look at the threshold.")
            self.add_error("threshold", complaint)
        return answers


class NewTierForm(TierForm):
    code = forms.SlugField(label=_("Code"), max_length=30, widget=UnfoldAdminTextInputWidget)
    field_order = ("code",)


class ProgrammeForm(AmountForm):
    """The programme, and what each tier takes in what the programme counts."""

    measure = forms.ChoiceField(label=_("Measure"), choices=TierProgramme.Measure, widget=UnfoldAdminSelectWidget)
    currency = text(_("Currency"), 3)
    window = forms.ChoiceField(label=_("Window"), choices=Window, widget=UnfoldAdminSelectWidget)
    grace_days = whole(_("Days of grace before going down"))
    step_down = forms.ChoiceField(label=_("Way down"), choices=TierProgramme.StepDown, widget=UnfoldAdminSelectWidget)
    reason = text(_("Reason"), 255)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        unit = TierProgramme.current().unit
        self.tiers = {f"{TAKES}{tier.code}": tier for tier in Tier.objects.filter(threshold__gt=0).order_by("rank")}
        for name, tier in self.tiers.items():
            taken = str(Money(tier.threshold, unit).decimal)
            self.fields[name] = AmountField(label=_("Threshold of {tier}").format(tier=tier.name), initial=taken)
        self.order_fields([name for name in self.fields if name != "reason"])

    def unit(self, values: dict[str, Any]) -> str:
        return TierProgramme(measure=values.get("measure") or "", currency=values.get("currency") or "").unit

    def clean(self) -> dict[str, Any]:
        answers = super().clean()
        takes = {name: answers[name] for name in self.tiers if answers.get(name) is not None}
        counted = self.unit(answers) != TierProgramme.current().unit
        if counted or any(self.tiers[name].threshold != minor for name, minor in takes.items()):
            answers["thresholds"] = {self.tiers[name].code: minor for name, minor in takes.items()}
        return answers


class GiftForm(forms.Form):
    member = MemberField(label=_("Member"))
    tier = forms.ModelChoiceField(
        label=_("Tier"), queryset=Tier.objects.order_by("rank"), widget=UnfoldAdminSelectWidget
    )
    until = forms.SplitDateTimeField(label=_("Until"), widget=UnfoldAdminSplitDateTimeWidget)
    reason = text(_("Reason"), 255)


def changed(row: Any, answers: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """What of ``answers`` differs from ``row``: whoever approves sees that alone."""
    return {name: answers[name] for name in names if answers[name] != getattr(row, name)}


def tier_as_is(row: Tier | None) -> dict[str, Any]:
    return {**as_is(*TERMS)(row or Tier()), "currency": TierProgramme.current().unit}


def programme_as_is(_row: object) -> dict[str, Any]:
    return as_is(*PROGRAMME)(TierProgramme.current())


@admin.register(Tier)
class Tiers(BackOffice[Tier]):
    list_display = ("code", "name_en", "name_zh", "rank", "takes", "earn_rate", "upgrade_points")
    fields = ("code", *(SHOWN.get(name, name) for name in TERMS))
    facts = ("code", "rank", "takes")
    deeds = ("change_tier_terms",)
    add_deeds = ("add_tier",)
    ordering = ("rank",)

    earn_rate = in_percent("earn_bp", _("earn rate"))
    fee_discount = in_percent("fee_discount_bp", _("fee discount"))
    fx_margin = in_percent("fx_margin_bp", _("exchange margin"))

    @admin.display(description=_("threshold"), ordering="threshold")
    def takes(self, tier: Tier) -> str:
        return formatted(Money(tier.threshold, TierProgramme.current().unit))

    @deed(_("Propose a change"), permission="members.propose_tiers", form=TierForm, initial=tier_as_is)
    def change_tier_terms(self, *, row: Tier, by: Actor, answers: dict[str, Any]) -> str | Promise:
        tier_terms.change(tier=row, terms=changed(row, answers, TERMS), by=by, reason=answers["reason"])
        return PROPOSED

    @add_deed(
        _("Propose a tier"),
        permission="members.propose_tiers",
        form=NewTierForm,
        initial=tier_as_is,
    )
    def add_tier(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        terms = {name: answers[name] for name in TERMS}
        tier_terms.add(code=answers["code"], terms=terms, by=by, reason=answers["reason"])
        return PROPOSED


@admin.register(TierProgramme)
class TierProgrammes(BackOffice[TierProgramme]):
    list_display = ("measure", "currency", "window", "grace_days", "step_down", "version")
    fields = (*PROGRAMME, "version")
    add_deeds = ("change_programme",)

    @add_deed(_("Propose a change"), permission="members.propose_tiers", form=ProgrammeForm, initial=programme_as_is)
    def change_programme(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        terms, thresholds = changed(TierProgramme.current(), answers, PROGRAMME), answers.get("thresholds")
        tier_terms.change_programme(terms=terms, thresholds=thresholds, by=by, reason=answers["reason"])
        return PROPOSED


@admin.register(MemberTier)
class MemberTiers(OfMembers[MemberTier]):
    list_display = ("member", "tier", "since", "kept", "kept_until", "grace_until", "due_at")
    list_filter = ("tier", "kept_by")
    list_select_related = ("member", "tier", "kept")
    fields = ("member", "tier", "since", "kept", "kept_until", "kept_by", "grace_until", "due_at", "version")
    add_deeds = ("give",)

    @add_deed(_("Propose to give a tier"), permission="members.propose_member_tier", form=GiftForm)
    def give(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        tier_gifts.give(by=by, **answers)
        return PROPOSED


@admin.register(TierChange)
class TierChanges(OfMembers[TierChange]):
    list_display = ("at", "member", "before", "after", "reason", "until", "points", "by")
    list_filter = ("reason",)
    list_select_related = ("member", "before", "after")
    fields = (
        "public_id",
        "at",
        "member",
        "before",
        "after",
        "reason",
        "note",
        "until",
        "points",
        "shown_figures",
        "journal",
    )
    people = ("actor",)

    by = person("actor", _("by"))

    @admin.display(description=_("figures"))
    def shown_figures(self, change: TierChange) -> str:
        return laid_out(change.figures, FIGURES)


@admin.register(Progress)
class ProgressRows(OfMembers[Progress]):
    list_display = ("at", "member", "source", "cause", "qualifying", "spend")
    fields = (*list_display, "recorded_at")

    @admin.display(description=_("spend"))
    def spend(self, row: Progress) -> str:
        return formatted(Money(row.spend_minor, row.currency))
