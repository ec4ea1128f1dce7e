"""Entries of the audit trail, as an act leaves them."""

from typing import Any

from django.db import transaction

from paymentsite.core.actors import Actor
from paymentsite.core.models import AuditEntry
from paymentsite.core.services import audit

ANN = Actor("staff", "1")


def recorded(count: int = 1, **given: Any) -> list[AuditEntry]:
    with transaction.atomic():
        return [
            audit.record(**{"by": ANN, "act": "fee.changed", "subject": f"fee:{n}", "after": {"n": n}, **given})
            for n in range(1, count + 1)
        ]
