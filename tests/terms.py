"""Terms that tests arrange past the services, told to the audit trail as services tell it; and what is not as told."""

from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model

from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM
from paymentsite.core.ids import EPOCH
from paymentsite.core.services import trail
from wallets.models import FeeRule

ModelT = TypeVar("ModelT", bound=Model)


def told(row: ModelT, *others: Model) -> ModelT:
    """The first of the rows; the trail knows what each is from now on."""
    with transaction.atomic():
        trail.tell(row, *others, by=SYSTEM, reason="test")
    return row


def fee(**fields: Any) -> FeeRule:
    facts = {"kind": "transfer", "currency": "CNY", "fixed_minor": 100, "starts_at": EPOCH, "set_by": "test:1"}
    return told(FeeRule.objects.create(**{**facts, **fields}))


def differing() -> dict[str, set[str]]:
    """Rows that are not what the trail says of them, and how it shows."""
    wrong: dict[str, set[str]] = {}
    for finding in verification.discover().run(only=["core.terms_are_told"]).findings:
        wrong.setdefault(finding.subject, set()).add(finding.detail)
    return wrong
