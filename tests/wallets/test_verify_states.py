"""Gifts, requests and standing orders are as they were left; where a state was edited, verify names the row."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db.models import F

from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.ids import EPOCH
from paymentsite.core.models import AuditEntry
from tests.members.factories import member
from tests.wallets.factories import asked, claimed, given, paid, wallet
from tests.wallets.races import due_order
from wallets.models import Gift, MoneyRequest, StandingOrder
from wallets.services import gift_links, requests, standing_orders

pytestmark = pytest.mark.django_db

CHECK = "wallets.states_are_told"
Row = Gift | MoneyRequest | StandingOrder


def named() -> list[str]:
    return [finding.subject for finding in verification.discover().run(only=[CHECK]).findings]


def open_gift() -> Row:
    return given(70, wallet(1_000)).gift


def claimed_gift() -> Row:
    return claimed(given(70, wallet(1_000)), wallet().member)


def cancelled_gift() -> Row:
    gift = given(70, wallet(1_000)).gift
    return gift_links.cancel(gift=gift, sender=gift.sender, by=SYSTEM)


def open_request() -> Row:
    return asked(of=member())


def paid_request() -> Row:
    purse = wallet(1_000)
    paid(request := asked(of=purse.member), purse)
    return request


def declined_request() -> Row:
    payer = member()
    return requests.decline(request=asked(of=payer), payer=payer, by=Actor.of(payer.user))


def expired_request() -> Row:
    request = asked(of=member())
    MoneyRequest.objects.filter(pk=request.pk).update(state="expired", ended_at=F("expires_at"))
    return request


def active_order() -> Row:
    return due_order(member(), member())


def paused_order() -> Row:
    return standing_orders.pause(order=due_order(member(), member()), by=SYSTEM)


def resumed_order() -> Row:
    return standing_orders.resume(
        order=standing_orders.pause(order=due_order(member(), member()), by=SYSTEM), by=SYSTEM
    )


def ended_order() -> Row:
    return standing_orders.end(order=due_order(member(), member()), by=SYSTEM)


OVER = {"ended_at": EPOCH}
GOES_ON = {"next_on": EPOCH.date(), "next_at": EPOCH}
STANDS = {"next_on": None, "next_at": None}
MADE = [
    open_gift,
    claimed_gift,
    cancelled_gift,
    open_request,
    paid_request,
    declined_request,
    expired_request,
    active_order,
    paused_order,
    resumed_order,
    ended_order,
]


def called(row: Row) -> str:
    return f"{str(row._meta.verbose_name).removesuffix(' to pay')} {row.public_id}"


@pytest.mark.parametrize("make", MADE)
def test_what_is_as_it_was_left_is_clean(make: Callable[[], Row]) -> None:
    make()
    report = verification.discover().run(only=[CHECK])

    assert (report.findings, sum(report.seen.values())) == ([], 1)


@pytest.mark.parametrize(
    ("make", "state", "more"),
    [
        (open_gift, "returned", OVER),
        (cancelled_gift, "open", {"ended_at": None}),
        (cancelled_gift, "returned", {}),
        (claimed_gift, "cancelled", {"claimed_by": None, "journal": None}),
        (open_request, "declined", OVER),
        (declined_request, "open", {"ended_at": None}),
        (declined_request, "cancelled", {}),
        (open_request, "expired", OVER),
        (paused_order, "active", GOES_ON),
        (active_order, "paused", STANDS),
        (ended_order, "active", GOES_ON),
        (resumed_order, "paused", STANDS),
    ],
)
def test_state_set_behind_our_back_is_named(
    unprotected: Callable[[], AbstractContextManager[None]], make: Callable[[], Row], state: str, more: dict[str, Any]
) -> None:
    make()
    row = make()
    with unprotected():
        type(row).objects.filter(pk=row.pk).update(state=state, **more)

    assert named() == [called(row)]


@pytest.mark.parametrize("make", [open_gift, open_request, active_order])
def test_row_of_which_nothing_is_told_is_named(
    unprotected: Callable[[], AbstractContextManager[None]], make: Callable[[], Row]
) -> None:
    row = make()
    with unprotected():
        AuditEntry.objects.of(row).update(subject="nothing:0")

    assert named() == [called(row)]
