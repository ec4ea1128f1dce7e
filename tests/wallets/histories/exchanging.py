"""Exchanges in histories: what was offered holds for half a minute, whatever the rate is by then."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from paymentsite.core import clock
from paymentsite.core.money import Money
from tests.wallets.histories.people import BALANCE_MAX, EXCHANGE_BP, MARGIN_BP, Person, part
from tests.wallets.histories.world import DONE, World, amounts, some, who
from tests.wallets.rates import told
from wallets.models import Exchange, ExchangeQuote
from wallets.services import exchanges

OTHER = {"CNY": "EUR", "EUR": "CNY"}
# Near enough to each other not to be a jump.
VALUES = {"CNY": ["0.125", "0.128", "0.131"], "EUR": ["8", "7.7", "7.85"]}
RATE_HOURS, OFFER_SECONDS = 24, 30

units = st.sampled_from(["CNY", "CNY", "EUR"])


@dataclass
class Offer:
    pk: int
    one: int
    sold: int
    unit: str
    bought: int
    margin: int
    fee: int
    until: datetime
    state: str = "open"
    reference: str = ""
    final: str = ""


class Exchanging(World):
    def __init__(self) -> None:
        super().__init__()
        self.offers: list[Offer] = []
        self.rates: dict[str, tuple[str, datetime]] = {}

    def first(self, one: int, number: int) -> None:
        super().first(one, number)
        for unit in OTHER:
            self._told(unit, 0)
        self.offer_and_accept(one, "CNY", 9 + number)
        match number % 3:
            case 0:
                self.offer_and_accept_in_the_last_moment(one, 9 + number, 29 + number // 3 % 3)
            case 1:
                self.offer_and_accept_at_another_rate(one, "EUR", 2 + number % 5, 1)
            case 2:
                self.offer_and_accept_more_than_may_be_held(one)

    @rule(unit=units, number=st.integers(0, 2))
    def rate_changes(self, unit: str, number: int) -> None:
        # A source says one thing at a time. What falls due in this second is done later, as it may be.
        self.now += timedelta(seconds=1)
        self._told(unit, number)

    def _told(self, unit: str, number: int) -> None:
        value = VALUES[unit][number]
        with clock.standing(self.now):
            told(unit, OTHER[unit], value, at=self.now)
        self.rates[unit] = (value, self.now)

    @rule(one=who, unit=units, minor=amounts)
    def offer(self, one: int, unit: str, minor: int) -> None:
        given = int(minor * Fraction(self.rates[unit][0]))
        bought = int(minor * Fraction(self.rates[unit][0]) * (10_000 - MARGIN_BP) / 10_000)
        expected = self._cannot_offer(self.people[one], unit, bought) or DONE
        made: ExchangeQuote | None = self.do(
            "offer",
            lambda: exchanges.quote(
                member=self.member(one), sell=Money(minor, unit), buy_currency=OTHER[unit], now=self.now
            ),
            expected=expected,
        )
        if made:
            fee = part(minor, EXCHANGE_BP) if unit == "CNY" else 0
            until = self.now + timedelta(seconds=OFFER_SECONDS)
            self.offers.append(Offer(made.pk, one, minor, unit, bought, given - bought, fee, until))
            said = (made.bought_minor, made.margin_minor, made.fee_minor, Decimal(made.rate))
            assert said == (bought, given - bought, fee, Decimal(self.rates[unit][0]))

    def _cannot_offer(self, person: Person, unit: str, bought: int) -> str:
        if person.suspended:
            return "member_suspended"
        if self.now - self.rates[unit][1] > timedelta(hours=RATE_HOURS):
            return "rate_stale"
        return "" if bought else "exchange_for_nothing"

    @precondition(lambda self: self.offers)
    @rule(number=some)
    def accept(self, number: int) -> None:
        self.take_up(self.one_of(self.offers, number))

    def take_up(self, offer: Offer) -> None:
        expected, reference = self._cannot_accept(offer) or DONE, self.reference()
        self.do("accept", lambda: self._accept(offer, reference), expected=expected)
        if expected == DONE:
            offer.state, offer.reference = "used", reference
            self._exchanged(offer)
        elif expected == "insufficient_funds":
            # That is final for an offer: later it is refused so again, if nothing else is wrong by then.
            offer.final = expected

    def _cannot_accept(self, offer: Offer) -> str:
        person = self.people[offer.one]
        if offer.state != "open":
            return "quote_used"
        if self.now >= offer.until:
            return "quote_expired"
        if person.suspended:
            return "member_suspended"
        if person.frozen and offer.unit == "CNY":
            return "wallet_frozen"
        euros_full = offer.unit == "CNY" and person.euros + offer.bought > BALANCE_MAX["EUR"]
        if euros_full or (offer.unit == "EUR" and self.has_no_room(offer.one, offer.bought)):
            return "balance_limit_exceeded"
        available = person.available if offer.unit == "CNY" else person.euros
        return "insufficient_funds" if offer.sold + offer.fee > available else offer.final

    def _exchanged(self, offer: Offer) -> None:
        person, other = self.people[offer.one], OTHER[offer.unit]
        sign = 1 if offer.unit == "CNY" else -1
        yuan, euros = (offer.sold + offer.fee, offer.bought) if sign == 1 else (offer.bought, offer.sold)
        person.posted -= sign * yuan
        person.euros += sign * euros
        self.house["position", offer.unit] += offer.sold
        self.house["position", other] -= offer.bought + offer.margin
        self.house["exchange margin", other] += offer.margin
        self.house["fees", offer.unit] += offer.fee
        person.use("exchange", offer.sold, offer.fee, self.now).counts = False

    @rule(one=who, unit=units, minor=st.integers(9, 120))
    def offer_and_accept(self, one: int, unit: str, minor: int) -> None:
        self.rate_changes(unit, minor % 3)
        self._made_and(one, unit, minor, self.take_up)

    @rule(one=who, unit=units, minor=st.integers(9, 120), number=st.integers(0, 2))
    def offer_and_accept_at_another_rate(self, one: int, unit: str, minor: int, number: int) -> None:
        self.rate_changes(unit, number)

        def go_on(offer: Offer) -> None:
            self.rate_changes(unit, (number + 1) % 3)
            self.take_up(offer)

        self._made_and(one, unit, minor, go_on)

    @rule(one=who, minor=st.integers(9, 120), seconds=st.sampled_from([29, 30, 31]))
    def offer_and_accept_in_the_last_moment(self, one: int, minor: int, seconds: int) -> None:
        self.rate_changes("CNY", minor % 3)

        def go_on(offer: Offer) -> None:
            self.let_pass(timedelta(seconds=seconds))
            self.take_up(offer)

        self._made_and(one, "CNY", minor, go_on)

    @rule(one=who)
    def offer_and_accept_more_than_may_be_held(self, one: int) -> None:
        self.offer_and_accept(one, "CNY", 600)

    def _made_and(self, one: int, unit: str, minor: int, then: Callable[[Offer], None]) -> None:
        before = len(self.offers)
        self.offer(one, unit, minor)
        if len(self.offers) > before:
            then(self.offers[-1])

    @precondition(lambda self: any(offer.state == "used" for offer in self.offers))
    @rule(number=some)
    def accept_once_more(self, number: int) -> None:
        used = [offer for offer in self.offers if offer.state == "used"]
        offer = used[number % len(used)]
        self.again("accept again", lambda: self._accept(offer, offer.reference))
        self.take_up(offer)

    def _accept(self, offer: Offer, reference: str) -> Exchange:
        quote = ExchangeQuote.objects.get(pk=offer.pk)
        return exchanges.accept(quote=quote, reference=reference, by=self.user(offer.one))

    def compare(self) -> None:
        super().compare()
        assert ExchangeQuote.objects.count() == len(self.offers)
        done = Exchange.objects.values_list("quote", "reference")
        assert set(done) == {(offer.pk, offer.reference) for offer in self.offers if offer.state == "used"}
