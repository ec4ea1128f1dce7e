"""Tiers to arrange tests with: four levels, what members earned, and the points that they spend."""

from datetime import UTC, datetime
from typing import Any

from members.models import Member, Tier, TierChange, TierProgramme
from members.services import tiers
from paymentsite.core import clock
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account
from tests.terms import told

LEVELS = (("bronze", 0, 0), ("silver", 10, 1_000), ("gold", 20, 5_000), ("platinum", 30, 20_000))


def day(text: str) -> datetime:
    """Noon of a day in UTC, which is the same day on the business's calendar."""
    return datetime.fromisoformat(f"{text}T04:00:00").replace(tzinfo=UTC)


def levels(**programme: Any) -> dict[str, Tier]:
    """Bronze, Silver, Gold and Platinum, and a programme."""
    tiers = {
        code: Tier.objects.create(
            code=code, name_en=code.title(), rank=rank, threshold=threshold, upgrade_points=threshold // 10 or None
        )
        for code, rank, threshold in LEVELS
    }
    told(TierProgramme.objects.create(pk=TierProgramme.THE_ROW, **programme), *tiers.values())
    return tiers


def earn(member: Member, qualifying: int, at: datetime, *, spend: int = 0, source: str = "") -> None:
    tiers.progress(
        member=member,
        source=source or f"payment:{member.pk}:{at.isoformat()}:{qualifying}",
        qualifying=qualifying,
        spend=Money(spend, "CNY"),
        now=at,
    )


def held(member: Member, at: datetime) -> str:
    return tiers.of(member, at).code


def reasons(member: Member) -> list[tuple[str, str]]:
    """The member's changes: the tier and why."""
    return list(TierChange.objects.filter(member=member).order_by("pk").values_list("after__code", "reason"))


def points_account(member: Member) -> Account:
    return ledger.open_account(owner=member.owner, code="points", unit="PTS", kind=Account.Kind.LIABILITY, lots=True)


def fund_points(member: Member, points: int, **terms: Any) -> Account:
    account = points_account(member)
    ledger.post(
        ledger.Move(Money(points, "PTS"), ledger.house("points", "PTS"), account, ledger.Terms("test", **terms)),
        reference=f"fund {member.pk} {points} {clock.now().isoformat()}",
        scope="test",
    )
    return account
