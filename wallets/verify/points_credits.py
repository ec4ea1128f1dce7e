"""Credits for points against their journals and what a point was worth."""

from collections.abc import Iterator

from django.db.models import OuterRef, Subquery, Sum

from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Journal, Posting
from wallets.models import PointsCredit
from wallets.services.points_credit import SCOPE, worth


@check("wallets.points_credit_is_posted", "Points that became money were spent and paid in one journal, as it says.")
def points_credit_is_posted(run: Run) -> Iterator[Fault]:
    run.seen["credits for points"] = PointsCredit.objects.count()
    moved = Posting.objects.filter(journal=OuterRef("journal"), journal__scope=SCOPE)
    spent = moved.filter(unit="PTS", target__code="rewards", target__owner__startswith="house:")
    paid = moved.filter(target=OuterRef("wallet__account"), source__code="points", source__owner__startswith="house:")
    told = PointsCredit.objects.annotate(
        spent=Subquery(spent.values("journal").annotate(total=Sum("amount_minor")).values("total")[:1]),
        paid=Subquery(paid.values("journal").annotate(total=Sum("amount_minor")).values("total")[:1]),
    ).select_related("value")
    for credit in told.order_by("pk").iterator():
        if (credit.spent, credit.paid) != (credit.points, credit.amount_minor):
            said = f"{credit.points} points for {credit.amount_minor}"
            yield f"credit {credit.pk}", f"says {said}, and {credit.spent} were spent for {credit.paid}"
        if worth(credit.points, credit.value) != credit.amount:
            yield f"credit {credit.pk}", f"{credit.points} points were worth {worth(credit.points, credit.value)}"
    lonely = Journal.objects.posted().filter(scope=SCOPE).exclude(pk__in=PointsCredit.objects.values("journal"))
    for pk in lonely.order_by("pk").values_list("pk", flat=True):
        yield f"journal {pk}", "it turns points into money, and no credit names it"
