"""That nothing readable is left here of members whose data was erased."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q, QuerySet

from members.models import Member
from paymentsite.core.verification import Fault, Run, check
from wallets.models import (
    BankAccount,
    Instrument,
    Notification,
    OutsideCard,
    ProofDeposit,
    StandingOrder,
    TopUp,
    Withdrawal,
)
from wallets.models.orders import ORDER_KINDS
from wallets.queries import notes

_TOLD = Q(payee__isnull=False) | ~Q(destination="")
_SAVED = Q(number__isnull=False) | Q(number_digest__isnull=False) | Q(holder__isnull=False)


@check("wallets.erased_hold_nothing", "Of an erased member no number, name or word is left with what was paid.")
def erased_hold_nothing(run: Run) -> Iterator[Fault]:
    erased = Member.objects.filter(erased_at__isnull=False).values("pk")
    run.seen["erased members"] = erased.count()
    if not run.seen["erased members"]:
        return
    for what, rows in _left():
        owners = set(rows.filter(member__in=erased).values_list("member", flat=True))
        for pk in sorted(owners):
            yield f"member {pk}", f"has {what}"
    for pk in sorted(_spoken_of(erased)):
        yield f"member {pk}", "has what a gateway wrote about them"
    for rows in notes.of(erased):
        for row in rows.order_by("pk"):
            yield f"{row._meta.model_name} {row.public_id}", "one of its members is erased, and it has a note"


def _left() -> tuple[tuple[str, QuerySet[Any]], ...]:
    return (
        ("a saved card's number", OutsideCard.objects.filter(_SAVED)),
        ("a saved account's number", BankAccount.objects.filter(_SAVED)),
        ("a name for what was saved", Instrument.objects.exclude(label="")),
        ("a page to confirm a top-up at", TopUp.objects.exclude(action_url="", action_code="")),
        ("a withdrawal that says to whom", Withdrawal.objects.filter(_TOLD)),
        ("a small deposit that says to whom", ProofDeposit.objects.filter(_TOLD)),
        ("a standing order", StandingOrder.objects.exclude(state=StandingOrder.State.ENDED)),
    )


def _spoken_of(erased: QuerySet[Any]) -> set[int]:
    """Members about whose orders a body is left. Notifications know orders by their names at the gateway alone."""
    names: dict[str, int] = {}
    refunds: QuerySet[Any] = TopUp.objects.filter(member__in=erased).exclude(refund_id=None)
    asked = [(kind.objects.filter(member__in=erased), "public_id") for kind in ORDER_KINDS]
    for orders, column in [*asked, (refunds, "refund_id")]:
        names |= {name.hex: member for name, member in orders.values_list(column, "member")}
    if not names:
        return set()
    kept = Notification.objects.filter(body__isnull=False).exclude(about="").values_list("about", flat=True)
    return {names[about] for about in kept.iterator(2_000) if about in names}
