"""Rewards to arrange tests with, and people who propose and approve."""

from typing import Any

from django.contrib.auth.models import Permission

from members.models import Redemption, Reward, User
from members.services import catalogue
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import Approval
from paymentsite.core.services import approvals


def staff(name: str, *permissions: str) -> Actor:
    user = User.objects.create_user(f"{name}@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return Actor.of(user)


def approved(proposal: Approval, by: Actor) -> Approval:
    return approvals.approve(approval=proposal, by=by, shown=proposal.shown)


def goods(**terms: Any) -> Reward:
    given = {"kind": "goods", "name_en": "Mug", "points": 100, **terms}
    return catalogue.put(given, by=SYSTEM, reason="test")  # type: ignore[arg-type]


def coupon_reward(**terms: Any) -> Reward:
    return goods(**{"kind": "coupon", "name_en": "Ten off", "discount_bp": 1_000, "coupon_days": 30, **terms})


def code_of(redemption: Redemption) -> Any:
    return redemption.coupon.code.decrypt()
