"""Small deposits against the proofs that they belong to, and against who pays them. No finding says an amount."""

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.services.accounts import HOUSE
from wallets.models import AccountProof, ProofDeposit
from wallets.models.orders import State

_PAID_BY: Final = {"owner": HOUSE, "code": "account_proofs"}
_ONE_AMOUNT_TWICE: Final = Q(means=AccountProof.Means.DEPOSITS, first_minor=F("second_minor"))
_LOST: Final = Q(state__in=[State.FAILED, State.RETURNED]) | Q(moved_minor__isnull=False)


@check(
    "wallets.deposits_are_their_proofs",
    "Who proves an account by deposits was sent the two that are asked for; none is asked for that is not there.",
)
def deposits_are_their_proofs(run: Run) -> Iterator[Fault]:
    run.seen["small deposits"] = ProofDeposit.objects.count()
    sent = ProofDeposit.objects.filter(
        proof=OuterRef("pk"), member=OuterRef("account__member"), currency=OuterRef("account__currency")
    )
    all_sent: QuerySet[Any] = ProofDeposit.objects.filter(proof=OuterRef("pk")).order_by().values("proof")
    proofs = AccountProof.objects.annotate(
        sent=Coalesce(Subquery(all_sent.annotate(count=Count("pk")).values("count")), 0),
        first=Exists(sent.filter(amount_minor=OuterRef("first_minor"))),
        second=Exists(sent.filter(amount_minor=OuterRef("second_minor"))),
        waits_in_vain=Exists(sent.filter(_LOST)),
    )
    right = Q(means=AccountProof.Means.NAME, sent=0) | Q(
        means=AccountProof.Means.DEPOSITS, sent=2, first=True, second=True
    )
    for pk, count in proofs.exclude(right & ~_ONE_AMOUNT_TWICE).order_by("pk").values_list("pk", "sent"):
        yield f"proof {pk}", f"{count} deposits belong to it, and they are not the two that are asked for"
    vain = proofs.filter(state=AccountProof.State.WAITING, waits_in_vain=True)
    for pk in vain.order_by("pk").values_list("pk", flat=True):
        yield f"proof {pk}", "it waits for amounts of which one is not on the account"


@check("wallets.deposits_are_ours", "A small deposit is paid by us, whole, and what came back of it is ours again.")
def deposits_are_ours(run: Run) -> Iterator[Fault]:
    del run
    for column, side in (("journal", "source"), ("return_journal", "target")):
        ours = {f"{column}__postings__{side}__{name}": value for name, value in _PAID_BY.items()}
        booked: Any = ProofDeposit.objects.filter(**{f"{column}__isnull": False}).annotate(
            entries=Count(f"{column}__postings"),
            paid=Sum(f"{column}__postings__amount_minor", filter=Q(**ours), default=0),
            moved_in_all=Coalesce("moved_minor", "amount_minor"),
        )
        wrong = booked.exclude(entries=1, paid=F("moved_in_all"))
        for order in wrong.order_by("pk").values_list("public_id", flat=True):
            yield f"proof_deposit {order}", f"its {column.replace('_', ' ')} does not move it on our account for that"
