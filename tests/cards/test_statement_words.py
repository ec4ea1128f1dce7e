"""What uses of cards are called on statements, in both languages."""

import pytest
from django.utils import translation

from cards.models import CardMessage
from cards.services import settling
from paymentsite.core.money import Money
from tests.cards.factories import card, debit
from tests.cards.test_use_parts import ABROAD
from tests.cards.using import STRANGER, ask, rate, tell
from tests.wallets.deciding import decide, staff
from tests.wallets.factories import wallet
from wallets.models import Wallet
from wallets.queries import statements

pytestmark = pytest.mark.django_db


def said(purse: Wallet, language: str = "en") -> list[tuple[str, int, bool]]:
    """The wallet's lines, the oldest first, but for the money that it began with."""
    with translation.override(language):
        lines = statements.lines(wallet=purse).lines
    return [(line.words, line.amount.minor, line.fee) for line in reversed(lines)][1:]


def test_lines_name_merchant_card_and_what_it_cost():
    purse = wallet(1_000_00)
    found = card(purse.member, debit(issue_fee_minor=5_00, fx_margin_bp=200))
    rate("EUR", "CNY", "8")
    ask(found, Money(10_00, "EUR"), reference="trip", merchant=ABROAD)
    tell("capture", found, Money(10_00, "EUR"), reference="trip", merchant=ABROAD, final=True)
    tell("refund", found, Money(1_00, "EUR"), reference="trip", merchant=ABROAD)

    four = found.last_four
    assert said(purse) == [
        (f"Fee: Card ending in {four}", -5_00, True),
        (f"Librairie du Port, with the card ending in {four}", -80_00, False),
        (f"Exchange margin: Librairie du Port, with the card ending in {four}", -1_60, True),
        (f"Librairie du Port, with the card ending in {four}", 8_00, False),
    ]
    assert said(purse, "zh-hans")[1][0] == f"Librairie du Port，使用尾号 {four} 的卡"
    month = statements.month(wallet=purse, year=found.issued_at.year, month=found.issued_at.month)
    assert month.opening + month.came - month.went - month.fees == month.closing
    assert month.fees == Money(6_60, "CNY")


def test_debt_that_is_paid_and_refund_that_was_nobodys_are_told():
    purse = wallet(10_00)
    found = card(purse.member, debit())
    tell("capture", found, 15_00, final=True)
    tell("refund", found, 7_00, number=STRANGER, message_id="stray")
    stray = CardMessage.objects.get(message_id="stray")
    decide(settling.place_refund(message=stray, member=purse.member, by=staff(), reason="theirs"))

    assert said(purse)[1:] == [
        ("Refund to a card", 7_00, False),
        ("What a card took more than there was", -5_00, False),
    ]
