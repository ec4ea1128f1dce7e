"""Tiers: which level a member has."""

from datetime import datetime

from members.models import Member, Tier


def of(member: Member, now: datetime) -> Tier:  # noqa: ARG001
    """The member's tier at ``now``: what fees, limits, margins and points go by."""
    return base()


def base() -> Tier:
    """Everybody's who has no other: the one of the lowest rank, made without benefits where no operator made any."""
    found = Tier.objects.order_by("rank").first()
    return (
        found or Tier.objects.get_or_create(code="base", defaults={"name_en": "Base", "name_zh": "普通", "rank": 0})[0]
    )
