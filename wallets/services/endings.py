"""What follows from how an order ended: limits and fees taken or given back, and the member told."""

from typing import Any, Final

from django.utils.translation import gettext_noop

from members.models import Member
from members.services import limits, notices
from paymentsite.core import clock
from wallets.models import GatewayOrder, TopUp, Withdrawal
from wallets.services import fees

# What moved beyond what was asked for takes of the limits by a name of its own.
_MOVED: Final = ":moved"

_CAME: Final = notices.kind("top_up_came", gettext_noop("{amount} came into your wallet by top-up."))
_FAILED_IN: Final = notices.kind("top_up_failed", gettext_noop("Your top-up of {amount} failed. Nothing was taken."))
_SENT_BACK: Final = notices.kind(
    "top_up_sent_back", gettext_noop("What came for your top-up of {amount} was sent back to where it came from.")
)
_PAID: Final = notices.kind("withdrawal_paid", gettext_noop("{amount} was paid to {destination}."))
_PAID_OTHERWISE: Final = notices.kind(
    "withdrawal_paid_otherwise",
    gettext_noop(
        "{moved} was paid to {destination} in place of the {amount} of your withdrawal. We are looking into it."
    ),
)
_FAILED_OUT: Final = notices.kind(
    "withdrawal_failed", gettext_noop("Your withdrawal of {amount} failed. You can spend it again, and the fee.")
)
_DIFFERS: Final = notices.kind(
    "top_up_differs", gettext_noop("{moved} came for your top-up of {amount}. We are looking into it.")
)
_TAKEN_BACK: Final = notices.kind(
    "top_up_taken_back",
    gettext_noop("Your top-up of {amount} was taken back by who paid it out. We are looking into it."),
)
_KEPT_ASIDE: Final = notices.kind(
    "top_up_kept_aside",
    gettext_noop("Your top-up of {amount} came, and is not in your wallet yet. We are looking into it."),
)
_PAID_AFTER_ALL: Final = notices.kind(
    "withdrawal_paid_after_all",
    gettext_noop(
        "Your withdrawal of {amount}, which had failed, was paid to {destination} after all. We are looking into it."
    ),
)
_BACK_ASIDE: Final = notices.kind(
    "withdrawal_kept_aside",
    gettext_noop("Your withdrawal of {amount} came back, and is not in your wallet yet. We are looking into it."),
)
_CAME_BACK: Final = notices.kind(
    "withdrawal_returned",
    gettext_noop("Your withdrawal of {amount} came back. It is in your wallet again, and so is the fee."),
)


def topped_up(order: TopUp) -> None:
    notices.tell(member=order.member, kind=_CAME, subject=order.source, amount=order.net)


def differs(order: TopUp | Withdrawal) -> None:
    """Staff decides. Of a withdrawal nothing is to be told: what left the wallet is set aside, as they know."""
    if isinstance(order, TopUp):
        _tell_later(order, _DIFFERS, moved=order.moved, amount=order.amount)


def taken_back(order: TopUp) -> None:
    """They have what we have not."""
    _tell_later(order, _TAKEN_BACK, amount=order.moved)


def kept_aside(order: TopUp) -> None:
    """It came, and is in suspense."""
    _tell_later(order, _KEPT_ASIDE, amount=order.moved)


def paid_out(order: Withdrawal) -> None:
    notices.tell(
        member=order.member,
        kind=_PAID,
        subject=order.source,
        amount=order.moved,
        destination=order.destination,
    )


def paid_out_otherwise(order: Withdrawal) -> None:
    """Something else arrived than was to leave the wallet, which staff settles."""
    notices.tell(
        member=order.member,
        kind=_PAID_OTHERWISE,
        subject=order.source,
        moved=order.moved,
        amount=order.amount,
        destination=order.destination,
    )


def paid_after_all(order: Withdrawal) -> None:
    """It had failed, so that the member has it: what arrived is missing in suspense."""
    _tell_later(order, _PAID_AFTER_ALL, amount=order.moved, destination=order.destination)


def failed(order: TopUp | Withdrawal) -> None:
    """Nothing moved: what it had taken of limits and free acts is given back."""
    _give_back(order)
    kind = _FAILED_IN if isinstance(order, TopUp) else _FAILED_OUT
    notices.tell(member=order.member, kind=kind, subject=order.source, amount=order.amount)


def not_topped_up(order: TopUp) -> None:
    """It came and is gone again, and was never booked."""
    _give_back(order)
    notices.tell(member=order.member, kind=_SENT_BACK, subject=order.source, amount=order.amount)


def paid_back(order: Withdrawal) -> None:
    """All that had left the wallet is in it again: what was set aside, or the part of that which was booked on it."""
    _give_back(order)
    on_wallet = order.booked_to == GatewayOrder.BookedTo.WALLET
    amount = min(order.moved, order.amount) if on_wallet else order.amount
    notices.tell(member=order.member, kind=_CAME_BACK, subject=order.source, amount=amount)


def moved_otherwise(order: TopUp | Withdrawal) -> None:
    """What really moved counts against the limits, however much it is: what may still be taken is less."""
    now, kind = clock.now(), limits.Kind.TOP_UP if isinstance(order, TopUp) else limits.Kind.WITHDRAWAL
    more = order.moved
    if more.unit == order.currency:
        more = max(more, order.amount) - order.amount
    else:
        limits.give_back(source=order.source, now=now)
    limits.moved(member=order.member, kind=kind, amount=more, source=f"{order.source}{_MOVED}", now=now)


def happened_after_all(order: GatewayOrder) -> bool:
    """It counts against the limits again, where it had failed; whether it had.

    Its fee stays given back: the member was told that nothing was taken, and may have paid for another try.
    """
    return limits.count_again(source=order.source, now=clock.now())


def came_back_to_suspense(order: Withdrawal) -> None:
    """Nothing of it is gone, though it is not the member's yet: it counts no more."""
    _counts_no_more(order)
    _tell_later(order, _BACK_ASIDE, amount=order.amount)


def fee_given_back(order: GatewayOrder) -> None:
    fees.give_back(source=order.source, now=clock.now())


def _tell_later(order: TopUp | Withdrawal, kind: notices.Kind, **facts: Any) -> None:
    """What staff still settles is told to who is there to hear it."""
    if order.member.state != Member.State.CLOSED:
        notices.tell(member=order.member, kind=kind, subject=order.source, **facts)


def _counts_no_more(order: GatewayOrder) -> None:
    for source in (order.source, f"{order.source}{_MOVED}"):
        limits.give_back(source=source, now=clock.now())


def _give_back(order: GatewayOrder) -> None:
    _counts_no_more(order)
    fees.give_back(source=order.source, now=clock.now())
