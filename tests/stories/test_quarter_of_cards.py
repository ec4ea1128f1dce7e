"""A quarter of cards, told on the sandbox clock: each kind of product, each way a use can go, and the proof after each
step."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cards.models import Card, CardFee, CardMessage, DecisionReceipt
from cards.services import (
    card_pins,
    controls,
    debts,
    ending,
    issuing,
    life,
    loading,
    settling,
    simulating,
    stray_losses,
)
from cards.services.authorising import Answer
from cards.services.issuing import Purpose, Why
from cards.services.life import Channel
from cards.services.simulating import PRESETS, Saying, What
from members.models import Member, Notice
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import ClockShift, OpenItem
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from paymentsite.ledger import queries as books
from tests.cards.factories import debit, product
from tests.cards.using import STRANGER, rate
from tests.factories import cny, fund
from tests.members.factories import member
from tests.wallets.deciding import decide, staff
from wallets.queries import statements
from wallets.services import wallets

pytestmark = [pytest.mark.story, pytest.mark.django_db(transaction=True)]

PIN = Secret("407193")


class Quarter:
    """Lin, her wallet and cards, and merchants that there are not."""

    def __init__(self) -> None:
        self.lin: Member = member()
        self.purse = wallets.open(member=self.lin, currency="CNY", by=SYSTEM)
        fund(self.purse.account, 1_000_00)
        years = {"validity": 2, "validity_unit": "years", "held_max": 5}
        costs = {"cash_fee_minor": 3_00, "cash_fee_bp": 100, "fx_margin_bp": 150, "monthly_fee_minor": 1_00}
        self.everyday = debit(**years, **costs)
        self.prepaid = product(validity=30)
        self.had = 1_000_00

    @property
    def by(self) -> Actor:
        return Actor.of(self.lin.user)

    def has(self, made: Any, reference: str, **purpose: Any) -> Card:
        """She takes a card and activates it."""
        how = {"by": self.by, "channel": Channel.WEB, "reference": reference, "purpose": Purpose(**purpose)}
        return life.activate(card=issuing.issue(member=self.lin, product=made, **how), by=self.by, channel=Channel.WEB)

    def say(self, what: What, card: Card | Secret, yuan: str | Money | None, reference: str, **more: Any) -> Any:
        """A merchant says it; what we answer."""
        at = PRESETS[more.pop("at", "shop")]
        amount = Money.parse(yuan, at.currency) if isinstance(yuan, str) else yuan
        usual = {"merchant": at.merchant, "entry": at.entry, "reference": reference}
        return simulating.say(what=what, saying=Saying(card=card, amount=amount, **{**usual, **more}), by=SYSTEM).answer

    def asks(self, card: Card, yuan: str | Money, reference: str, **more: Any) -> str:
        answer: Answer = self.say(What.AUTHORISE, card, yuan, reference, **more)
        assert DecisionReceipt.objects.get(pk=answer.receipt).code == answer.code
        return str(answer.code)

    def stands(self, wallet: str, card: Card | None = None, on_card: str = "0") -> None:
        """What is free in the wallet and on the card; and nothing is wrong with anything."""
        assert books.standing(self.purse.account).available == Money.parse(wallet, "CNY")
        if card is not None:
            assert loading.left_on(card) == Money.parse(on_card, "CNY")
        assert [f"{each.check} {each.subject}: {each.detail}" for each in verification.discover().run().findings] == []


def use(reference: str) -> str:
    return str(CardMessage.objects.filter(use__reference=reference).first().use.state)  # type: ignore[union-attr]


def test_quarter_of_cards() -> None:
    begin = datetime(datetime.now(UTC).year + 1, 1, 10, 2, tzinfo=UTC)
    ClockShift.objects.create(shift=begin - datetime.now(UTC))
    rate("EUR", "CNY", "8")
    quarter = Quarter()
    card = quarter.has(quarter.everyday, "everyday")
    she_shops(quarter, card)
    she_travels(quarter, card)
    what_nobody_took_lapses(quarter, card)
    card = she_loses_it(quarter, card)
    more_is_taken_than_there_is(quarter, card)
    one_subscription_and_one_gift(quarter)
    strangers(quarter)
    the_quarter_is_over(quarter, card)


def she_shops(quarter: Quarter, card: Card) -> None:
    assert quarter.asks(card, "0", "look") == "approved"
    assert quarter.asks(card, "100", "lunch") == "approved"
    quarter.stands("900")
    quarter.say(What.INCREMENT, card, "20", "lunch")
    quarter.say(What.REVERSE, card, "30", "lunch")
    quarter.stands("910")
    quarter.say(What.CAPTURE, card, "50", "lunch")
    quarter.say(What.CAPTURE, card, "40", "lunch", final=True)
    assert (use("look"), use("lunch")) == ("checked", "captured")
    quarter.say(What.REFUND, card, "15", "lunch")
    quarter.say(What.REVERSE_REFUND, card, "5", "lunch")
    assert use("lunch") == "part_refunded"
    quarter.stands("920")
    assert quarter.asks(card, "30", "changed my mind") == "approved"
    quarter.say(What.REVERSE, card, None, "changed my mind")
    quarter.say(What.ADVISE, card, "12", "offline")
    quarter.stands("908")
    quarter.say(What.CAPTURE, card, "12", "offline", final=True)
    quarter.say(What.REFUND, card, "8", "some other day")
    assert (use("changed my mind"), use("some other day")) == ("reversed", "credited")
    quarter.stands("916")


def she_travels(quarter: Quarter, card: Card) -> None:
    assert quarter.asks(card, "10", "books", at="abroad") == "approved"
    quarter.stands("834.80")  # 80.00 and a margin of 1.20
    rate("EUR", "CNY", "7.5")
    quarter.say(What.CAPTURE, card, "10", "books", at="abroad", final=True)
    quarter.stands("839.87")  # 75.00 and 1.13
    assert quarter.asks(card, "100", "cash", at="cash") == "pin_missing"
    card_pins.set_pin(card=card, new=PIN, by=quarter.by, channel=Channel.WEB, signed_in=timedelta(0))
    assert quarter.asks(card, "100", "cash", at="cash", pin=Secret("111222")) == "wrong_pin"
    assert quarter.asks(card, "100", "cash", at="cash", pin=PIN) == "approved"
    quarter.say(What.CAPTURE, card, "100", "cash", at="cash", final=True)
    quarter.stands("735.87")  # 100.00, 3.00, and a hundredth
    assert quarter.asks(card, "200", "stay", at="hotel") == "approved"
    quarter.stands("505.87")  # 230.00
    quarter.say(What.CAPTURE, card, "215", "stay", at="hotel", final=True)
    quarter.stands("520.87")
    assert quarter.asks(card, "1", "fuel", at="pump") == "approved"
    quarter.say(What.CAPTURE, card, "85", "fuel", at="pump", final=True)
    quarter.stands("435.87")


def what_nobody_took_lapses(quarter: Quarter, card: Card) -> None:
    assert quarter.asks(card, "50", "forgotten") == "approved"
    assert quarter.asks(card, "40", "long stay", at="hotel") == "approved"
    quarter.stands("339.87")
    clock.advance(by=timedelta(days=8))
    assert (use("forgotten"), use("long stay")) == ("expired", "open")
    quarter.stands("389.87")
    clock.advance(by=timedelta(days=23))
    # The first month's fee was due meanwhile.
    assert (use("long stay"), CardFee.objects.get().state) == ("expired", "paid")
    quarter.stands("434.87")
    quarter.say(What.CAPTURE, card, "10", "forgotten", final=True)
    assert use("forgotten") == "captured"
    quarter.stands("424.87")


def she_loses_it(quarter: Quarter, card: Card) -> Card:
    controls.set_for(
        subject=card,
        terms={"caps": [{"measure": "amount", "span": "day", "most": 300_00}], "categories": {"never": ["gambling"]}},
        by=quarter.by,
        channel=Channel.WEB,
    )
    assert quarter.asks(card, "301", "too much") == "card_limit"
    life.freeze(card=card, by=quarter.by, channel=Channel.WEB)
    assert quarter.asks(card, "1", "found by somebody") == "card_frozen"
    new = issuing.replace(card=card, why=Why.LOST, reference="found again", by=quarter.by, channel=Channel.WEB)
    assert (quarter.asks(card, "1", "old"), quarter.asks(new, "1", "new")) == ("card_closed", "card_inactive")
    life.activate(card=new, by=quarter.by, channel=Channel.WEB)
    assert (quarter.asks(new, "301", "still too much"), quarter.asks(new, "24.87", "groceries")) == (
        "card_limit",
        "approved",
    )
    # What was begun with the old one goes on.
    quarter.say(What.REFUND, new, "2", "lunch")
    quarter.say(What.CAPTURE, new, "24.87", "groceries", final=True)
    quarter.stands("402")
    return new


def more_is_taken_than_there_is(quarter: Quarter, card: Card) -> None:
    quarter.say(What.CAPTURE, card, "450", "parking, told late", final=True)
    assert debts.owed(quarter.lin, "CNY") == cny(48_00)
    assert OpenItem.objects.open().filter(kind=debts.OWED).exists()
    quarter.stands("0")
    fund(quarter.purse.account, 648_00)
    quarter.had += 648_00
    clock.advance(by=timedelta(minutes=2))
    assert not OpenItem.objects.open().filter(kind=debts.OWED).exists()
    assert debts.owed(quarter.lin, "CNY") == cny(0)
    quarter.stands("600")


def one_subscription_and_one_gift(quarter: Quarter) -> None:
    streams = quarter.has(quarter.prepaid, "streams", use="subscription", every="month")
    gift = quarter.has(quarter.prepaid, "gift", use="single")
    for card, minor in ((streams, 60_00), (gift, 100_00)):
        loading.load(card=card, amount=cny(minor), reference=f"load {card.pk}", by=quarter.by)
    loading.unload(card=gift, amount=cny(10_00), reference="a little back", by=quarter.by)
    quarter.stands("450", gift, "90")

    assert quarter.asks(streams, "15", "january", at="subscription") == "approved"
    quarter.say(What.CAPTURE, streams, "15", "january", at="subscription", final=True)
    assert quarter.asks(streams, "15", "once more", at="subscription") == "already_paid"
    assert quarter.asks(streams, "5", "elsewhere") == "other_merchant"
    quarter.stands("450", streams, "45")

    answer = quarter.say(What.AUTHORISE, gift, "95", "toys", partial=True)
    assert (answer.outcome, answer.approved) == ("partial", cny(90_00))
    gift.refresh_from_db()
    assert gift.state == "closed"
    quarter.say(What.CAPTURE, gift, "80", "toys", final=True)
    # What was not taken is in the wallet: the card is over.
    quarter.stands("460", gift, "0")
    quarter.say(What.REFUND, gift, "20", "toys")
    quarter.stands("480", gift, "0")

    clock.advance(by=timedelta(days=28))
    streams.refresh_from_db()
    assert quarter.asks(streams, "15", "february", at="subscription") == "approved"
    quarter.say(What.CAPTURE, streams, "15", "february", at="subscription", final=True)
    clock.advance(by=timedelta(days=4))
    streams.refresh_from_db()
    # Its thirty days are over, and the everyday card's second month's fee was taken meanwhile.
    assert (streams.state, quarter.asks(streams, "15", "march", at="subscription")) == ("expired", "card_expired")
    quarter.stands("509", streams, "0")


def strangers(quarter: Quarter) -> None:
    quarter.say(What.CAPTURE, STRANGER, "33", "whoever", message_id="lost")
    quarter.say(What.REFUND, STRANGER, "21", "whoever else", message_id="found")
    assert OpenItem.objects.open().filter(kind="card_message_stray").count() == 2
    quarter.stands("509")
    lost, found = (CardMessage.objects.get(message_id=name) for name in ("lost", "found"))
    decide(stray_losses.write_off(message=lost, by=staff(), reason="nobody's"))
    decide(settling.place_refund(message=found, member=quarter.lin, by=staff(), reason="she has the receipt"))
    assert not OpenItem.objects.open().filter(kind="card_message_stray").exists()
    quarter.stands("530")


def the_quarter_is_over(quarter: Quarter, card: Card) -> None:
    ending.close(card=card, by=quarter.by, channel=Channel.WEB)
    assert quarter.asks(card, "1", "after all") == "card_closed"
    clock.advance(by=timedelta(days=40))
    assert CardFee.objects.filter(state="paid").count() == 2
    assert {"card_runs_out", "card_spent", "card_declined", "card_debt"} <= set(
        Notice.objects.filter(member=quarter.lin).values_list("kind", flat=True)
    )
    lines = statements.lines(wallet=quarter.purse, limit=500).lines
    assert sum(line.amount.minor for line in lines) == 530_00
    assert [line.words for line in lines if line.words.startswith(("Card ", "Card_"))] == []
    quarter.stands("530")
