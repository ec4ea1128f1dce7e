"""Bugs to plant, each of which the histories must find: at least one for every noun."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from members.services import limits, members
from paymentsite.core import clock
from paymentsite.core.money import Money
from tests.wallets.histories.asking import Asking
from tests.wallets.histories.crediting import Crediting
from tests.wallets.histories.exchanging import Exchanging
from tests.wallets.histories.giving import Giving
from tests.wallets.histories.ordering import Ordering
from tests.wallets.histories.sending import Sending
from tests.wallets.histories.topping_up import ToppingUp
from tests.wallets.histories.withdrawing import Withdrawing
from tests.wallets.histories.world import World
from wallets import conversion
from wallets.models import ExchangeQuote, StandingOrder, TopUp, Withdrawal
from wallets.models.orders import TopUpQuerySet
from wallets.services import (
    bookings,
    endings,
    exchanges,
    fees,
    gift_links,
    points_credit,
    rates,
    requests,
    reward_credit,
    standing_runs,
    transfers,
    wallets,
)

Patch = pytest.MonkeyPatch


class InAndOut(Withdrawing, ToppingUp):
    """What is to be withdrawn comes first."""


def suspended_may_act(patch: Patch) -> None:
    patch.setattr(members, "check_active", lambda _member: None)


def paid_request_stays_open(patch: Patch) -> None:
    patch.setattr(requests, "_end", lambda *_, **__: None)


def given_back_is_kept(patch: Patch) -> None:
    """The gift is marked returned, and what was held for it stays held."""

    def mark(gift: object, state: object, *, by: object, now: object) -> object:
        del by
        gift = gift_links._read(gift)
        gift_links._end(gift, state, now)
        return gift

    patch.setattr(gift_links, "_give_back", mark)


def repetition_is_not_compared(patch: Patch) -> None:
    patch.setattr(transfers, "check_same", lambda *_, **__: None)


def frozen_wallet_is_not_looked_at(patch: Patch) -> None:
    patch.setattr(wallets, "check_open", lambda _wallet: None)


def wrong_fee(patch: Patch) -> None:
    """A transfer costs one fen more than was said."""
    entries = fees.entries

    def dearer(quote: fees.Quote, account: Any) -> list[Any]:
        [move] = entries(quote, account)
        return [move, transfers.ledger.Move(quote.amount.split([1] * quote.amount.minor)[0], account, move.target)]

    patch.setattr(fees, "entries", dearer)


def limit_use_is_not_given_back(patch: Patch) -> None:
    patch.setattr(limits, "give_back", lambda **_: None)


def fee_is_not_given_back(patch: Patch) -> None:
    patch.setattr(fees, "give_back", lambda **_: None)


def late_success_counts_for_nothing(patch: Patch) -> None:
    patch.setattr(endings, "happened_after_all", lambda _order: False)


def late_success_is_booked_twice(patch: Patch) -> None:
    came_in = bookings.came_in

    def twice(order: TopUp, **how: Any) -> Any:
        journal, own = came_in(order, **how), order.public_id
        if order.state == TopUp.State.FAILED:
            order.public_id = uuid4()
            came_in(order, **how)
            order.public_id = own
        return journal

    patch.setattr(bookings, "came_in", twice)


def failed_withdrawal_keeps_its_hold(patch: Patch) -> None:
    patch.setattr(bookings, "let_go", lambda _order: None)


def returned_withdrawal_keeps_its_fee(patch: Patch) -> None:
    came_back = bookings.came_back

    def without_fee(order: Withdrawal, **how: Any) -> Any:
        order.fee_minor = 0
        return came_back(order, **how)

    patch.setattr(bookings, "came_back", without_fee)


def rate_is_taken_anew(patch: Patch) -> None:
    entries = exchanges._entries

    def anew(quote: ExchangeQuote, *between: Any) -> Any:
        rate = rates.current(quote.sold_unit, quote.bought_unit, clock.now())
        given = conversion.convert(quote.sold, rate, margin_bp=quote.margin_bp)
        quote.bought_minor, quote.margin_minor = given.bought.minor, given.margin.minor
        return entries(quote, *between)

    patch.setattr(exchanges, "_entries", anew)


def offer_holds_for_ever(patch: Patch) -> None:
    patch.setattr(ExchangeQuote, "open_at", lambda *_: True)


def standing_order_is_paid_twice_a_day(patch: Patch) -> None:
    go_on = standing_runs._go_on

    def once_more(order: StandingOrder, *, refused_in_a_row: int) -> None:
        if order.next_at and order.next_at == standing_runs.calendar.moment(order.next_on, order.member.zone):
            standing_runs.change(order, next_at=order.next_at + standing_runs.AGAIN_AFTER)
        else:
            go_on(order, refused_in_a_row=refused_in_a_row)

    patch.setattr(standing_runs, "_go_on", once_more)


def missed_days_are_made_up_for(patch: Patch) -> None:
    patch.setattr(standing_runs, "_latest_due", lambda _order, day, _turn, _now: day)


def points_are_not_spent(patch: Patch) -> None:
    patch.setattr(points_credit.points, "spent", lambda **_: [])


def what_comes_counts_for_nothing(patch: Patch) -> None:
    patch.setattr(TopUpQuerySet, "coming", lambda _orders, currency: Money.zero(currency))


def reward_is_given_though_it_does_not_fit(patch: Patch) -> None:
    patch.setattr(reward_credit.room, "check", lambda **_: None)


# With the nouns whose histories must find it: others would only keep them from it.
BUGS: list[tuple[Callable[[Patch], None], type[World]]] = [
    (suspended_may_act, Sending),
    (paid_request_stays_open, Asking),
    (given_back_is_kept, Giving),
    (repetition_is_not_compared, Sending),
    (frozen_wallet_is_not_looked_at, Sending),
    (wrong_fee, Sending),
    (limit_use_is_not_given_back, Giving),
    (limit_use_is_not_given_back, ToppingUp),
    (limit_use_is_not_given_back, InAndOut),
    (fee_is_not_given_back, ToppingUp),
    (fee_is_not_given_back, InAndOut),
    (late_success_counts_for_nothing, ToppingUp),
    (late_success_is_booked_twice, ToppingUp),
    (failed_withdrawal_keeps_its_hold, InAndOut),
    (returned_withdrawal_keeps_its_fee, InAndOut),
    (rate_is_taken_anew, Exchanging),
    (offer_holds_for_ever, Exchanging),
    (standing_order_is_paid_twice_a_day, Ordering),
    (missed_days_are_made_up_for, Ordering),
    (points_are_not_spent, Crediting),
    (what_comes_counts_for_nothing, ToppingUp),
    (reward_is_given_though_it_does_not_fit, Crediting),
]
