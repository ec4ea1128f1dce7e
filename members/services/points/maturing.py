"""Maturing: what was pending becomes the member's when its time is over or its payment is final."""

from datetime import date, datetime
from functools import partial
from typing import Final

from members.models import Earning, Member, Purchase, Referral
from members.services import turns
from members.services.points import accounts
from members.services.points.accounts import Accounts
from members.services.points.giving import give
from paymentsite.core import clock
from paymentsite.core.acts import act
from paymentsite.core.ids import microseconds
from paymentsite.core.waiting import First
from paymentsite.ledger import services as ledger

SCOPE: Final = "members.points"
STUCK: Final = "points_stuck"
_CHUNK: Final = 500


@act
def final(*, source: str, now: datetime) -> None:
    """The payment ``source`` is final: what waited for that is due now, and whoever brought its member has earned it.

    Repeated, or for a payment that is wholly refunded, it changes nothing. ``mature_due`` gives the points.
    """
    purchase = Purchase.objects.filter(source=source).first()
    if purchase is None:
        return
    Member.objects.lock(purchase.member_id)
    purchase.refresh_from_db()
    if purchase.final_at is not None or purchase.refunded_minor == purchase.amount_minor:
        return
    Purchase.objects.filter(pk=purchase.pk).update(final_at=now)
    purchase.earnings.pending().filter(pending_until=None).update(pending_until=now)
    # Read under lock: one that was due and is found to be earned by nothing that stands waits again, for this one too.
    referral = Referral.objects.select_for_update().filter(member=purchase.member_id, rewarded_at=None).first()
    if referral and referral.due_at is None:
        Referral.objects.filter(pk=referral.pk).update(due_at=now)


def mature_due(*, now: datetime) -> int:
    """Give all that is due by ``now``; how many earnings. Twice, late or at once gives each once.

    One that cannot be given (an account is frozen) keeps no other waiting, and is tried again another day. Until
    nothing of the member's is due any more, a person looks at it.
    """
    done, last = 0, 0
    while due := list(
        Earning.objects.due(now).filter(pk__gt=last).order_by("pk").values_list("pk", "member_id")[:_CHUNK]
    ):
        done += sum(_given(pk, member_id, now) for pk, member_id in due)
        last, _member = due[-1]
    turns.settle(stuck=STUCK, due=Member.objects.filter(earnings__in=Earning.objects.due(now)))
    return done


# The next moment at which something pending is due.
next_due: Final = First("pending_until", Earning.objects.pending)


def _given(pk: int, member_id: int, now: datetime) -> bool:
    why = "Points that are due to them could not be given"
    return bool(turns.take(partial(_mature, pk, now), subject=Member(pk=member_id), stuck=STUCK, why=why))


@act
def _mature(pk: int, now: datetime) -> bool:
    member = Member.objects.lock(Earning.objects.values_list("member_id", flat=True).get(pk=pk))
    earning = Earning.objects.due(now).filter(pk=pk).select_related("rule").first()
    if earning is None or earning.pending_until is None:
        return False

    # A refusal is final for its reference: with the day in it, an account that was frozen can be given to later.
    reference = f"given {pk} {clock.day_of(now)}"
    return _give(earning, accounts.of(member), day=clock.day_of(earning.pending_until), now=now, reference=reference)


def give_early(pk: int, theirs: Accounts, now: datetime) -> None:
    """The earning is given though it is not due, to its member, who is locked by the caller. Given, it stays so."""
    earning = Earning.objects.pending().filter(pk=pk).select_related("rule").first()
    if earning is not None:
        # Whoever leaves may try again at once: a refusal is not repeated for as long as a day.
        reference = f"given {pk} early {microseconds(now)}"
        _give(earning, theirs, day=clock.day_of(now), now=now, reference=reference)


def _give(earning: Earning, theirs: Accounts, *, day: date, now: datetime, reference: str) -> bool:
    entries = give(
        earning,
        source=theirs.pending,
        accounts=theirs,
        owed=accounts.owed(theirs),
        day=day,
        now=now,
    )
    still = Earning.objects.pending().filter(pk=earning.pk, taken_pending=earning.taken_pending)
    if not still.update(
        state=earning.state,
        given_at=earning.given_at,
        given_points=earning.given_points,
        repaid_debt=earning.repaid_debt,
        expires_on=earning.expires_on,
    ):
        return False
    ledger.post(
        *entries,
        kind="points_given",
        scope=SCOPE,
        reference=reference,
        source=f"earning:{earning.pk}",
    )
    return True
