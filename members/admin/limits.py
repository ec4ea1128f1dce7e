"""Limits in the back office: proposed for a second person, lowered at once."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextInputWidget

from members.admin.finding import MemberField, OfMembers
from members.models import Limit, LimitUse, Tier
from members.models.limits import whom_words
from members.periods import Period
from members.services import limit_rules
from members.services.limit_rules import InvalidLimit
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import add_deed, deed, person
from paymentsite.core.errors import as_moment
from paymentsite.core.formats import amount as formatted
from paymentsite.core.formats import read
from paymentsite.core.layout import laid_out

Measure = Limit.Measure
PROPOSED = _("Proposed: it is in force when somebody else approves.")


def _text(label: Any, length: int, *, needed: bool = True) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, required=needed, widget=UnfoldAdminTextInputWidget)


def _choice(label: Any, choices: Any, *, needed: bool = True) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, required=needed, widget=UnfoldAdminSelectWidget)


class LowerForm(forms.Form):
    cap = _text(_("Cap: an amount, or how many times"), 30)
    reason = _text(_("Reason"), 255)


class ReplaceForm(LowerForm):
    ends_at = forms.SplitDateTimeField(label=_("In force until"), required=False, widget=UnfoldAdminSplitDateTimeWidget)


class EndForm(forms.Form):
    reason = _text(_("Reason"), 255)


class LimitForm(ReplaceForm):
    member = MemberField(label=_("Of one member"), required=False)
    tier = forms.ModelChoiceField(
        label=_("Of a tier"), queryset=Tier.objects.all(), required=False, widget=UnfoldAdminSelectWidget
    )
    level = _choice(
        _("Of an identity level"), [("", "–"), *((str(level), str(level)) for level in range(4))], needed=False
    )
    kind = _choice(_("Kind"), Limit._meta.get_field("kind").flatchoices)
    currency = _text(_("Currency"), 3)
    measure = _choice(_("Measure"), Measure.choices)
    period = _choice(_("Period"), Period.choices)

    field_order = ("member", "tier", "level", "kind", "currency", "measure", "period", "cap", "ends_at", "reason")


def cap_of(text: str, *, measure: str, currency: str) -> int:
    """What an operator typed as a cap: whole units of the currency, or a number of times."""
    if measure != Measure.COUNT:
        return read(text, currency).minor
    if not (text.strip().isdecimal() and text.strip().isascii()):
        raise InvalidLimit(field="cap", given=text)
    return int(text)


def typed_cap(limit: Limit) -> str:
    return str(limit.cap) if isinstance(limit.capped, int) else str(limit.capped.decimal)


@admin.register(Limit)
class Limits(OfMembers[Limit]):
    list_display = ("whom", "kind", "currency", "measure", "period", "shown_cap", "starts_at", "ends_at", "setter")
    list_filter = ("currency", "kind", "measure", "level")
    list_select_related = ("member", "tier")
    fields = (
        "member",
        "tier",
        "level",
        "kind",
        "currency",
        "measure",
        "period",
        "shown_cap",
        "starts_at",
        "ends_at",
        "setter",
        "reason",
    )
    facts = ("whom", "kind", "currency", "measure", "period", "shown_cap")
    people = ("set_by",)
    add_deeds = ("propose",)
    deeds = ("replace", "lower", "end")

    setter = person("set_by", _("set by"))

    @admin.display(description=_("of whom"))
    def whom(self, limit: Limit) -> str:
        return str(limit.member or limit.tier or whom_words(limit.whom))

    @admin.display(description=_("cap"))
    def shown_cap(self, limit: Limit) -> str:
        return str(limit.cap) if isinstance(limit.capped, int) else formatted(limit.capped)

    @add_deed(_("Propose a limit"), permission="members.set_limits", form=LimitForm)
    def propose(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        asked = {**answers, "currency": answers["currency"].upper()}
        asked["cap"] = cap_of(asked["cap"], measure=asked["measure"], currency=asked["currency"])
        asked["level"] = int(asked["level"]) if asked["level"] else None
        limit_rules.propose(**asked, by=by)
        return PROPOSED

    @deed(
        _("Propose another cap"),
        permission="members.set_limits",
        form=ReplaceForm,
        initial=lambda row: {"cap": typed_cap(row), "ends_at": row.ends_at},
    )
    def replace(self, *, row: Limit, by: Actor, answers: dict[str, Any]) -> str | Promise:
        cap = cap_of(answers["cap"], measure=row.measure, currency=row.currency)
        limit_rules.propose(
            member=row.member,
            tier=row.tier,
            level=row.level,
            kind=row.kind,
            currency=row.currency,
            measure=row.measure,
            period=row.period,
            cap=cap,
            ends_at=answers["ends_at"],
            by=by,
            reason=answers["reason"],
        )
        return PROPOSED

    @deed(_("Lower"), permission="members.set_limits", form=LowerForm, initial=lambda row: {"cap": typed_cap(row)})
    def lower(self, *, row: Limit, by: Actor, answers: dict[str, Any]) -> str | Promise:
        cap = cap_of(answers["cap"], measure=row.measure, currency=row.currency)
        limit_rules.lower(limit=row, cap=cap, by=by, reason=answers["reason"])
        return _("The limit is lower from now on.")

    @deed(_("Propose to end it"), permission="members.set_limits", form=EndForm)
    def end(self, *, row: Limit, by: Actor, answers: dict[str, Any]) -> str | Promise:
        limit_rules.end(limit=row, by=by, reason=answers["reason"])
        return PROPOSED


def _judged(limit: Limit | None, pk: int, since: str | None) -> str:
    name = str(limit or pk)
    return gettext("%(limit)s, since %(since)s") % {"limit": name, "since": as_moment(since)} if since else name


@admin.register(LimitUse)
class LimitUses(OfMembers[LimitUse]):
    list_display = ("at", "member", "kind", "shown_amount", "source", "given_back_at", "counted_again_at")
    list_filter = ("kind", "currency")
    otherwise = "source"
    search_help_text = _("a whole source, such as transfer:…, or a member's handle, e-mail address or id")
    fields = (
        "at",
        "member",
        "kind",
        "shown_amount",
        "source",
        "zone",
        "given_back_at",
        "lapsed_at",
        "counted_again_at",
        "judges",
    )

    @admin.display(description=_("judged by"))
    def judges(self, use: LimitUse) -> str:
        """Each limit as it was, and since when what it allows was counted."""
        limits = Limit.objects.in_bulk([pk for pk, _since in use.judged])
        return laid_out([_judged(limits.get(pk), pk, since) for pk, since in use.judged])

    @admin.display(description=_("amount"))
    def shown_amount(self, use: LimitUse) -> str:
        return formatted(use.amount)
