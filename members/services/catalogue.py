"""The rewards catalogue: offering, restocking and withdrawing."""

from datetime import datetime
from typing import Final, TypedDict

from django.core.exceptions import ValidationError
from django.db.models import F, TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import Reward, Tier
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.effects import Effect, Line, columns, values
from paymentsite.core.errors import Invalid, Refused, complaints
from paymentsite.core.ids import uuid7
from paymentsite.core.services import approvals, audit, trail
from paymentsite.core.units import OWN_UNITS, SCALES

RIGHT: Final = "members.approve_rewards"
STOCK_MAX: Final = 1_000_000_000


class Fault(TextChoices):
    """Why a reward can never be, where the columns do not say it."""

    CURRENCY = "currency", _("it is worth money of a currency of ISO 4217")
    TIMES = "times", _("it ends before it begins")
    MORE = "more", _("more is at least one")
    STOCK = "stock", _("no stock is larger than {most}")


class InvalidReward(Invalid, why=Fault):
    code = "invalid_reward"
    sentence = gettext_noop("The reward cannot be: {why}.")


class RewardHasNoStock(Refused):
    code = "reward_has_no_stock"
    sentence = gettext_noop("“{reward}” cannot run out, so there is nothing to add.")


class RewardWithdrawn(Refused):
    code = "reward_withdrawn"
    sentence = gettext_noop("“{reward}” was withdrawn.")


class Terms(TypedDict, total=False):
    """What a reward is. Without ``stock`` it cannot run out; ``tier`` is the lowest that may take it."""

    kind: str
    name_en: str
    name_zh: str
    description_en: str
    description_zh: str
    points: int
    stock: int | None
    tier: Tier | None
    from_at: datetime | None
    until_at: datetime | None
    credit_minor: int | None
    currency: str
    discount_bp: int | None
    coupon_days: int | None


@approvals.required(
    "members.offer_reward",
    right=RIGHT,
    concerns=approvals.NOBODY,
    title=_("Offer a reward"),
    lines=columns(Reward, Terms.__annotations__),
)
def offer(*, terms: Terms, by: Actor, reason: str) -> Effect:
    """The reward is in the catalogue on these terms, which stay."""
    reward = put(terms, by=by, reason=reason)
    audit.record(by=by, act="reward.offered", subject=reward, after=terms, reason=reason)
    return values(reward, terms)


@act
def put(terms: Terms, *, by: Actor, reason: str) -> Reward:
    """Write the reward down, if it can be one."""
    now = clock.now()
    reward = Reward(public_id=uuid7(now), offered_at=now, stock_left=terms.get("stock"), **terms)
    if reward.currency and (reward.currency not in SCALES or reward.currency in OWN_UNITS):
        raise InvalidReward(why=Fault.CURRENCY)
    if reward.from_at and reward.until_at and reward.from_at >= reward.until_at:
        raise InvalidReward(why=Fault.TIMES)
    try:
        reward.full_clean()
    except ValidationError as error:
        raise InvalidReward(why=complaints(error, reward)) from error
    reward.save(force_insert=True)
    trail.tell(reward, by=by, reason=reason)
    return reward


@approvals.required(
    "members.restock_reward",
    right=RIGHT,
    concerns=approvals.NOBODY,
    title=_("Add to the stock of a reward"),
    lines={"reward": Line(_("reward")), "more": Line(_("more of it"))},
)
def restock(*, reward: Reward, more: int, by: Actor, reason: str) -> Effect:
    """There are ``more`` of it."""
    if more <= 0:
        raise InvalidReward(why=Fault.MORE)
    if more > STOCK_MAX - (reward.stock or 0):
        raise InvalidReward(why=Fault.STOCK, most=STOCK_MAX)
    if reward.stock is None:
        raise RewardHasNoStock(reward=str(reward))
    there = Reward.objects.filter(pk=reward.pk, withdrawn_at=None, stock__lte=STOCK_MAX - more)
    if not there.update(stock=F("stock") + more, stock_left=F("stock_left") + more):
        raise RewardWithdrawn(reward=str(reward))
    trail.tell(reward, by=by, reason=reason)
    audit.record(by=by, act="reward.restocked", subject=reward, after={"more": more}, reason=reason)
    return {"reward": reward, "more": more}


@act
def withdraw(*, reward: Reward, by: Actor, reason: str) -> Reward:
    """Nobody can take it any more; what was taken stays. Repeated, it changes nothing."""
    if Reward.objects.filter(pk=reward.pk, withdrawn_at=None).update(withdrawn_at=clock.now()):
        trail.tell(reward, by=by, reason=reason)
        audit.record(by=by, act="reward.withdrawn", subject=reward, reason=reason)
    reward.refresh_from_db()
    return reward
