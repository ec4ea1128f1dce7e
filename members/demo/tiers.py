"""Bronze to Platinum."""

from typing import Any, Final

from django.db.models import F

from members.models import Tier, TierProgramme
from paymentsite.core.actors import SYSTEM
from paymentsite.core.acts import act
from paymentsite.core.services import trail

# Thresholds are qualifying points in twelve months.
_TIERS: Final[dict[str, dict[str, Any]]] = {
    "bronze": {"name_en": "Bronze", "name_zh": "青铜", "rank": 0, "threshold": 0, "fx_margin_bp": 100},
    "silver": {
        "name_en": "Silver",
        "name_zh": "白银",
        "rank": 10,
        "threshold": 1_000,
        "earn_bp": 12_000,
        "fee_discount_bp": 1_000,
        "free_withdrawals": 1,
        "fx_margin_bp": 80,
        "upgrade_points": 2_000,
    },
    "gold": {
        "name_en": "Gold",
        "name_zh": "黄金",
        "rank": 20,
        "threshold": 5_000,
        "earn_bp": 15_000,
        "fee_discount_bp": 2_500,
        "free_withdrawals": 3,
        "fx_margin_bp": 50,
        "upgrade_points": 8_000,
    },
    "platinum": {
        "name_en": "Platinum",
        "name_zh": "铂金",
        "rank": 30,
        "threshold": 20_000,
        "earn_bp": 20_000,
        "fee_discount_bp": 5_000,
        "free_withdrawals": 10,
        "fx_margin_bp": 20,
    },
}


@act
def fill() -> None:
    """The four tiers stand. Where tiers were made before, they are left as they are."""
    if Tier.objects.exclude(code="base").exists():
        return
    # The tier that was made because somebody asked for one becomes the lowest of these.
    Tier.objects.filter(code="base").update(code="bronze", **_TIERS["bronze"])
    for code, terms in _TIERS.items():
        Tier.objects.get_or_create(code=code, defaults=terms)
    TierProgramme.objects.get_or_create(pk=TierProgramme.THE_ROW, defaults={"grace_days": 30})
    TierProgramme.objects.update(version=F("version") + 1)
    trail.tell(*Tier.objects.order_by("rank"), TierProgramme.current(), by=SYSTEM, reason="sample data")
