"""Gifts, requests, standing orders and blocks are as the trail told when they were made; else verify names the row."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import F, Model

from members.models import Member
from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import AuditEntry
from tests.members.factories import member
from tests.wallets.factories import asked, given, wallet
from tests.wallets.standing import BEGIN, Every, ordered, today
from wallets import personal
from wallets.models import Gift, MoneyRequest, RequestBlock, StandingOrder
from wallets.services import requests

pytestmark = pytest.mark.django_db

__all__ = ["today"]

MADE = "wallets.made_as_told"
BLOCKS = "wallets.request_blocks_are_told"
Unprotected = Callable[[], AbstractContextManager[None]]


def named(check: str = MADE) -> list[str]:
    return [finding.subject for finding in verification.discover().run(only=[check]).findings]


def order(**fields: Any) -> StandingOrder:
    return ordered(wallet(5_000_00), **fields)


def request() -> MoneyRequest:
    return asked(of=member())


def gift() -> Gift:
    return given(10_00, wallet(50_00)).gift


def called(row: Model) -> str:
    kind = {Gift: "gift", MoneyRequest: "request", StandingOrder: "standing order"}[type(row)]
    return f"{kind} {row.public_id}"


def blocking(who: Member) -> Member:
    other = member()
    requests.block(member=who, other=other, by=Actor.of(who.user))
    return other


@pytest.mark.parametrize("every", Every)
def test_what_services_make_is_clean(every):
    order(every=every, ends_on=BEGIN + timedelta(days=500))
    order(every=every, count=1)
    request()
    gift()

    assert named() == []


@pytest.mark.parametrize(
    ("make", "edit"),
    [
        (order, {"payee": member}),
        (order, {"member": member}),
        (order, {"amount_minor": 900_00}),
        (order, {"currency": "EUR"}),
        (order, {"every": "day"}),
        (order, {"starts_on": BEGIN + timedelta(days=1)}),
        (order, {"ends_on": date(2040, 1, 1)}),
        (order, {"count": 9}),
        (order, {"made_at": F("made_at") - timedelta(days=1)}),
        (request, {"amount_minor": 900_00}),
        (request, {"asker": member}),
        (request, {"payer": member}),
        (request, {"currency": "EUR"}),
        (request, {"expires_at": F("expires_at") + timedelta(days=900)}),
        (gift, {"amount_minor": 1}),
        (gift, {"fee_minor": 1}),
        (gift, {"sender": member}),
        (gift, {"token_digest": "digest-1.of-another-link"}),
        (gift, {"expires_at": F("expires_at") + timedelta(days=900)}),
        (gift, {"expires_at": F("expires_at") + timedelta(days=9), "made_at": F("made_at") + timedelta(days=9)}),
    ],
)
def test_row_that_was_edited_is_named(unprotected: Unprotected, make: Callable[[], Any], edit: dict[str, Any]) -> None:
    make()
    row = make()
    with unprotected():
        columns = {name: value() if callable(value) else value for name, value in edit.items()}
        type(row).objects.filter(pk=row.pk).update(**columns)

    assert named() == [called(row)]


@pytest.mark.parametrize("make", [order, request, gift])
def test_row_that_is_gone_is_named(unprotected: Unprotected, make: Callable[[], Any]) -> None:
    make()
    row = make()
    with unprotected():
        type(row).objects.filter(pk=row.pk)._raw_delete("default")
        make()

        assert named() == [f"{row._meta.label_lower}:{row.pk}"]


def test_row_of_which_nothing_was_told_is_named(unprotected: Unprotected) -> None:
    row = request()
    with unprotected():
        AuditEntry.objects.of(row).update(act="request.nothing")

        assert named() == [called(row)]


class TestBlocks:
    def test_blocks_that_were_made_and_lifted_are_clean(self):
        ada = member()
        first, second = blocking(ada), blocking(ada)
        requests.unblock(member=ada, other=first, by=SYSTEM)
        requests.block(member=ada, other=first, by=SYSTEM)
        requests.unblock(member=ada, other=second, by=SYSTEM)

        assert named(BLOCKS) == []
        assert RequestBlock.objects.get().blocked == first

    def test_blocks_of_who_is_erased_are_lifted_and_told(self):
        ada = member()
        blocking(ada)

        personal.ended(ada)

        assert (named(BLOCKS), RequestBlock.objects.count()) == ([], 0)

    def test_block_that_is_gone_is_named(self):
        ada = member()
        blocking(ada)
        RequestBlock.objects.filter(member=ada).delete()

        assert named(BLOCKS) == [f"member {ada.pk}"]

    def test_block_of_which_nothing_was_told_is_named(self):
        ada = member()
        blocking(ada)
        RequestBlock.objects.update(blocked=member())

        assert named(BLOCKS) == [f"member {ada.pk}", f"member {ada.pk}"]
