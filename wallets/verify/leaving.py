"""That nothing of value is left in a membership that is over."""

from collections.abc import Iterator
from typing import Any

from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat

from members.models import Member
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Balance, Hold
from wallets.models import Gift, ProofDeposit, StandingOrder, TopUp, Wallet, Withdrawal
from wallets.models.orders import State


@check(
    "wallets.closed_members_hold_nothing",
    "Who has left has no wallet, nothing on an account, and nothing under way: no hold, gift, order or standing order.",
)
def closed_members_hold_nothing(run: Run) -> Iterator[Fault]:
    closed = Member.objects.filter(state=Member.State.CLOSED)
    run.seen["closed members"] = closed.count()
    if not run.seen["closed members"]:
        return
    gone = closed.values("pk")
    for what, rows in _left():
        for pk, name in rows.filter(member__in=gone).order_by("pk").values_list("member", "public_id"):
            yield f"member {pk}", f"has left, and has {what}: {name}"
    for pk, name in Gift.objects.open().filter(sender__in=gone).order_by("pk").values_list("sender", "public_id"):
        yield f"member {pk}", f"has left, and has a gift that nobody took: {name}"
    owners = closed.annotate(owner_name=Concat(Value("member:"), Cast("pk", CharField()))).values("owner_name")
    holds = Hold.objects.open().filter(account__owner__in=owners)
    # What they qualified for is worth nothing, and stays told. What they owe us can still grow.
    kept = Balance.objects.filter(account__owner__in=owners).filter(posted_minor__gt=0).exclude(account__unit="QPT")
    for owner, name in kept.order_by("pk").values_list("account__owner", "account__code"):
        yield owner.replace(":", " "), f"has left, and has something on the account {name}"
    for owner, name in holds.order_by("pk").values_list("account__owner", "pk"):
        yield owner.replace(":", " "), f"has left, and has something on hold: {name}"


def _left() -> tuple[tuple[str, QuerySet[Any]], ...]:
    return (
        ("a wallet", Wallet.objects.open()),
        # What came after they had left, and otherwise than asked for, staff decides about.
        ("a top-up under way", TopUp.objects.not_ended().exclude(state__in=[State.CONFLICT, State.RETURNING])),
        ("a withdrawal under way", Withdrawal.objects.not_ended().exclude(state=State.CONFLICT)),
        ("a small deposit under way", ProofDeposit.objects.not_ended().exclude(state=State.CONFLICT)),
        ("a standing order", StandingOrder.objects.exclude(state=StandingOrder.State.ENDED)),
    )
