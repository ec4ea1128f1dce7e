"""Leaving: the one way in which a membership ends, once nothing of value is left in it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext_noop

from members.models import Member
from members.queries import points as standings
from members.services import members, points
from members.services.members import MemberSuspended
from paymentsite.core import clock
from paymentsite.core.actors import STAFF, Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.errors import Refused
from paymentsite.core.ids import microseconds
from paymentsite.core.units import OWN_UNITS
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account
from wallets.models import Gift, MoneyRequest, StandingOrder, Wallet
from wallets.models.orders import ORDER_KINDS
from wallets.services import requests, standing_orders, wallets

SCOPE: Final = "wallets.leaving"


class MoneyLeft(Refused):
    code = "leaving_money_left"
    sentence = gettext_noop("A membership ends with nothing in it; there is still {money}.")


class HoldsLeft(Refused):
    code = "leaving_holds_left"
    sentence = gettext_noop("A membership ends with nothing on hold; {held} still is.")


class GiftsLeft(Refused):
    code = "leaving_gifts_left"
    sentence = gettext_noop("There are gifts that nobody has taken yet: {gifts}. Cancel them, or wait.")


class OrdersLeft(Refused):
    code = "leaving_orders_left"
    sentence = gettext_noop("Top-ups and withdrawals that have not ended yet: {count}. Wait until they have.")


class PointsOwed(Refused):
    code = "leaving_points_owed"
    sentence = gettext_noop("A membership ends without debts; {owed} are owed.")


class PointsLeft(Refused):
    code = "leaving_points_left"
    sentence = gettext_noop("{points} would be lost, and {pending} that are pending. Say that they may be.")


Ends = Callable[..., None]
_ends: Final[dict[str, Ends]] = {}


def ends(name: str) -> Callable[[Ends], Ends]:
    """Register what ends with a membership in a higher app, before it is asked whether anything is left:
    ``(*, member, by, reason)``, in the transaction that ends it, the member locked."""

    def register(work: Ends) -> Ends:
        if name in _ends:
            raise TypeError(f"{name} ends with a membership already")
        _ends[name] = work
        return work

    return register


@act
def leave(*, member: Member, by: Actor, reason: str, forfeit_points: bool = False) -> Member:
    """The membership is over, and so are its wallets, standing orders and requests. Repeated, nothing changes.

    Refused while money, a hold, a gift, an order or a debt is left; and while points are, unless the member was told
    that they are lost: with ``forfeit_points`` they are. Who is suspended leaves by staff alone.
    """
    reason = members.checked_reason(reason)
    member = _locked(member)
    if member.state == Member.State.CLOSED:
        return member
    if member.state == Member.State.SUSPENDED:
        if by.kind != STAFF:
            raise MemberSuspended
        check_not_own(by, member.pk)
    now = clock.now()
    for work in _ends.values():
        work(member=member, by=by, reason=reason)
    _check_orders(member)
    _check_gifts(member)
    _check_books(member)
    _check_points(member, now, forfeit=forfeit_points)

    _forfeit(member, by=by, now=now)
    for order in _lasting(member):
        standing_orders.end(order=order, member=member, by=by)
    for request in _asked(member, now):
        requests.cancel(request=request, asker=request.asker, by=by)
    for wallet in Wallet.objects.of(member).open().order_by("pk"):
        wallets.end(wallet=wallet, by=by, reason=reason)
    return members.close(member=member, by=by, reason=reason)


def _locked(member: Member) -> Member:
    """The member, and whoever has to do with what ends with them: all at once, in the order of ids."""
    others = {order.payee_id for order in _lasting(member)}
    for request in _asked(member, clock.now()):
        others |= {request.asker_id, request.payer_id}
    return Member.objects.lock_all([member.pk, *others])[member.pk]


def _lasting(member: Member) -> Iterable[StandingOrder]:
    return StandingOrder.objects.filter(member=member).exclude(state=StandingOrder.State.ENDED).order_by("pk")


def _asked(member: Member, now: datetime) -> Iterable[MoneyRequest]:
    """What is asked of the member, and by them; what has run out ends by itself."""
    theirs = Q(asker=member) | Q(payer=member)
    return MoneyRequest.objects.open().filter(theirs, expires_at__gt=now).order_by("pk")


def _check_orders(member: Member) -> None:
    if left := [order for kind in ORDER_KINDS for order in kind.objects.of(member).not_ended()]:
        raise OrdersLeft(count=len(left), orders=[order.source for order in left])


def _check_gifts(member: Member) -> None:
    if left := list(Gift.objects.open().filter(sender=member).order_by("pk")):
        raise GiftsLeft(gifts=[gift.amount for gift in left])


def _check_books(member: Member) -> None:
    """All that the books know of the member, whichever app keeps it: money is there or missing, or set aside."""
    found = books.standings(Account.objects.filter(owner=member.owner).order_by("pk")).values()
    if held := [each.held for each in found if each.held.minor]:
        raise HoldsLeft(held=held)
    if money := [each.posted for each in found if each.posted.minor and each.posted.unit not in OWN_UNITS]:
        raise MoneyLeft(money=money)


def _check_points(member: Member, now: datetime, *, forfeit: bool) -> None:
    left = standings.balance(member, now)
    if left.debt.minor:
        raise PointsOwed(owed=left.debt)
    if not forfeit and (left.available.minor or left.pending.minor):
        raise PointsLeft(points=left.available, pending=left.pending)


def _forfeit(member: Member, *, by: Actor, now: datetime) -> None:
    if entries := points.forfeited(member=member, now=now):
        ledger.post(
            *entries,
            kind="points_forfeited",
            scope=SCOPE,
            # That it happens once is the member's affair: a refusal, of a frozen account say, may be tried again.
            reference=f"{member.public_id}:{microseconds(now)}",
            source=f"member:{member.public_id}",
            by=by,
        )
