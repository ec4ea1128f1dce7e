"""Exchange: what was quoted is what is posted, once, in time, by whom it was offered to."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from members.models import Tier
from members.services import members
from members.services.members import MemberSuspended
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.errors import DomainError
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Journal
from paymentsite.ledger.refusals import InsufficientFunds
from tests.factories import fund
from tests.members.factories import member
from tests.wallets.factories import holds, wallet
from tests.wallets.rates import told
from wallets import telling
from wallets.models import Exchange, ExchangeQuote, Wallet
from wallets.services import exchanges, wallets
from wallets.services.exchanges import (
    NoSuchQuote,
    NothingBought,
    NothingSold,
    QuoteExpired,
    QuoteUsed,
    SameCurrency,
)
from wallets.services.rates import RateMissing, RateStale
from wallets.services.wallets import NoCurrency, NoSuchWallet, WalletFrozen
from wallets.services.wording import ReferenceMalformed, ReferenceTaken

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")


def offered(purse: Wallet, minor: int = 100_00, buy: str = "USD") -> ExchangeQuote:
    return exchanges.quote(member=purse.member, sell=Money(minor, purse.currency), buy_currency=buy, now=clock.now())


def accept(quote: ExchangeQuote, reference: str = "r1") -> Exchange:
    return exchanges.accept(quote=quote, reference=reference, by=Actor.of(quote.member.user))


def sums() -> dict[str, int]:
    """What all accounts of each unit add up to."""
    accounts = list(Account.objects.all())
    found: dict[str, int] = {}
    for pk, left in books.standings(accounts).items():
        unit = next(account.unit for account in accounts if account.pk == pk)
        found[unit] = found.get(unit, 0) + left.posted.minor
    return found


@pytest.fixture
def purse():
    told("CNY", "USD", "0.138517")
    return wallet(1_000_00)


@pytest.mark.parametrize(
    ("sell", "buy", "refusal"),
    [
        (Money(100, "CNY"), "CNY", SameCurrency),
        (Money(0, "CNY"), "USD", NothingSold),
        (Money(-5, "CNY"), "USD", NothingSold),
        (Money(1, "CNY"), "USD", NothingBought),
        (Money(100, "PTS"), "USD", NoCurrency),
        (Money(100, "CNY"), "QPT", NoCurrency),
        (Money(100, "CNY"), "EUR", RateMissing),
    ],
)
def test_what_cannot_be_offered_is_refused(purse, sell, buy, refusal):
    with pytest.raises(refusal):
        exchanges.quote(member=purse.member, sell=sell, buy_currency=buy, now=clock.now())
    assert not ExchangeQuote.objects.exists()


def test_stale_rate_offers_nothing(purse):
    with pytest.raises(RateStale):
        exchanges.quote(
            member=purse.member, sell=Money(100, "CNY"), buy_currency="USD", now=clock.now() + timedelta(days=2)
        )


def test_offer_moves_nothing_and_shows_its_margin(purse):
    Tier.objects.update_or_create(rank=0, defaults={"code": "base", "fx_margin_bp": 150})

    offer = offered(purse)

    assert (offer.bought, offer.margin, offer.margin_bp) == (Money(1364, "USD"), Money(21, "USD"), 150)
    assert (offer.rate, offer.fee, offer.expires_at - offer.quoted_at) == (
        "0.138517",
        Money(0, "CNY"),
        timedelta(seconds=30),
    )
    assert holds(purse) == Money(1_000_00, "CNY")


def test_what_was_quoted_is_posted_whatever_the_rate_has_become(purse):
    offer = offered(purse)
    told("CNY", "USD", "0.12", at=clock.now())

    done = accept(offer)

    dollars = wallets.of(member=purse.member, currency="USD")
    assert (holds(purse), holds(dollars)) == (Money(900_00, "CNY"), offer.bought)
    assert (done.sold_from, done.bought_into) == (purse, dollars)
    margin = books.standing(ledger.house(exchanges.MARGIN, "USD")).posted
    position = books.standing(ledger.house(exchanges.POSITION, "USD")).posted
    assert (margin, position) == (offer.margin, -(offer.bought + offer.margin))
    assert Journal.objects.get(pk=done.journal_id).details["rate"] == offer.rate
    assert set(sums().values()) == {0}


def test_caller_cannot_better_the_offer(purse):
    offer = offered(purse)
    offer.bought_minor = 1_000_000_00

    accept(offer)

    assert holds(wallets.of(member=purse.member, currency="USD")) == ExchangeQuote.objects.get().bought


def test_same_reference_is_the_same_exchange_even_after_the_offer_expired(purse):
    offer = offered(purse)
    first = accept(offer)

    with clock.standing(clock.now() + timedelta(minutes=5)):
        assert accept(offer) == first
    assert holds(purse) == Money(900_00, "CNY")


def test_reference_is_for_one_offer_and_an_offer_for_one_reference(purse):
    first, second = offered(purse), offered(purse)
    accept(first)

    with pytest.raises(ReferenceTaken):
        accept(second)
    with pytest.raises(QuoteUsed):
        accept(first, "r2")
    assert Exchange.objects.count() == 1


@pytest.mark.parametrize("reference", ["", "x" * 101, "a\nb"])
def test_reference_that_is_none_is_refused(purse, reference):
    with pytest.raises(ReferenceMalformed):
        accept(offered(purse), reference)


def test_expired_offer_is_refused_to_the_moment(purse):
    offer = offered(purse)

    with clock.standing(offer.expires_at), pytest.raises(QuoteExpired):
        accept(offer)
    # Nor is a wallet opened for what does not come.
    assert not Wallet.objects.filter(currency=offer.bought_unit).exists()
    with clock.standing(offer.expires_at - timedelta(microseconds=1)):
        accept(offer)


@pytest.mark.parametrize("by", [SYSTEM, Actor("staff", "0"), Actor("member", "0")])
def test_offer_of_somebody_else_is_none(purse, by):
    offer = offered(purse)

    with pytest.raises(NoSuchQuote):
        exchanges.accept(quote=offer, reference="r1", by=by)
    with pytest.raises(NoSuchQuote):
        exchanges.get(member=member(), public_id=offer.public_id)
    assert exchanges.get(member=purse.member, public_id=offer.public_id) == offer


def test_too_little_money_is_final_for_the_offer(purse):
    offer = offered(purse, 1_000_01)

    for _ in range(2):
        with pytest.raises(InsufficientFunds):
            accept(offer)
        fund(purse.account, 500)
    assert not Exchange.objects.exists()
    assert not ledger.house(exchanges.POSITION, "CNY").incoming.exists()


def test_suspended_member_and_frozen_wallet_exchange_nothing(purse):
    offer = offered(purse)
    wallets.freeze(wallet=purse, by=STAFF, reason="asked")
    with pytest.raises(WalletFrozen):
        accept(offer)
    wallets.thaw(wallet=purse, by=STAFF, reason="asked")
    members.suspend(member=purse.member, by=STAFF, reason="looked into")

    with pytest.raises(MemberSuspended):
        accept(offer)
    with pytest.raises(MemberSuspended):
        offered(wallets.of(member=members.of(purse.member.user), currency="CNY"))


def test_member_without_that_wallet_sells_nothing():
    told("CNY", "USD", "0.138517")
    euros = wallet(100, currency="EUR")
    offer = exchanges.quote(member=euros.member, sell=Money(100_00, "CNY"), buy_currency="USD", now=clock.now())

    with pytest.raises(NoSuchWallet):
        accept(offer)


def test_exchange_is_told_on_both_statements_in_the_readers_language(purse):
    done = accept(offered(purse))
    journal = Journal.objects.get(pk=done.journal_id)

    told_en = telling.told([journal], purse.member)[journal.pk]
    with translation.override("zh-hans"):
        told_zh = telling.told([journal], purse.member)[journal.pk]

    assert told_en.words == "Exchanged CN¥100.00 for $13.71"
    assert told_zh.words == "将 ¥100.00 兑换为 US$13.71"
    assert telling.told([journal], member())[journal.pk].words == "Exchange"


class AnyExchanges(TestCase):
    """Whatever is exchanged: no unit is made or lost, and the wallets hold what the accepted offers said."""

    @settings(max_examples=25, deadline=None)
    @given(
        value=st.decimals(min_value=Decimal("0.0001"), max_value=Decimal(1000), places=9),
        margin_bp=st.integers(0, 10_000),
        buy=st.sampled_from(["USD", "JPY", "KWD"]),
        amounts=st.lists(st.integers(1, 60_000), min_size=1, max_size=4),
    )
    def test_no_unit_is_made_or_lost(self, value, margin_bp, buy, amounts):
        Tier.objects.update_or_create(rank=0, defaults={"code": "base", "fx_margin_bp": margin_bp})
        told("CNY", buy, str(value))
        purse = wallet(100_000)
        done = []
        for number, minor in enumerate(amounts):
            try:
                done.append(accept(offered(purse, minor, buy), f"r{number}").quote)
            except DomainError:
                continue

        assert set(sums().values()) == {0}
        assert holds(purse).minor == 100_000 - sum(quote.sold_minor for quote in done)
        if done:
            bought = wallets.of(member=purse.member, currency=buy)
            assert holds(bought).minor == sum(quote.bought_minor for quote in done)
            margin = books.standing(ledger.house(exchanges.MARGIN, buy)).posted
            position = books.standing(ledger.house(exchanges.POSITION, buy)).posted
            assert margin.minor == sum(quote.margin_minor for quote in done)
            assert -position.minor == holds(bought).minor + margin.minor
