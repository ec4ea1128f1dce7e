"""The house of the story: its staff, what they set before anybody joins, and the shop that it keeps books for."""

from typing import Any

from members.models import Member, Reward, Tier
from members.services import catalogue, earn_rules, limit_rules, limits, members, points, tier_gifts, tier_terms
from members.services.points import Paid, TakenBack
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.acts import act
from paymentsite.core.models import Approval
from paymentsite.core.money import Money
from paymentsite.core.services import approvals
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account
from tests.members.factories import superuser
from wallets.models import GatewayRoute
from wallets.services import fee_rules, routing, wallets

TIERS: dict[str, dict[str, Any]] = {
    "bronze": {"rank": 0, "threshold": 0, "fx_margin_bp": 100},
    "silver": {
        "rank": 10,
        "threshold": 1_000,
        "earn_bp": 12_000,
        "fee_discount_bp": 1_000,
        "free_withdrawals": 1,
        "fx_margin_bp": 80,
    },
    "gold": {"rank": 20, "threshold": 5_000, "earn_bp": 15_000, "fx_margin_bp": 50, "upgrade_points": 300},
}
# A point for each yuan at Bronze. It waits two weeks, and lives until the end of the second month after that.
RULE: dict[str, Any] = {
    "name_en": "A point for each yuan",
    "kind": "amount",
    "points": 1,
    "per_minor": 100,
    "currency": "CNY",
    "by_tier": True,
    "qualifies": True,
    "pending": "days",
    "pending_days": 14,
    "expiry": "months",
    "expiry_months": 2,
    "take_back": "debt",
}


class House:
    """Ann proposes and Bob approves; whatever they set, they set through the services."""

    def __init__(self) -> None:
        self.ann, self.bob = (Actor.of(superuser(f"{name}@example.com")) for name in ("ann", "bob"))
        self.shop = ledger.open_account(
            owner="merchant:shop",
            code="receivable",
            unit="CNY",
            kind=Account.Kind.LIABILITY,
            mode=Account.Mode.DEFERRED,
        )
        limit_rules.set_defaults()
        fee_rules.set_defaults()
        for code, terms in TIERS.items():
            self.decided(tier_terms.add, code=code, terms={"name_en": code.title(), **terms})
        self.decided(tier_terms.change_programme, terms={"grace_days": 30})
        self.decided(earn_rules.add, code="base", terms=RULE)
        self.decided(earn_rules.set_value, points=1, value_minor=2, currency="CNY")
        self.decided(catalogue.offer, terms={"kind": "goods", "name_en": "Mug", "points": 200, "stock": 1})
        for kind, method in (("top_up", "alipay"), ("top_up", "card"), ("payout", "bank")):
            routing.add(
                by=self.ann,
                reason="story",
                kind=GatewayRoute.Kind(kind),
                method=method,
                currency="CNY",
                gateway="sandbox",
            )

    def decided(self, propose: Any, **facts: Any) -> Approval:
        """What one of them proposes and the other one approves."""
        proposal = propose(by=self.ann, reason="story", **facts)
        return approvals.approve(approval=proposal, by=self.bob, shown=proposal.shown)

    def give_tier(self, member: Member, code: str, **facts: Any) -> None:
        self.decided(tier_gifts.give, member=member, tier=tier(code), **facts)

    @act
    def sell(self, member: Member, price: Money, number: int) -> None:
        """The member pays the shop out of their wallet and earns by it, as a higher app has it: posted once."""
        locked, now, source = Member.objects.lock(member.pk), clock.now(), f"payment:{number}"
        members.check_active(locked)
        wallet = wallets.of(member=locked, currency=price.unit)
        wallets.check_open(wallet)
        limits.take(member=locked, kind=limits.Kind.PAYMENT, amount=price, source=source, now=now)
        facts = Paid(amount=price, source=source, at=now, merchant="shop")
        earned = points.earned(member=locked, facts=facts, now=now)
        ledger.post(
            ledger.Move(price, wallet.account, self.shop),
            *earned.entries,
            kind="payment",
            scope="story.payment",
            reference=source,
            source=source,
            by=Actor.of(member.user),
        )

    @act
    def refund(self, member: Member, part: Money, number: int) -> TakenBack:
        """The shop gives back a part of a payment, and the house takes back what that part had earned."""
        locked, now, cause = Member.objects.lock(member.pk), clock.now(), f"refund:{number}"
        wallet = wallets.of(member=locked, currency=part.unit)
        taken = points.taken_back(source=f"payment:{number}", cause=cause, part=part, now=now)
        ledger.post(
            ledger.Move(part, self.shop, wallet.account),
            *taken.entries,
            kind="refund",
            scope="story.refund",
            reference=cause,
            source=cause,
            by=SYSTEM,
        )
        return taken


def tier(code: str) -> Tier:
    return Tier.objects.get(code=code)


def mug() -> Reward:
    return Reward.objects.get(name_en="Mug")
