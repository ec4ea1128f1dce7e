"""Taking back: after a refund a payment has earned exactly what the rest of it would have earned."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F
from django.utils.translation import gettext_noop

from members.models import Purchase, PurchaseRefund
from members.services import tiers
from members.services.points import accounts, budgets, forfeiting, spending
from members.services.points.cutting import Cut, earning_left
from paymentsite.core import clock
from paymentsite.core.errors import Conflict, Missing, Refused
from paymentsite.core.money import Money, UnitMismatch
from paymentsite.ledger import services as ledger


class NoSuchPurchase(Missing):
    code = "no_such_purchase"
    sentence = gettext_noop("Nothing is known of a purchase {source}.")


class RefundExceeds(Refused):
    code = "purchase_refund_exceeds"
    sentence = gettext_noop("Of this purchase only {left} can still be refunded, not {asked}.")


class RefundedAlready(Conflict):
    code = "purchase_refunded_already"
    sentence = gettext_noop("What {cause} takes back was decided before.")


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Entries for the refund's one posting, in this order, and what they come to."""

    entries: tuple[ledger.Entry, ...]
    taken: Money
    owed: Money
    forgiven: Money
    returned: Money


def taken_back(*, source: str, cause: str, part: Money | None = None, now: datetime) -> TakenBack:
    """``cause`` refunds ``part`` of the payment ``source``, or all that is left of it; its member is locked.

    Each earning is cut to what the rest of the payment would have earned by its rule, so that no order of partial
    refunds makes a difference. It comes out of what is pending; then, as the rule allows, out of those very points,
    out of other points that are there, out of a debt they had repaid, and into a new debt. What had lapsed unspent
    went back to the house already and is not asked for again. Points that the payment spent come back as they were;
    those of a member who has left pay for what is taken, and the rest goes on to the house.
    The caller posts all of ``entries`` in the transaction of this call. Asked again for the same cause it refuses.
    """
    purchase = Purchase.objects.select_related("member").filter(source=source).first()
    if purchase is None:
        raise NoSuchPurchase(source=source)
    if purchase.refunds.filter(cause=cause).exists():
        raise RefundedAlready(cause=cause)
    earning_before = earning_left(purchase)
    _refund(purchase, cause, part, now)

    theirs = accounts.of(purchase.member)
    returns = spending.given_back(purchase, refunded_minor=purchase.refunded_minor, theirs=theirs)
    earnings = list(purchase.earnings.select_related("rule").order_by("pk"))
    taken, forgiven = {each.pk: each.taken for each in earnings}, sum(each.forgiven for each in earnings)
    alive = spending.alive_among(returns, clock.day_of(now))
    cut = Cut(purchase, theirs, clock.day_of(now), also_alive=alive)
    cut.down(earnings)
    for each in earnings:
        each.save(update_fields=_COLUMNS)
    budgets.give_back((each.rule.budget_id, each.taken - taken[each.pk]) for each in earnings)

    tiers.progress_undone(
        source=source,
        cause=cause,
        qualifying=cut.qualifying,
        spend=Money(earning_before - earning_left(purchase), purchase.currency),
        now=now,
    )
    returned = sum(undo.amount.minor for undo in returns if undo.amount)
    entries = [*returns, *cut.entries()]
    if cut.gone:
        rest = max(0, alive - cut.out_of_points)
        entries += forfeiting.given_up(theirs, alive=rest, dead=returned > alive, today=cut.today)
    return TakenBack(
        entries=tuple(entries),
        taken=accounts.pts(sum(each.taken - taken[each.pk] for each in earnings)),
        owed=accounts.pts(cut.owed),
        forgiven=accounts.pts(sum(each.forgiven for each in earnings) - forgiven),
        returned=accounts.pts(returned),
    )


_COLUMNS: Final = (
    "state",
    "taken_pending",
    "taken_points",
    "taken_repaid",
    "taken_debt",
    "lapsed",
    "forgiven",
    "taken_qualifying",
)


def _refund(purchase: Purchase, cause: str, part: Money | None, now: datetime) -> None:
    left = purchase.amount_minor - purchase.refunded_minor
    if part is not None and part.unit != purchase.currency:
        raise UnitMismatch(left=purchase.currency, right=part.unit)
    asked = left if part is None else part.minor
    room = Purchase.objects.filter(pk=purchase.pk, refunded_minor__lte=F("amount_minor") - asked)
    if asked <= 0 or not room.update(refunded_minor=F("refunded_minor") + asked):
        raise RefundExceeds(left=Money(left, purchase.currency), asked=Money(asked, purchase.currency))
    PurchaseRefund.objects.create(purchase=purchase, cause=cause, amount_minor=asked, at=now)
    purchase.refresh_from_db(fields=["refunded_minor"])
