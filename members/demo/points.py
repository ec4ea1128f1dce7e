"""A programme of points, and what the sample member has earned by it."""

from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Model

from members.demo import people
from members.models import EarnBudget, EarnRule, Member, PointValue, Purchase
from members.services import points
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.money import Money
from paymentsite.core.services import trail
from paymentsite.ledger import services as ledger

_YEAR: Final = {"expiry": "months", "expiry_months": 12}
_RULES: Final[dict[str, dict[str, Any]]] = {
    "base": {
        "name_en": "A point a yuan",
        "name_zh": "每元一分",
        "kind": "amount",
        "points": 1,
        "per_minor": 1_00,
        "currency": "CNY",
        "by_tier": True,
        "qualifies": True,
        "pending": "days",
        "pending_days": 14,
        "take_back": "debt",
        **_YEAR,
    },
    "welcome": {
        "name_en": "Welcome",
        "name_zh": "首购礼",
        "kind": "first_purchase",
        "points": 200,
        "stacks": True,
        "least_minor": 10_00,
        "currency": "CNY",
        "pending": "final",
        **_YEAR,
    },
    "birthday": {"name_en": "Birthday", "name_zh": "生日礼", "kind": "birthday", "points": 88, "stacks": True, **_YEAR},
    "bring-a-friend": {"name_en": "Bring a friend", "name_zh": "邀请好友", "kind": "referral", "points": 500, **_YEAR},
    "books": {
        "name_en": "Books, triple",
        "name_zh": "图书三倍",
        "kind": "amount",
        "points": 3,
        "per_minor": 1_00,
        "currency": "CNY",
        "scope": "category",
        "scope_key": "books",
        "qualifies": True,
        "expiry": "next_year",
    },
}
_PURCHASES: Final = ((128_00, "groceries"), (66_00, "books"), (35_50, "coffee"))


@transaction.atomic
def fill() -> None:
    """Rules of every kind, a campaign with a budget, the value of a point, and three purchases of the sample member."""
    now, member = clock.now(), Member.objects.get(user__email=people.MEMBER.email)
    worth = {"points": 1, "value_minor": 1, "starts_at": now}
    budget, _new = found = EarnBudget.objects.get_or_create(code="spring", defaults={"total": 100_000})
    rows: list[tuple[Model, bool]] = [found, PointValue.objects.get_or_create(currency="CNY", defaults=worth)]
    campaign = {**_RULES["base"], "name_en": "Spring, on top", "name_zh": "春季加赠", "qualifies": False}
    campaign |= {"stacks": True, "by_tier": False, "budget": budget, "ends_at": now + timedelta(days=90)}
    for code, terms in {**_RULES, "spring": campaign}.items():
        rows.append(EarnRule.objects.get_or_create(code=code, version=1, defaults={**terms, "starts_at": now}))
    trail.tell(*(row for row, made in rows if made), by=SYSTEM, reason="sample data")
    for number, (minor, category) in enumerate(_PURCHASES, 1):
        _buy(member, Money(minor, "CNY"), category, f"sample:{number}")


def _buy(member: Member, amount: Money, category: str, source: str) -> None:
    if Purchase.objects.filter(source=source).exists():
        return
    now = clock.now()
    locked = Member.objects.lock(member.pk)
    paid = points.Paid(amount=amount, source=source, at=now, category=category)
    entries = points.earned(member=locked, facts=paid, now=now).entries
    ledger.post(*entries, kind="payment", scope="sample", reference=source, source=source)
