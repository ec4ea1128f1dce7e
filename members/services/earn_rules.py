"""Earn rules, campaign budgets and the value of a point: proposed by one person, in force when another approves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypedDict

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import EarnBudget, EarnRule, PointValue
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.effects import APPROVAL, Effect, Line, as_begin, columns, values
from paymentsite.core.errors import Conflict, Invalid, Refused, complaints
from paymentsite.core.money import Money
from paymentsite.core.services import approvals, audit, trail
from paymentsite.core.units import OWN_UNITS, SCALES

RIGHT: Final = "members.approve_earn_rules"
_POINTS_MAX: Final = 10**12


class Fault(TextChoices):
    """Why a rule, a budget or a value can never be, where the columns do not say it."""

    BUDGET = "budget", _("a budget is from 0 to {most} points")
    VALUE = "value", _("points are worth money, in a currency of ISO 4217")
    CURRENCY = "currency", _("what is paid is in a currency of ISO 4217")
    TAKE_BACK = (
        "take_back",
        _("points that are never pending, taken back only while they are, would outlast any refund"),
    )


class InvalidRule(Invalid, why=Fault):
    code = "invalid_earn_rule"
    sentence = gettext_noop("The rule cannot be: {why}.")


class RuleTaken(Conflict):
    code = "earn_rule_taken"
    sentence = gettext_noop("There is a rule {rule} already; change that one.")


class RuleOver(Refused):
    code = "earn_rule_over"
    sentence = gettext_noop("{rule} is over; only the version in force, or the one to come, can be changed or ended.")


class BudgetTooSmall(Refused):
    code = "earn_budget_too_small"
    sentence = gettext_noop("The campaign has given {used} points already.")


class RuleTerms(TypedDict, total=False):
    """What a rule is; what is left out is as before, or what the model says."""

    name_en: str
    name_zh: str
    kind: str
    points: int
    per_minor: int | None
    currency: str
    least_minor: int
    scope: str
    scope_key: str
    by_tier: bool
    stacks: bool
    qualifies: bool
    pending: str
    pending_days: int
    expiry: str
    expiry_months: int
    take_back: str
    budget: EarnBudget | None
    ends_at: datetime | None


_LINES: Final = {
    **columns(EarnRule, RuleTerms.__annotations__),
    "rule": Line(_("rule")),
    "version": Line(_("version")),
    "begins": Line(_("in force from"), as_begin),
    "ends": Line(_("ends"), as_begin),
    "before": Line(_("before")),
}


@approvals.required(
    "members.add_earn_rule", right=RIGHT, concerns=approvals.NOBODY, title=_("Add an earn rule"), lines=_LINES
)
def add(*, code: str, terms: dict[str, Any], by: Actor, reason: str, starts_at: datetime | None = None) -> Effect:
    """There is a rule ``code``, in force from ``starts_at``, or from the approval on."""
    if EarnRule.objects.filter(code=code).exists():
        raise RuleTaken(rule=code)
    rule = EarnRule(code=code, version=1, starts_at=_begin(starts_at), **_known(terms))
    return _saved(rule, by=by, reason=reason, before=None, starts_at=starts_at)


@approvals.required(
    "members.change_earn_rule", right=RIGHT, concerns=approvals.NOBODY, title=_("Change an earn rule"), lines=_LINES
)
def change(
    *, rule: EarnRule, terms: dict[str, Any], by: Actor, reason: str, starts_at: datetime | None = None
) -> Effect:
    """From ``starts_at``, or the approval, on a new version is in force with ``terms``; the old one is kept.

    What was earned by the old version stays as it was earned, and is taken back by it.
    """
    begin = _begin(starts_at)
    old = _supersede(rule, begin, by=by, reason=reason)
    facts = {name: getattr(old, name) for name in RuleTerms.__annotations__} | _known(terms)
    last = EarnRule.objects.filter(code=old.code).order_by("-version").values_list("version", flat=True)[0]
    new = EarnRule(code=old.code, version=last + 1, starts_at=begin, **facts)
    before = values(old, terms)
    return _saved(new, by=by, reason=reason, before=before, starts_at=starts_at)


@approvals.required(
    "members.end_earn_rule", right=RIGHT, concerns=approvals.NOBODY, title=_("End an earn rule"), lines=_LINES
)
def end(*, rule: EarnRule, by: Actor, reason: str) -> Effect:
    """The rule earns nothing from the approval on; what it earned before stays."""
    latest = _supersede(rule, clock.now(), by=by, reason=reason)
    audit.record(by=by, act="earn_rule.ended", subject=latest, reason=reason)
    return {"rule": latest.code, "version": latest.version, "ends": APPROVAL}


@approvals.required(
    "members.set_earn_budget",
    right=RIGHT,
    concerns=approvals.NOBODY,
    title=_("Set how many points a campaign may give"),
    lines={"budget": Line(_("budget")), "before": Line(_("points before")), "after": Line(_("points from now on"))},
)
def set_budget(*, code: str, total: int, by: Actor, reason: str) -> Effect:
    """The campaign ``code`` may give ``total`` points in all, what it has given counted in."""
    if not 0 <= total <= _POINTS_MAX:
        raise InvalidRule(why=Fault.BUDGET, most=_POINTS_MAX)
    budget, made = EarnBudget.objects.get_or_create(code=code, defaults={"total": total})
    before = None if made else budget.total
    # Against what is used at this moment, whoever earns meanwhile.
    if not EarnBudget.objects.filter(pk=budget.pk, used__lte=total).update(total=total):
        raise BudgetTooSmall(used=budget.used)
    trail.tell(budget, by=by, reason=reason)
    audit.record(by=by, act="earn_budget.set", subject=budget, before=before, after=total, reason=reason)
    return {"budget": code, "before": before, "after": total}


@approvals.required(
    "members.set_point_value",
    right=RIGHT,
    concerns=approvals.NOBODY,
    title=_("Set what points are worth"),
    lines={
        "points": Line(_("points")),
        "value": Line(_("are worth")),
        "before": Line(_("before")),
        "begins": Line(_("in force from"), as_begin),
    },
)
def set_value(
    *, points: int, value_minor: int, currency: str, by: Actor, reason: str, starts_at: datetime | None = None
) -> Effect:
    """From ``starts_at``, or the approval, on so many points are worth so much; what was before is kept."""
    if currency not in SCALES or currency in OWN_UNITS:
        raise InvalidRule(why=Fault.VALUE)
    value = PointValue(points=points, value_minor=value_minor, currency=currency, starts_at=_begin(starts_at))
    _check(value)
    before = PointValue.objects.filter(currency=currency, starts_at__lte=value.starts_at).order_by("-starts_at").first()
    value.save(force_insert=True)
    trail.tell(value, by=by, reason=reason)
    audit.record(by=by, act="point_value.set", subject=value, after=str(value), reason=reason)
    told = {"points": points, "value": Money(value_minor, currency), "begins": starts_at or APPROVAL}
    was = before and {"points": before.points, "value": Money(before.value_minor, before.currency)}
    return {**told, "before": was}


def _begin(starts_at: datetime | None) -> datetime:
    """Never in the past: what was bought by then has earned what it has earned."""
    now = clock.now()
    return max(now, starts_at) if starts_at else now


def _supersede(rule: EarnRule, at: datetime, *, by: Actor, reason: str) -> EarnRule:
    """The rule as it is, superseded from ``at`` on with all versions that are to come, which never are then; who
    changes it at once finds that it is over."""
    versions = list(EarnRule.objects.select_for_update().filter(code=rule.code).order_by("version"))
    standing = [each for each in versions if each.superseded_at is None or each.superseded_at > at]
    # What is yet to come goes with what is in force: else a change that somebody planned would keep it from ending.
    if versions[-1].superseded_at is not None or rule.pk not in {each.pk for each in standing}:
        raise RuleOver(rule=str(rule))
    for each in standing:
        EarnRule.objects.filter(pk=each.pk).update(superseded_at=max(at, each.starts_at))
    trail.tell(*standing, by=by, reason=reason)
    return EarnRule.objects.get(pk=rule.pk)


def _known(terms: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := terms.keys() - RuleTerms.__annotations__.keys():
        raise TypeError(f"a rule has no {', '.join(sorted(unknown))}")
    return dict(terms)


def _saved(rule: EarnRule, *, by: Actor, reason: str, before: Any, starts_at: datetime | None) -> Effect:
    if rule.currency and (rule.currency not in SCALES or rule.currency in OWN_UNITS):
        raise InvalidRule(why=Fault.CURRENCY)
    if rule.take_back == EarnRule.TakeBack.PENDING and rule.pending == EarnRule.Pending.NONE:
        raise InvalidRule(why=Fault.TAKE_BACK)
    _check(rule)
    rule.save(force_insert=True)
    trail.tell(rule, by=by, reason=reason)
    after = values(rule, RuleTerms.__annotations__)
    audit.record(by=by, act="earn_rule.made", subject=rule, before=before, after=after, reason=reason)
    return {"rule": rule.code, "version": rule.version, "begins": starts_at or APPROVAL, "before": before, **after}


def _check(row: EarnRule | PointValue) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        raise InvalidRule(why=complaints(error, row)) from error
