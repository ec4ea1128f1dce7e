"""A small catalogue: goods of which there are few, coupons, money."""

from typing import Final

from members.models import Reward, Tier
from members.services import catalogue
from members.services.catalogue import Terms
from paymentsite.core.actors import SYSTEM

_REWARDS: Final[tuple[Terms, ...]] = (
    {"kind": "goods", "name_en": "Mug", "name_zh": "马克杯", "points": 800, "stock": 50},
    {
        "kind": "coupon",
        "name_en": "10 % off the next payment",
        "name_zh": "下次付款九折",
        "points": 300,
        "discount_bp": 1_000,
        "coupon_days": 90,
    },
    {
        "kind": "coupon",
        "name_en": "20 CNY off",
        "name_zh": "立减 20 元",
        "points": 1_500,
        "credit_minor": 2_000,
        "currency": "CNY",
        "coupon_days": 180,
    },
    {
        "kind": "wallet_credit",
        "name_en": "50 CNY into your wallet",
        "name_zh": "50 元存入钱包",
        "points": 5_000,
        "credit_minor": 5_000,
        "currency": "CNY",
    },
)


def fill() -> None:
    """The catalogue has something in it. Where it has something already, it is left as it is."""
    if Reward.objects.exists():
        return
    lounge: Terms = {
        "kind": "goods",
        "name_en": "Day in an airport lounge",
        "name_zh": "机场贵宾室一日",
        "points": 2_500,
        "stock": 10,
        "tier": Tier.objects.filter(code="gold").first(),
    }
    for terms in (*_REWARDS, lounge):
        catalogue.put(terms, by=SYSTEM, reason="sample data")
