"""The form that asks what cards may be used for: whatever is left empty says nothing, and so allows everything."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES, UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminIntegerFieldWidget

from cards.control_rules import Controls, Entry, Measure, Names, Span
from cards.merchant_kinds import Group
from cards.services.controls import WEEKDAYS
from members.admin.tiers import text
from paymentsite.core.errors import DomainError
from paymentsite.core.formats import read
from paymentsite.core.money import Money

_LAST_HOUR: Final = 24
_BETWEEN: Final = re.compile(r"[\s,;，、；]+")


class CapsWidget(forms.Widget):
    """A table: over what it counts, how much at most, how often at most."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        del attrs, renderer
        typed: Mapping[str, str] = value or {}
        heading = '<th class="font-medium px-2 py-1 text-left">{}</th>'
        head = format_html_join("", heading, ((label,) for label in (_("over"), *Measure.labels)))
        rows = (
            (span.label, *(self._cell(name, measure, span, typed) for measure in (Measure.AMOUNT, Measure.COUNT)))
            for span in Span
        )
        row = '<tr><th class="font-normal px-2 py-1 text-left whitespace-nowrap">{}</th>' + "<td>{}</td>" * 2 + "</tr>"
        table = '<table class="max-w-2xl w-full"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
        return format_html(table, head, format_html_join("", row, rows))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        del files
        return {cap: typed for cap in _CAPS if (typed := data.get(f"{name}-{cap}", "").strip())}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        del data, files, name
        return False

    def _cell(self, name: str, measure: Measure, span: Span, typed: Mapping[str, str]) -> SafeString | str:
        cap = f"{measure}.{span}"
        if cap not in _CAPS:
            return ""
        label = gettext("{measure}, {span}").format(measure=measure.label, span=span.label)
        return format_html(
            '<div class="p-1"><input type="text" name="{}" value="{}" aria-label="{}" class="{}"></div>',
            *(f"{name}-{cap}", typed.get(cap, ""), label, " ".join(INPUT_CLASSES)),
        )


_CAPS: Final = tuple(
    f"{measure}.{span}" for measure in Measure for span in Span if (measure, span) != (Measure.COUNT, Span.EACH)
)


class CapsField(forms.Field):
    """Answers with caps as a set of controls has them. What amounts are counted in its form says."""

    widget = CapsWidget
    currency = ""

    def clean(self, value: Any) -> list[dict[str, Any]]:
        return [self._cap(cap, typed) for cap, typed in value.items()]

    def _cap(self, cap: str, typed: str) -> dict[str, Any]:
        measure, _dot, span = cap.partition(".")
        try:
            most = read(typed, self.currency).minor if measure == Measure.AMOUNT else int(typed)
        except DomainError as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        except ValueError as error:
            complaint = _("“%(typed)s” is not a number of times.")
            raise forms.ValidationError(complaint, params={"typed": typed}) from error
        return {"measure": measure, "span": span, "most": most}


class ListField(forms.CharField):
    """Several names in one line; answers with a list of them."""

    def clean(self, value: Any) -> list[str]:
        return [name for name in _BETWEEN.split(super().clean(value)) if name]


class CodesField(ListField):
    """The same for codes of capital letters."""

    def clean(self, value: Any) -> list[str]:
        return super().clean((value or "").upper())


def _chosen(label: Any, choices: Any) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, choices=choices, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )


def _line(kind: type[ListField], label: Any, hint: Any = "") -> ListField:
    usual = text(label, 1_000, needed=False)
    return kind(label=label, help_text=hint, required=False, max_length=1_000, widget=usual.widget)


def _hour(label: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=0, max_value=_LAST_HOUR, required=False, widget=UnfoldAdminIntegerFieldWidget
    )


