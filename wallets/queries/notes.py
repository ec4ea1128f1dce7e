"""What members wrote to each other."""

from typing import Any

from django.db.models import Q, QuerySet

from wallets.models import Gift, MoneyRequest, StandingOrder, Transfer


def of(members: Any) -> tuple[QuerySet[Any], ...]:
    """Everything with a note that one of ``members`` (ids, or a query for them) wrote or was to read."""
    return (
        Transfer.objects.filter(_either("sender", "receiver", members)).exclude(note=""),
        MoneyRequest.objects.filter(_either("asker", "payer", members)).exclude(note=""),
        Gift.objects.filter(_either("sender", "claimed_by", members)).exclude(note=""),
        StandingOrder.objects.filter(_either("member", "payee", members)).exclude(note=""),
    )


def _either(one: str, other: str, members: Any) -> Q:
    return Q(**{f"{one}__in": members}) | Q(**{f"{other}__in": members})
