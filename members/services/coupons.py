"""Coupons: codes that are worth something once."""

import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid5

from django.utils.translation import gettext_noop

from members.models import Coupon, Redemption
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Missing, Refused
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret

State = Coupon.State

# Letters and digits that nobody takes for another one: 80 bits in 16 of them.
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_LENGTH: Final = 16
_SOURCE_MAX: Final = 80


class NoSuchCoupon(Missing):
    code = "no_such_coupon"
    sentence = gettext_noop("There is no such coupon.")


class CouponUsed(Refused):
    code = "coupon_used"
    sentence = gettext_noop("This coupon was used before.")


class CouponExpired(Refused):
    code = "coupon_expired"
    sentence = gettext_noop("This coupon expired on {expires}.")


class CouponCancelled(Refused):
    code = "coupon_cancelled"
    sentence = gettext_noop("This coupon was cancelled.")


def made(redemption: Redemption, *, now: datetime) -> Coupon:
    """The coupon of ``redemption``, with a code that nobody can guess; in the transaction of the redemption."""
    reward = redemption.reward
    return Coupon.objects.create(
        public_id=uuid5(redemption.public_id, "coupon"),
        redemption=redemption,
        code=Secret("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))),
        value_minor=reward.credit_minor,
        currency=reward.currency,
        discount_bp=reward.discount_bp,
        made_at=now,
        expires_at=now + timedelta(days=reward.coupon_days or 0),
    )


@act
def use(*, code: Secret, by: Actor, source: str) -> Coupon:
    """The coupon is used up for ``source`` and says what it is worth; for the same source it says so again.

    Whoever shows the code may use it. However many try at once, one source gets it.
    """
    if not 1 <= len(source) <= _SOURCE_MAX:
        raise ValueError("a coupon is used for a source that can be named")
    coupon = Coupon.objects.filter(code_digest=Secret(_plain(code))).first()
    if coupon is None:
        raise NoSuchCoupon
    now = clock.now()
    taken = Coupon.objects.usable(now).filter(pk=coupon.pk)
    if taken.update(state=State.USED, used_at=now, used_by=str(by), used_for=source):
        audit.record(by=by, act="coupon.used", subject=coupon, after={"for": source})
        coupon.refresh_from_db()
        return coupon
    coupon.refresh_from_db()
    if coupon.state == State.USED and coupon.used_for == source:
        return coupon
    raise _refusal(coupon)


def cancel(coupon: Coupon, *, now: datetime) -> None:
    """The coupon is worth nothing any more, unless it was used: then it raises. In the transaction of the caller."""
    unused = Coupon.objects.filter(pk=coupon.pk).exclude(state=State.USED)
    if not unused.update(state=State.CANCELLED, ended_at=now):
        raise CouponUsed


def expire_due(*, now: datetime) -> int:
    """Coupons whose time is over are expired; how many. Safe at any time, twice and at once."""
    return Coupon.objects.due(now).update(state=State.EXPIRED, ended_at=now)


def _plain(code: Secret) -> str:
    """As it is kept, however it was typed."""
    return code.reveal().upper().replace("-", "").replace(" ", "")


def _refusal(coupon: Coupon) -> Refused:
    match coupon.state:
        case State.USED:
            return CouponUsed()
        case State.CANCELLED:
            return CouponCancelled()
    return CouponExpired(expires=clock.day_of(coupon.expires_at))
