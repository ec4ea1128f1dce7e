"""What orders and exchanges took of limits and prices, and how long offers last; what was edited, verify names."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F

from members.models import LimitUse
from members.services import members
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.ids import EPOCH
from tests.factories import cny
from tests.members.factories import member
from tests.members.limiting import moment, tier
from tests.terms import told as in_force
from tests.wallets.factories import given, sent
from tests.wallets.factories import wallet as purse_of
from tests.wallets.gateways import top_up, wallet, withdraw
from tests.wallets.rates import told
from wallets.models import Exchange, ExchangeQuote, FeeRule, FeeUse, TopUp, Withdrawal
from wallets.services import exchanges, fees

pytestmark = pytest.mark.django_db

ORDERS = "wallets.orders_took_limits"
EXCHANGES = "wallets.exchange_is_its_price"
MONTHS = "wallets.price_is_of_its_month"
QUOTES = "wallets.quote_lasts_moments"
TAKEN = "wallets.limits_and_prices_taken"
Unprotected = Callable[[], AbstractContextManager[None]]
NEW_YEAR = moment("2026-12-31 20:00")  # in Shanghai it is next year


def named(*checks: str) -> list[str]:
    return [finding.subject for finding in verification.discover().run(only=checks).findings]


@pytest.fixture
def offer() -> ExchangeQuote:
    told("CNY", "USD", "0.138517")
    in_force(FeeRule.objects.create(kind="exchange", currency="CNY", fixed_minor=7, starts_at=EPOCH, set_by="test:1"))
    purse = purse_of(500_00)
    return exchanges.quote(member=purse.member, sell=cny(100_00), buy_currency="USD", now=clock.now())


@pytest.fixture
def exchange(offer: ExchangeQuote) -> Exchange:
    return exchanges.accept(quote=offer, reference="x", by=Actor.of(offer.member.user))


def price(source: str) -> Any:
    return FeeUse.objects.filter(source=source)


class TestExchanges:
    @pytest.mark.usefixtures("exchange")
    def test_exchange_that_was_charged_is_clean(self):
        assert named(EXCHANGES, QUOTES, TAKEN) == []

    @pytest.mark.parametrize(
        "edit",
        [
            {"fee_minor": 0},
            {"amount_minor": 1},
            {"currency": "USD"},
            {"kind": "transfer"},
            {"member": member},
            {"at": F("at") + timedelta(days=40)},
            {"given_back_at": EPOCH},
        ],
    )
    def test_price_that_was_edited_is_named(self, unprotected: Unprotected, exchange, edit):
        columns = {name: value() if callable(value) else value for name, value in edit.items()}
        with unprotected():
            price(f"exchange:{exchange.quote.public_id}").update(**columns)

        assert named(EXCHANGES) == [f"exchange {exchange.pk}"]

    def test_price_that_is_gone_is_named(self, unprotected: Unprotected, exchange):
        with unprotected():
            FeeUse.objects.all()._raw_delete("default")

        assert named(EXCHANGES) == [f"exchange {exchange.pk}"]

    def test_price_of_no_exchange_is_named(self, offer):
        with transaction.atomic():
            asked = fees.quote(member=offer.member, kind=fees.Kind.EXCHANGE, amount=offer.sold, now=offer.quoted_at)
            fees.take(quote=asked, source=f"exchange:{offer.public_id}", now=offer.quoted_at)

        assert named(EXCHANGES) == [f"exchange:{offer.public_id}"]


class TestQuotes:
    @pytest.mark.parametrize("seconds", [5, 30, 300, 9_000])
    def test_offer_that_was_made_is_clean_whatever_the_site_says(self, settings, seconds):
        settings.EXCHANGE_QUOTE_SECONDS = seconds
        told("CNY", "USD", "0.138517")
        made = exchanges.quote(member=member(), sell=cny(100_00), buy_currency="USD", now=clock.now())

        assert made.expires_at - made.quoted_at == timedelta(seconds=min(seconds, 300))
        assert named(QUOTES) == []

    @pytest.mark.parametrize(
        "edit",
        [
            {"expires_at": F("expires_at") + timedelta(days=9)},
            {"expires_at": F("expires_at") + timedelta(seconds=271)},
            {"expires_at": F("expires_at") + timedelta(milliseconds=1)},
            {"expires_at": F("expires_at") + timedelta(days=9), "quoted_at": F("quoted_at") + timedelta(days=9)},
        ],
    )
    def test_offer_that_lasts_longer_is_named(self, unprotected: Unprotected, offer, edit):
        with unprotected():
            ExchangeQuote.objects.update(**edit)

        assert named(QUOTES) == [f"quote {offer.pk}"]


@pytest.mark.usefixtures("routed")
class TestOrders:
    @pytest.fixture
    def orders(self) -> list[TopUp | Withdrawal]:
        purse = wallet(100_00)
        return [top_up(purse, 10_00), withdraw(purse, 20_00)]

    @pytest.mark.usefixtures("routed", "orders")
    def test_orders_that_took_are_clean(self):
        assert named(ORDERS, TAKEN) == []

    @pytest.mark.parametrize("which", [0, 1])
    @pytest.mark.parametrize(
        "edit",
        [
            {"amount_minor": 1},
            {"kind": "transfer"},
            {"currency": "USD"},
            {"member": member},
            {"at": F("at") - timedelta(days=40)},
        ],
    )
    def test_use_of_limits_that_was_edited_is_named(self, unprotected: Unprotected, orders, which, edit):
        order = orders[which]
        columns = {name: value() if callable(value) else value for name, value in edit.items()}
        with unprotected():
            LimitUse.objects.filter(source=order.source).update(**columns)

        assert named(ORDERS) == [f"{order.noun} {order.public_id}"]

    @pytest.mark.parametrize("which", [0, 1])
    def test_price_of_another_moment_is_named(self, unprotected: Unprotected, orders, which):
        order = orders[which]
        with unprotected():
            price(order.source).update(at=F("at") - timedelta(days=40))

        assert named(ORDERS) == [f"{order.noun} {order.public_id}"]

    @pytest.mark.parametrize("model", [LimitUse, FeeUse])
    @pytest.mark.parametrize("which", [0, 1])
    def test_what_was_taken_for_no_order_is_named(self, unprotected: Unprotected, orders, which, model):
        order = orders[which]
        other = f"{order.noun}:{member().public_id}"
        with unprotected():
            model.objects.filter(source=order.source).update(source=other)

        assert named(TAKEN) == [other]

    @pytest.mark.parametrize("which", [0, 1])
    def test_use_of_limits_that_is_gone_is_named(self, unprotected: Unprotected, orders, which):
        order = orders[which]
        with unprotected():
            LimitUse.objects.filter(source=order.source)._raw_delete("default")

        assert named(ORDERS) == [f"{order.noun} {order.public_id}"]


@pytest.mark.parametrize("edit", [{"at": F("at") - timedelta(days=40)}, {"kind": "withdrawal"}])
@pytest.mark.parametrize("of", ["transfer", "gift"])
def test_price_of_a_transfer_or_gift_is_taken_when_its_limits_are(unprotected: Unprotected, of, edit):
    purse = purse_of(100_00)
    row = sent(1_00, sender=purse, to=member()) if of == "transfer" else given(1_00, purse).gift
    assert named(TAKEN) == []
    with unprotected():
        price(row.source).update(**edit)

    assert named(TAKEN) == [f"{of} {row.public_id}"]


class TestMonths:
    @pytest.fixture
    def use(self) -> FeeUse:
        """One free withdrawal of the first month of a year, in Shanghai."""
        tier("free", rank=0, free_withdrawals=1)
        in_force(
            FeeRule.objects.create(kind="withdrawal", currency="CNY", fixed_minor=9, starts_at=EPOCH, set_by="t:1")
        )
        quote = fees.quote(member=member(), kind=fees.Kind.WITHDRAWAL, amount=cny(500), now=NEW_YEAR)
        with transaction.atomic():
            fees.take(quote=quote, source="act:1", now=NEW_YEAR)
        return FeeUse.objects.get()

    def test_month_on_the_members_calendar_is_clean(self, use):
        assert (use.month, named(MONTHS)) == ("2027-01", [])

    def test_month_of_who_moved_since_is_clean(self, use):
        for zone in ("America/New_York", "Europe/London"):
            members.edit(member=use.member, by=SYSTEM, time_zone=zone)

        assert named(MONTHS) == []

    @pytest.mark.parametrize("month", ["2001-01", "2026-12", "2027-02"])
    def test_another_month_is_named(self, unprotected: Unprotected, use, month):
        with unprotected():
            FeeUse.objects.update(month=month)

        assert named(MONTHS) == [f"fee taken {use.pk}"]

    def test_another_month_is_named_where_nobody_told_of_a_move(self, use):
        use.member.time_zone = "America/New_York"
        use.member.save()

        assert named(MONTHS) == [f"fee taken {use.pk}"]
