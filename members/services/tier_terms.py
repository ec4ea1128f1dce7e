"""Changing tiers and their programme: proposed by one person, in force when another one approves."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

from django.core.exceptions import ValidationError
from django.db.models import F, TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import Tier, TierProgramme
from paymentsite.core.actors import Actor
from paymentsite.core.effects import Effect, Line, columns, values
from paymentsite.core.errors import Conflict, Invalid, complaints
from paymentsite.core.money import Money
from paymentsite.core.services import approvals, audit, trail
from paymentsite.core.units import OWN_UNITS, SCALES

RIGHT: Final = "members.approve_tiers"


class Fault(TextChoices):
    CURRENCY = "currency", _("what is spent counts in a currency of ISO 4217")


class Mark(TextChoices):
    """By which a tier is told from the others."""

    CODE = "code", _("code")
    RANK = "rank", _("rank")


class InvalidTier(Invalid, why=Fault):
    code = "invalid_tier"
    sentence = gettext_noop("The tier cannot be: {why}.")


class TierTaken(Conflict, field=Mark):
    code = "tier_taken"
    sentence = gettext_noop("There is a tier of that {field} already.")


class TiersDisordered(Invalid):
    code = "tiers_disordered"
    sentence = gettext_noop("The lowest tier takes nothing, and a higher one never less than a lower one: {tiers}.")


class ThresholdsMissing(Invalid):
    code = "thresholds_missing"
    sentence = gettext_noop("What tiers take is counted in something else then: say what each of {tiers} takes.")


class Terms(TypedDict, total=False):
    """What a tier is; what is left out stays, or is what the model says."""

    name_en: str
    name_zh: str
    rank: int
    threshold: int
    earn_bp: int
    fee_discount_bp: int
    free_withdrawals: int
    fx_margin_bp: int
    upgrade_points: int | None


class ProgrammeTerms(TypedDict, total=False):
    measure: str
    currency: str
    window: str
    grace_days: int
    step_down: str


_LINES: Final = {
    **columns(Tier, ("code", *Terms.__annotations__)),
    **columns(TierProgramme, ProgrammeTerms.__annotations__),
    "tier": Line(_("tier")),
    "before": Line(_("before")),
    "after": Line(_("from now on")),
    "tiers": Line(_("what tiers take")),
}


@approvals.required("members.add_tier", right=RIGHT, concerns=approvals.NOBODY, title=_("Add a tier"), lines=_LINES)
def add(*, code: str, terms: dict[str, Any], by: Actor, reason: str) -> Effect:
    """There is a tier ``code`` with ``terms``; members who earned it have it when they are next looked at."""
    programme = _lock()
    tier = Tier(code=code, **_known(Terms, terms))
    _save(tier)
    trail.tell(tier, programme, by=by, reason=reason)
    audit.record(by=by, act="tier.added", subject=tier, after={"code": code, **terms}, reason=reason)
    return {"code": code, **_told(values(tier, Terms.__annotations__), programme.unit)}


@approvals.required(
    "members.change_tier", right=RIGHT, concerns=approvals.NOBODY, title=_("Change a tier"), lines=_LINES
)
def change(*, tier: Tier, terms: dict[str, Any], by: Actor, reason: str) -> Effect:
    """``tier`` is as ``terms`` say, for all who have it; who has it now is looked at again."""
    programme = _lock()
    tier = Tier.objects.get(pk=tier.pk)
    before = {name: getattr(tier, name) for name in _known(Terms, terms)}
    for name, value in terms.items():
        setattr(tier, name, value)
    _save(tier)
    trail.tell(tier, programme, by=by, reason=reason)
    audit.record(by=by, act="tier.changed", subject=tier, before=before, after=terms, reason=reason)
    return {"tier": tier, "before": _told(before, programme.unit), "after": _told(terms, programme.unit)}


@approvals.required(
    "members.change_tier_programme",
    right=RIGHT,
    concerns=approvals.NOBODY,
    title=_("Change the programme of all tiers"),
    lines=_LINES,
)
def change_programme(
    *, terms: dict[str, Any], thresholds: dict[str, int] | None = None, by: Actor, reason: str
) -> Effect:
    """The programme is as ``terms`` say; every member is looked at again, and what is lost has its grace.

    ``thresholds`` are what tiers take from the same moment on, by their codes: where it is counted in something else
    then, each tier's must be said, for nobody is to gain a level by a number that meant another thing.
    """
    programme = _lock()
    unit = programme.unit
    before = {name: getattr(programme, name) for name in _known(ProgrammeTerms, terms)}
    for name, value in terms.items():
        setattr(programme, name, value)
    if programme.currency not in SCALES or programme.currency in OWN_UNITS:
        raise InvalidTier(why=Fault.CURRENCY)
    _check(programme)
    programme.save()
    taken = _take(thresholds or {}, unit, programme.unit)
    trail.tell(programme, *Tier.objects.order_by("rank"), by=by, reason=reason)
    after = {**terms, **({"thresholds": thresholds} if thresholds else {})}
    audit.record(by=by, act="tier.programme_changed", subject=programme, before=before, after=after, reason=reason)
    return {"before": before, "after": terms, "tiers": taken}


def _take(thresholds: dict[str, int], before: str, after: str) -> list[Effect]:
    """Tiers take ``thresholds``, counted in the unit ``after`` instead of ``before``; what each takes is told."""
    tiers = list(Tier.objects.order_by("rank"))
    if unknown := thresholds.keys() - {tier.code for tier in tiers}:
        raise TypeError(f"there is no tier {', '.join(sorted(unknown))}")
    unsaid = [tier.code for tier in tiers if tier.threshold and tier.code not in thresholds]
    if before != after and unsaid:
        raise ThresholdsMissing(tiers=unsaid)
    taken: list[Effect] = []
    for tier in tiers:
        had = Money(tier.threshold, before)
        tier.threshold = thresholds.get(tier.code, tier.threshold)
        _check(tier)
        tier.save(update_fields=["threshold"])
        taken.append({"tier": tier, "before": had, "after": Money(tier.threshold, after)})
    _check_order(tiers, after)
    return taken


def _told(terms: Mapping[str, Any], unit: str) -> dict[str, Any]:
    return {name: Money(value, unit) if name == "threshold" else value for name, value in terms.items()}


def _lock() -> TierProgramme:
    """The programme, locked and one version on: who changes tiers queues here, and whom it may touch is stale."""
    TierProgramme.objects.get_or_create(pk=TierProgramme.THE_ROW)
    programme = TierProgramme.objects.select_for_update().get(pk=TierProgramme.THE_ROW)
    TierProgramme.objects.filter(pk=programme.pk).update(version=F("version") + 1)
    programme.refresh_from_db()
    return programme


def _known(kind: type[Any], terms: dict[str, Any]) -> dict[str, Any]:
    if unknown := terms.keys() - kind.__annotations__.keys():
        raise TypeError(f"there is no {', '.join(sorted(unknown))} to change")
    return terms


def _save(tier: Tier) -> None:
    others = Tier.objects.exclude(pk=tier.pk)
    for field in Mark.values:
        if others.filter(**{field: getattr(tier, field)}).exists():
            raise TierTaken(field=field)
    _check(tier)
    tier.save()
    _check_order(list(Tier.objects.order_by("rank")), TierProgramme.current().unit)


def _check(row: Tier | TierProgramme) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        raise InvalidTier(why=complaints(error, row)) from error


def _check_order(tiers: Sequence[Tier], unit: str) -> None:
    thresholds = [tier.threshold for tier in tiers]
    if thresholds and (thresholds[0] != 0 or thresholds != sorted(thresholds)):
        raise TiersDisordered(tiers=[f"{tier.code} {Money(tier.threshold, unit)}" for tier in tiers])
