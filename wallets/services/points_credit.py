"""Points as wallet credit: spent at what a point is worth, in one journal with the money."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from django.utils.translation import gettext, gettext_noop

from members.models import Member, PointValue
from members.services import members, points
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Conflict, Forbidden, Refused
from paymentsite.core.formats import amount as formatted
from paymentsite.core.ids import microseconds
from paymentsite.core.money import Money, within_range
from paymentsite.core.rounding import Rounding, divide
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account
from wallets.models import PointsCredit
from wallets.services import room, wallets
from wallets.services.wording import check_same, checked_reference, id_for
from wallets.telling import Told, teller

SCOPE: Final = "wallets.points_credit"
_NOUN: Final = "points_credit"


class PointsWorthNothing(Refused):
    code = "points_worth_nothing"
    sentence = gettext_noop("{points} points are worth nothing in {currency}.")


class PointsWorthChanged(Conflict):
    code = "points_worth_changed"
    sentence = gettext_noop("{points} points are {amount} now.")


class NotYourPoints(Forbidden):
    code = "points_not_yours"
    sentence = gettext_noop("Points are turned into money by their member alone.")


def credit(*, member: Member, count: int, reference: str, by: Actor, shown: Money | None = None) -> PointsCredit:
    """``count`` points are spent and what they are worth is in the member's wallet of their home currency, or neither;
    neither, too, where it is not what they were ``shown``.

    Rounded down, by less than one smallest part. Repeating a reference returns the first credit; what was refused may
    be asked again.
    """
    reference = checked_reference(reference)
    if by.person != f"user:{member.pk}":
        raise NotYourPoints
    if first := _first(member, count, reference):
        return first
    _make_ready(member, by)
    return _credit(member=member, count=count, reference=reference, by=by, shown=shown)


def _first(member: Member, count: int, reference: str) -> PointsCredit | None:
    """What was credited under the reference, if that is what is asked for."""
    first = PointsCredit.objects.filter(member=member, reference=reference).select_related("value").first()
    if first is not None:
        check_same(first, {"points": count}, reference=reference)
    return first


@act
def _make_ready(member: Member, by: Actor) -> None:
    """The accounts stand before, so that the ledger can remember a refusal that names them."""
    wallets.open(member=member, currency=member.home_currency, by=by)
    points.spent(member=member, points=Money(1, "PTS"))  # only proposed: opens the accounts on both sides
    _cost(member.home_currency)


@act
def _credit(*, member: Member, count: int, reference: str, by: Actor, shown: Money | None) -> PointsCredit:
    member = Member.objects.lock(member.pk)
    if first := _first(member, count, reference):
        return first
    members.check_active(member)
    wallet = wallets.open(member=member, currency=member.home_currency, by=by)
    now = clock.now()
    value = _value(wallet.currency, count, now)
    amount = worth(count, value)
    if count <= 0 or not amount.minor:
        raise PointsWorthNothing(points=count, currency=wallet.currency)
    if shown not in {None, amount}:
        raise PointsWorthChanged(points=count, amount=amount)
    room.check(member=member, wallet=wallet, amount=amount)

    public_id = id_for(member, _NOUN, reference)
    posted = ledger.post(
        *points.spent(member=member, points=Money(count, "PTS")),
        ledger.Move(amount, _cost(wallet.currency), wallet.account),
        kind=_NOUN,
        scope=SCOPE,
        # That it happens once is the credit's own affair.
        reference=f"{public_id}:{microseconds(now)}",
        source=f"{_NOUN}:{public_id}",
        by=by,
        details={"points": value.points, "value_minor": value.value_minor, "rounding": Rounding.DOWN.value},
    )
    return PointsCredit.objects.create(
        public_id=public_id,
        member=member,
        reference=reference,
        points=count,
        value=value,
        wallet=wallet,
        amount_minor=amount.minor,
        journal_id=posted.journal_id,
        at=now,
    )


def worth(count: int, value: PointValue) -> Money:
    """What ``count`` points are, rounded down."""
    return within_range(divide(count * value.value_minor, value.points, Rounding.DOWN), value.currency)


def _value(currency: str, count: int, now: datetime) -> PointValue:
    found = PointValue.objects.filter(currency=currency, starts_at__lte=now).order_by("-starts_at", "-pk").first()
    if found is None:
        raise PointsWorthNothing(points=count, currency=currency)
    return found


def _cost(currency: str) -> Account:
    """What points cost us in money: an expense."""
    return ledger.house("points", currency)


@teller(_NOUN)
def tell(ids: Collection[str], member: Member) -> Mapping[str, Told]:
    """How a credit is told on the wallet's statement and on that of the points."""
    found = PointsCredit.objects.filter(member=member, public_id__in=ids).select_related("value")
    return {
        str(done.public_id): Told(
            gettext("{points} turned into {amount}").format(
                points=formatted(Money(done.points, "PTS")), amount=formatted(done.amount)
            ),
            subject=f"{_NOUN}:{done.public_id}",
        )
        for done in found
    }
