"""Members take home everything that is kept about them, however much that is."""

import json
import re
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from members.models import Limit, Member, Referral, Tier, User
from members.services import limits, privacy, rewards, tiers
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.ids import EPOCH
from paymentsite.core.money import Money
from tests.factories import cny
from tests.members.catalogue import code_of, coupon_reward
from tests.members.factories import member
from tests.members.pointing import pay, refund, rule
from tests.wallets.factories import sent, wallet
from wallets.models import RequestBlock

pytestmark = pytest.mark.django_db

# What leads to a member and is not told, and why.
NOT_TOLD = {
    "admin.LogEntry": "what staff did in the admin, which is staff's; what was done to a member is on the trail",
    "wallets.Unconfirmed": "a running sum of amounts that transfers and gifts tell one by one",
}


def pointing_at_people() -> list[type[Model]]:
    people = {Member, User}
    return [
        model
        for model in apps.get_models()
        if any(field.related_model in people for field in model._meta.concrete_fields)
    ]


def export(who: Member) -> dict[str, Any]:
    return privacy.export(member=who, by=Actor.of(who.user))


def read_by(who: Member) -> set[str]:
    """The tables that are read when everything is told."""
    with CaptureQueriesContext(connection) as queries:
        export(who)
    return {table for query in queries for table in re.findall(r'(?:FROM|JOIN) "(\w+)"', query["sql"])}


def test_everything_that_leads_to_a_member_is_told_or_said_why_not():
    read = read_by(wallet(100).member)

    untold = {model._meta.label for model in pointing_at_people() if model._meta.db_table not in read}

    assert untold == set(NOT_TOLD)


@pytest.fixture
def ada() -> Member:
    rule()
    Tier.objects.create(code="bronze", name_en="Bronze", rank=0)
    found = member(display_name="Ada Lovelace", handle="ada")
    Limit.objects.create(
        member=found,
        kind="payment",
        currency="CNY",
        measure="amount",
        period="day",
        cap=777_00,
        starts_at=EPOCH,
        set_by="test:1",
        reason="asked for it",
    )
    return found


def lived(who: Member, day: int) -> None:
    """One more of everything that grows."""
    purse = wallet(100_00, of=who)
    pay(who, 500_00, source=f"payment:{day}", merchant="Corner Shop", category="groceries")
    refund(f"payment:{day}", 12_50, cause=f"refund:{day}")
    tiers.progress(member=who, source=f"walk:{day}", qualifying=3, spend=cny(0), now=clock.now())
    rewards.redeem(member=who, reward=coupon_reward(), reference=f"coupon {day}", by=SYSTEM)
    limits.take(member=who, kind=limits.Kind.PAYMENT, amount=cny(1), source=f"payment:{day}", now=clock.now())
    Referral.objects.create(member=member(display_name="Bo Diddley"), referrer=who, at=clock.now())
    RequestBlock.objects.create(member=who, blocked=member(handle=f"pest{day}"), at=clock.now())
    sent(1_00, sender=purse, to=member(display_name="Cy Young"), reference=f"t{day}", note="for tea")


def test_what_was_bought_earned_and_given_is_told_in_whole_units(ada):
    lived(ada, 1)

    told = export(ada)

    [purchase], [earning] = told["purchases"], told["earnings"]
    assert (purchase["merchant"], purchase["category"], purchase["price"]) == ("Corner Shop", "groceries", "500.00 CNY")
    assert [(each["refund"], each["amount"]) for each in purchase["refunds"]] == [("refund:1", "12.50 CNY")]
    assert (earning["for"], earning["points"], earning["taken back"]) == ("payment:1", "500 PTS", "13 PTS")
    [lot] = told["points"]["lots"]
    [coupon] = told["rewards and coupons"]
    assert (lot["given"], lot["last day"], coupon["points"], lot["used"]) == ("500 PTS", None, "100 PTS", "113 PTS")
    assert coupon["coupon"]["code"] == code_of(ada.redemptions.get()).reveal()
    assert [each["why"] for each in told["tier"]["changes"]] == ["earned"]
    assert told["tier"]["progress"][-1]["qualifying"] == "3 QPT"
    assert told["referrals"][0]["brought"] == "B** D**"
    assert [each["at most"] for each in told["limits"]["own"]] == ["777.00 CNY"]
    assert {"payment:1"} <= {each["by"] for each in told["limits"]["used"]}
    assert [each["who"] for each in told["people who may not ask for money"]] == ["@pest1"]
    [purse] = told["wallets"]
    assert [(line["amount"], line["balance"]) for line in purse["lines"]] == [
        ("-1.00 CNY", "99.00 CNY"),
        ("100.00 CNY", "100.00 CNY"),
    ]
    assert '"amount": {' not in json.dumps(told)


def test_nothing_of_others_is_told(ada):
    lived(ada, 1)
    bo = member()
    lived(bo, 2)

    text = json.dumps(export(bo))

    assert "payment:1" not in text
    assert "777.00" not in text
    assert "Lovelace" not in text


def test_export_asks_as_often_however_much_there_is(ada):
    lived(ada, 1)
    with CaptureQueriesContext(connection) as few:
        export(ada)
    for day in (2, 3, 4):
        lived(ada, day)
    with CaptureQueriesContext(connection) as many:
        export(ada)

    assert len(many) == len(few)


def test_statement_is_told_whole_page_by_page(ada, monkeypatch):
    monkeypatch.setattr("wallets.personal_books._PAGE", 2)
    purse = wallet(100_00, of=ada)
    for number in range(5):
        sent(1_00, sender=purse, to=member(), reference=f"t{number}")

    lines = export(ada)["wallets"][0]["lines"]

    assert [line["balance"] for line in lines] == [str(Money(minor, "CNY")) for minor in (*range(9500, 10_001, 100),)]
