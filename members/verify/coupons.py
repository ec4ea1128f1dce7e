"""Coupons: how long they are good, and that their codes are theirs."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from members.models import Coupon
from paymentsite.core import vault
from paymentsite.core.vault import Undecipherable
from paymentsite.core.verification import Fault, Run, check

# The journal is written a moment after who redeems took the time.
_SLACK: Final = timedelta(minutes=10)
State = Coupon.State


@check(
    "members.coupon_lasts_as_offered",
    "A coupon is good for the days that its reward said, from when its points were paid, and expires no sooner.",
)
def coupon_lasts_as_offered(run: Run) -> Iterator[Fault]:
    del run
    coupons = Coupon.objects.select_related("redemption__reward", "redemption__journal").order_by("pk")
    for coupon in coupons.iterator(chunk_size=2_000):
        redemption = coupon.redemption
        days = timedelta(days=redemption.reward.coupon_days or 0)
        paid_at = redemption.journal.recorded_at
        if coupon.made_at != redemption.at or not paid_at - _SLACK <= redemption.at <= paid_at + _SLACK:
            yield f"coupon {coupon.pk}", f"was made at {coupon.made_at}, and its points were paid at {paid_at}"
        if coupon.expires_at != coupon.made_at + days:
            yield f"coupon {coupon.pk}", f"is good until {coupon.expires_at}, which is not {days.days} days"
        if coupon.state == State.EXPIRED and (coupon.ended_at is None or coupon.ended_at < coupon.expires_at):
            yield f"coupon {coupon.pk}", f"expired at {coupon.ended_at}, and was good until {coupon.expires_at}"


@check("members.coupon_codes_open", "The vault opens each coupon's code, and the coupon is found by it.", whole=True)
def coupon_codes_open(run: Run) -> Iterator[Fault]:
    del run
    for coupon in Coupon.objects.order_by("pk").iterator(chunk_size=2_000):
        try:
            code = coupon.code.decrypt()
        except Undecipherable:
            yield f"coupon {coupon.pk}", "the vault cannot open its code"
            continue
        if coupon.code_digest not in vault.digests(code, label="coupon.code"):
            yield f"coupon {coupon.pk}", "it is found by another code than its own"
