"""Setting fees: proposed by one person, in force when another one approves."""

from datetime import datetime
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import Tier
from paymentsite.core import clock, versions
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.acts import act
from paymentsite.core.disclosure import clear
from paymentsite.core.effects import APPROVAL, Effect, Line, as_begin, columns
from paymentsite.core.errors import Conflict, Invalid, as_moment
from paymentsite.core.money import Money
from paymentsite.core.services import approvals, audit, trail
from paymentsite.core.units import OWN_UNITS, SCALES
from wallets.models import FeeRule
from wallets.models.fees import PRICE_MAX, Kind

RIGHT: Final = "wallets.approve_fees"


class Field(TextChoices):
    KIND = "kind", _("kind")
    CURRENCY = "currency", _("currency")
    PERCENT = "percent_bp", _("percentage")
    FIXED = "fixed_minor", _("fixed part")
    MINIMUM = "minimum_minor", _("minimum")
    MAXIMUM = "maximum_minor", _("maximum")
    REASON = "reason", _("reason")
    ENDS_AT = "ends_at", _("end")


class Without(TextChoices):
    """What is asked where a fee ends and no other is for the same."""

    NOTHING = "nothing", _("nothing is asked any more")


class InvalidFeeRule(Invalid, field=Field):
    code = "invalid_fee_rule"
    sentence = gettext_noop("There is no such fee: the {field} cannot be {given}.")


class FeeRuleNotInForce(Conflict):
    code = "fee_rule_not_in_force"
    sentence = gettext_noop("That fee is no longer in force. Look at the one that replaced it.")


_LINES: Final = {
    **columns(FeeRule, ("kind", "tier", "percent_bp", "fixed_minor", "minimum_minor", "maximum_minor")),
    "before": Line(_("before")),
    "then": Line(_("when it has ended"), Without),
    "begins": Line(_("in force from"), as_begin),
    "ends": Line(_("until"), as_moment),
}


@approvals.required("wallets.set_fee", right=RIGHT, concerns=approvals.NOBODY, title=_("Set a fee"), lines=_LINES)
def propose(  # noqa: PLR0913  a price has that many sides
    *,
    kind: str,
    currency: str,
    by: Actor,
    reason: str,
    tier: Tier | None = None,
    percent_bp: int = 0,
    fixed_minor: int = 0,
    minimum_minor: int = 0,
    maximum_minor: int | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Effect:
    """A fee for a tier or everybody: from ``starts_at``, but not before it is approved.

    One like it gives way for that time.
    """
    now = clock.now()
    rule = FeeRule(
        kind=kind,
        currency=currency,
        tier=tier,
        percent_bp=percent_bp,
        fixed_minor=fixed_minor,
        minimum_minor=minimum_minor,
        maximum_minor=maximum_minor,
        starts_at=max(now, starts_at or now),
        ends_at=ends_at,
        set_by=str(by),
        reason=clear(reason),
    )
    _check(rule)
    with versions.one_at_a_time():
        old = FeeRule.objects.like(rule).at(rule.starts_at).first()
        trail.tell(*versions.put(rule, FeeRule.objects.like(rule)), by=by, reason=reason)
    return {**rule.price, "before": old.price if old else None, "begins": starts_at or APPROVAL, "ends": ends_at}


@approvals.required("wallets.end_fee", right=RIGHT, concerns=approvals.NOBODY, title=_("End a fee"), lines=_LINES)
def end(*, rule: FeeRule, by: Actor, reason: str) -> Effect:
    """The fee is over. Where there is none less specific, nothing is asked any more."""
    with versions.one_at_a_time():
        now, found = clock.now(), FeeRule.objects.get(pk=rule.pk)
        if found.ends_at is not None and (found.ends_at <= now or found.ends_at == found.starts_at):
            raise FeeRuleNotInForce
        at = max(now, found.starts_at)
        versions.end(found, at=at)
        trail.tell(found, by=by, reason=reason)
        alike = FeeRule.objects.at(at).filter(kind=found.kind, currency=found.currency)
        # Of a tier everybody's is beneath; of everybody's nothing is.
        after = alike.filter(tier=None).first()
    return {**found.price, "then": after.price if after else Without.NOTHING}


def _check(rule: FeeRule) -> None:
    highest = rule.maximum_minor
    allowed = {
        "kind": rule.kind in Kind.values,
        "currency": rule.currency in SCALES and rule.currency not in OWN_UNITS,
        "percent_bp": 0 <= rule.percent_bp <= 10_000,  # noqa: PLR2004  all of it
        "fixed_minor": 0 <= rule.fixed_minor <= PRICE_MAX,
        "minimum_minor": 0 <= rule.minimum_minor <= PRICE_MAX,
        "maximum_minor": highest is None or rule.minimum_minor <= highest <= PRICE_MAX,
        "reason": 1 <= len(rule.reason) <= 255,  # noqa: PLR2004  the column's width
        "ends_at": rule.ends_at is None or rule.ends_at > rule.starts_at,
    }
    for field, fine in allowed.items():
        if not fine:
            given = getattr(rule, field)
            typed = field.endswith("_minor") and rule.currency in SCALES and given is not None
            raise InvalidFeeRule(field=field, given=Money(given, rule.currency) if typed else given)


# In cents, and in yen: percentage in basis points, fixed part, minimum, maximum.
_DEFAULTS: Final = {
    ("withdrawal", "CNY"): (10, 0, 100, 2_500),
    ("withdrawal", "EUR"): (0, 100, 0, None),
    ("withdrawal", "JPY"): (0, 150, 0, None),
    ("withdrawal", "USD"): (0, 100, 0, None),
    ("exchange", "CNY"): (20, 0, 0, None),
    ("exchange", "EUR"): (20, 0, 0, None),
    ("exchange", "JPY"): (20, 0, 0, None),
    ("exchange", "USD"): (20, 0, 0, None),
}


@act
def set_defaults(*, by: Actor = SYSTEM) -> int:
    """Fees to begin with, where none was ever set for the kind and currency; how many rows that took."""
    made = []
    with versions.one_at_a_time():
        known = set(FeeRule.objects.values_list("kind", "currency"))
        for (kind, currency), (percent_bp, fixed, minimum, maximum) in _DEFAULTS.items():
            if (kind, currency) in known:
                continue
            rule = FeeRule(
                kind=kind,
                currency=currency,
                percent_bp=percent_bp,
                fixed_minor=fixed,
                minimum_minor=minimum,
                maximum_minor=maximum,
                starts_at=clock.now(),
                set_by=str(by),
                reason="to begin with",
            )
            _check(rule)
            rule.save(force_insert=True)
            made.append(rule)
    if made:
        trail.tell(*made, by=by)
        audit.record(by=by, act="fee.defaults", subject="fees", after={"rows": len(made)})
    return len(made)
