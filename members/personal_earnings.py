"""What members bought, earned and were given: told with everything else that is kept. Registers with ``privacy``."""

from typing import Any

from django.db.models import Q

from members.models import (
    Earning,
    Limit,
    LimitUse,
    Member,
    MemberTier,
    Progress,
    Purchase,
    Redemption,
    Referral,
    TierChange,
)
from members.queries.payees import masked_name
from members.services import privacy
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger.models import Account, Lot
from paymentsite.ledger.models.lots import NEVER


@privacy.exporter("purchases")
def bought(member: Member) -> Any:
    found = Purchase.objects.filter(member=member).prefetch_related("refunds").order_by("pk")
    return [
        {
            "payment": each.source,
            "merchant": each.merchant,
            "category": each.category,
            "price": each.amount,
            "refunded": each.refunded,
            "at": each.at,
            "final": each.final_at,
            "refunds": [
                {"refund": refund.cause, "amount": Money(refund.amount_minor, each.currency), "at": refund.at}
                for refund in each.refunds.all()
            ],
        }
        for each in found
    ]


@privacy.exporter("earnings")
def earned(member: Member) -> Any:
    """What each payment or event earned, and what became of it."""
    found = Earning.objects.filter(member=member).select_related("rule").order_by("pk")
    return [
        {
            "for": each.source,
            "by": each.rule.name_en,
            "points": _points(each.points),
            "qualifying": Money(each.qualifying, "QPT"),
            "state": each.state,
            "at": each.at,
            "pending until": each.pending_until,
            "given": each.given_at,
            "expires": each.expires_on,
            "taken back": _points(each.taken),
            "repaid a debt": _points(each.repaid_debt),
            "lapsed": _points(each.lapsed),
        }
        for each in found
    ]


@privacy.exporter("points")
def owned(member: Member) -> Any:
    """What stands on each account of points, and in which lots, each with its last day."""
    accounts = {each.pk: each for each in Account.objects.filter(owner=member.owner, unit__in=("PTS", "QPT"))}
    standings = books.standings(accounts.values())
    lots = Lot.objects.filter(account__in=accounts).order_by("expires_on", "pk")
    return {
        "accounts": {f"{accounts[pk].code}": standing.posted for pk, standing in standings.items()},
        "lots": [
            {
                "from": each.active_on,
                "last day": None if each.expires_on == NEVER else each.expires_on,
                "given": _points(each.issued_minor),
                "used": _points(each.used_minor),
                "expired": _points(each.expired_minor),
                "set aside": _points(each.held_minor),
            }
            for each in lots
        ],
    }


@privacy.exporter("rewards and coupons")
def redeemed(member: Member) -> Any:
    found = Redemption.objects.filter(member=member).select_related("reward", "coupon").order_by("pk")
    return [
        {
            "reward": each.reward.name_en,
            "points": _points(each.points),
            "state": each.state,
            "reference": each.reference,
            "at": each.at,
            "cancelled": each.cancelled_at,
            "why": each.cancel_reason,
            "coupon": _coupon(each),
        }
        for each in found
    ]


def _coupon(redemption: Redemption) -> dict[str, Any] | None:
    coupon = getattr(redemption, "coupon", None)
    if coupon is None:
        return None
    return {
        "code": coupon.code.decrypt().reveal(),
        "value": coupon.value,
        "discount in basis points": coupon.discount_bp,
        "state": coupon.state,
        "made": coupon.made_at,
        "expires": coupon.expires_at,
        "used": coupon.used_at,
        "used for": coupon.used_for,
    }


@privacy.exporter("tier")
def ranked(member: Member) -> Any:
    """The tier, every change of it, and what counted towards it."""
    now = MemberTier.objects.filter(member=member).select_related("tier", "kept").first()
    changes = TierChange.objects.filter(member=member).select_related("before", "after").order_by("pk")
    return {
        "tier": now.tier.code if now else None,
        "since": now.since if now else None,
        "kept": now.kept.code if now and now.kept else None,
        "kept until": now.kept_until if now else None,
        "changes": [
            {
                "before": each.before.code if each.before else None,
                "after": each.after.code,
                "why": each.reason,
                "note": each.note,
                "until": each.until,
                "points": None if each.points is None else _points(each.points),
                "reference": each.reference,
                "at": each.at,
            }
            for each in changes
        ],
        "progress": [
            {
                "for": each.source,
                "taken back by": each.cause,
                "qualifying": Money(each.qualifying, "QPT"),
                "spend": Money(each.spend_minor, each.currency),
                "at": each.at,
            }
            for each in Progress.objects.filter(member=member).order_by("pk")
        ],
    }


@privacy.exporter("referrals")
def brought(member: Member) -> Any:
    """Who brought them and whom they brought, by as much of the name as they are shown elsewhere."""
    found = Referral.objects.filter(Q(member=member) | Q(referrer=member)).select_related("member", "referrer")
    sources = [f"referral:{each.pk}" for each in found]
    earned = set(Earning.objects.filter(source__in=sources).values_list("source", flat=True))
    return [
        {
            **(
                {"brought": masked_name(each.member)}
                if each.referrer_id == member.pk
                else {"brought by": masked_name(each.referrer)}
            ),
            "at": each.at,
            "rewarded": each.rewarded_at if f"referral:{each.pk}" in earned else None,
        }
        for each in found.order_by("at", "pk")
    ]


@privacy.exporter("limits")
def limited(member: Member) -> Any:
    """Limits that are theirs alone, and what they took of all that apply to them."""
    own = Limit.objects.filter(member=member).order_by("pk")
    uses = LimitUse.objects.filter(member=member).order_by("pk")
    return {
        "own": [
            {
                "limit": each.name,
                "currency": each.currency,
                "at most": each.capped,
                "from": each.starts_at,
                "until": each.ends_at,
                "why": each.reason,
            }
            for each in own
        ],
        "used": [
            {
                "by": each.source,
                "kind": each.kind,
                "amount": each.amount,
                "at": each.at,
                "given back": each.given_back_at,
                "counted again": each.counted_again_at,
            }
            for each in uses
        ],
    }


def _points(count: int) -> Money:
    return Money(count, "PTS")