class ControlsForm(forms.Form):
    """Begins with a set under ``controls``, whose amounts are in ``currency``; answers with one under ``terms``."""

    caps = CapsField(label=_("Limits, where there shall be any"), required=False)
    categories_only = _chosen(_("Only these kinds of merchants"), Group.choices)
    categories_only_codes = _line(ListField, _("and only these, by their codes of four digits"))
    categories_never = _chosen(_("Never these kinds of merchants"), Group.choices)
    categories_never_codes = _line(ListField, _("and never these, by their codes of four digits"))
    countries_only = _line(CodesField, _("Only in these countries"), _("two letters each, such as CN HK"))
    countries_never = _line(CodesField, _("Never in these countries"))
    merchants_only = _line(ListField, _("Only at these merchants"), _("their ids"))
    merchants_never = _line(ListField, _("Never at these merchants"))
    entries = _chosen(_("Only in these ways"), Entry.choices)
    currencies = _line(CodesField, _("Only in these currencies"), _("of the merchant, such as CNY EUR"))
    hours_first = _hour(_("From the hour, on the member's clock"))
    hours_end = _hour(_("to before the hour"))
    weekdays = _chosen(_("Only on these days"), list(enumerate(WEEKDAYS)))
    reason = text(_("Reason"), 255)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        begins: dict[str, Any] = dict(self.initial)
        caps: Any = self.fields["caps"]
        caps.currency = begins.pop("currency", "")
        caps.help_text = gettext("amounts are in {currency}").format(currency=caps.currency)
        self.initial = _typed(begins.pop("controls", Controls()), caps.currency)

    def clean(self) -> dict[str, Any]:
        answers: dict[str, Any] = super().clean() or self.cleaned_data
        first, end = answers.get("hours_first"), answers.get("hours_end")
        if (first is None) != (end is None):
            self.add_error("hours_end", _("Say both hours, or none."))
        answers["terms"] = _terms(answers)
        return answers


def _terms(answers: Mapping[str, Any]) -> dict[str, Any]:
    """What was answered, as a set of controls is written."""
    found: dict[str, Any] = {"caps": answers.get("caps")}
    for part in ("categories", "countries", "merchants"):
        names = {way: [*_list(answers, f"{part}_{way}"), *_list(answers, f"{part}_{way}_codes")] for way in _WAYS}
        found[part] = {way: listed for way, listed in names.items() if listed}
    found["entries"], found["currencies"] = _list(answers, "entries"), _list(answers, "currencies")
    found["weekdays"] = [int(day) for day in _list(answers, "weekdays")]
    if answers.get("hours_first") is not None and answers.get("hours_end") is not None:
        found["hours"] = [answers["hours_first"], answers["hours_end"]]
    return {part: said for part, said in found.items() if said}


_WAYS: Final = ("only", "never")


def _list(answers: Mapping[str, Any], name: str) -> list[str]:
    return list(answers.get(name) or ())


def _typed(controls: Controls, currency: str) -> dict[str, Any]:
    """A set as somebody would have typed it."""
    found: dict[str, Any] = {"caps": {cap.name: _most(cap.measure, cap.most, currency) for cap in controls.caps}}
    for part in ("categories", "countries", "merchants"):
        names: Names = getattr(controls, part)
        for way, listed in zip(_WAYS, (names.only or (), names.never), strict=True):
            grouped = [name for name in listed if part == "categories" and name in Group.values]
            others = " ".join(name for name in listed if name not in grouped)
            if part == "categories":
                found[f"{part}_{way}"], found[f"{part}_{way}_codes"] = grouped, others
            else:
                found[f"{part}_{way}"] = others
    found["entries"] = [str(entry) for entry in controls.entries or ()]
    found["currencies"] = " ".join(controls.currencies or ())
    found["weekdays"] = [str(day) for day in controls.weekdays or ()]
    found["hours_first"], found["hours_end"] = controls.hours or (None, None)
    return found


def _most(measure: Measure, most: int, currency: str) -> str:
    return str(Money(most, currency).decimal) if measure == Measure.AMOUNT else str(most)
