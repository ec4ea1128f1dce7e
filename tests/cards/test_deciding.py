"""What is declined and why, what is approved in part, and what an answer leaves behind."""

from datetime import timedelta

import pytest

from cards.control_rules import Entry
from cards.messages import Merchant, MessageMalformed
from cards.models import Card, CardAuthorisation, CardMessage, DecisionReceipt
from cards.models.messages import Code
from cards.services import card_pins, codes, ending, issuing, life, sayings
from cards.services.deciding import CODE_TRIES
from cards.services.life import Channel
from members.models import Notice
from members.services import members, notices
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.models import OpenItem
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from tests.cards.factories import card, debit, issued, product
from tests.cards.using import (
    CASH,
    DINER,
    HOTEL,
    SHOP,
    STRANGER,
    ask,
    loaded,
    more,
    online,
    rate,
    spending,
    stands,
    tell,
    use,
)
from tests.factories import cny
from tests.members.limiting import cap, someone
from tests.wallets.factories import wallet
from wallets.services import wallets

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")


def by(of: Card) -> Actor:
    return Actor.of(of.member.user)


def test_card_that_is_nobodys_is_declined_once_and_receipted():
    found = spending()
    strange = {"number": Secret("4000001299999999"), "message_id": "m", "reference": "r"}

    first, again = ask(found, 5_00, **strange), ask(found, 5_00, **strange)

    assert (first.outcome, first.code, first.use) == ("declined", "no_such_card", None)
    assert (again.receipt, again.replayed) == (first.receipt, True)
    assert DecisionReceipt.objects.get(pk=first.receipt).card is None


@pytest.mark.parametrize(
    ("do", "code"),
    [
        (lambda found: life.freeze(card=found, by=by(found), channel=Channel.WEB), "card_frozen"),
        (lambda found: life.block(card=found, by=STAFF, reason="test"), "card_blocked"),
        (lambda found: ending.close(card=found, by=by(found), channel=Channel.WEB), "card_closed"),
        (lambda found: members.suspend(member=found.member, by=STAFF, reason="test"), "member_suspended"),
        (lambda found: wallets.freeze(wallet=found.wallet, by=STAFF, reason="test"), "wallet_unusable"),
        (lambda found: ending.expire(card=found, today=found.expires_on + timedelta(days=1)), "card_expired"),
    ],
)
def test_card_that_may_not_be_used_is_declined_and_its_member_told_why(do, code):
    found = spending()
    do(found)

    answer = ask(found, 5_00)

    assert (answer.outcome, answer.code, answer.approved) == ("declined", code, cny(0))
    assert stands(found)[1] == 0
    told = Notice.objects.get(kind="card_declined")
    assert sayings.why(Code(code)) in notices.sentence(told)
    assert found.number.decrypt().reveal() not in str(told.facts)


def test_card_that_is_not_active_yet_is_declined():
    assert ask(issued(made=debit()), 1).code == "card_inactive"


def test_page_asks_for_what_is_on_the_card():
    found = spending()

    assert online(found, 5_00).code == "approved"
    assert online(found, 5_00, code=None).code == "code_missing"
    assert online(found, 5_00, expires=(2020, 1)).code == "wrong_expiry"
    assert online(found, 5_00, code=Secret("12")).code == "wrong_code"
    assert ask(found, 5_00, entry=Entry.RECURRING).code == "approved"


def test_code_of_the_hour_before_is_right_for_some_minutes(monkeypatch):
    purse = wallet(100_00)
    found = card(purse.member, product("hourly", kind="debit", code_kind="hourly"))
    hours = [clock.now().replace(minute=0, second=0) + timedelta(hours=each) for each in range(9)]
    hour = next(each for each in hours if codes.of(found, each - timedelta(hours=1)) != codes.of(found, each))
    before = codes.of(found, hour - timedelta(seconds=5))

    for late, heard in ((timedelta(seconds=5), "approved"), (codes.GRACE, "wrong_code")):
        monkeypatch.setattr(clock, "now", lambda late=late: hour + late)
        assert online(found, 1_00, code=before).code == heard
        assert online(found, 1_00).code == "approved"


def test_wrong_codes_one_after_the_other_block_the_card():
    found = spending()
    wrong = Secret("000x")
    for _ in range(CODE_TRIES - 1):
        online(found, 1, code=wrong)
    assert online(found, 1).code == "approved"
    for _ in range(CODE_TRIES):
        assert online(found, 1, code=wrong).code == "wrong_code"

    found.refresh_from_db()
    assert (found.state, online(found, 1).code) == ("blocked", "card_blocked")
    assert Notice.objects.filter(member=found.member, kind="card_blocked").count() == 1
    life.unblock(card=found, by=STAFF, reason="test")
    assert online(found, 1).code == "approved"


def test_card_for_one_use_closes_at_the_first_and_what_is_left_on_it_goes_back():
    found = loaded(50_00, use=Card.Use.SINGLE)

    assert ask(found, 0).code == "approved"
    assert ask(found, 20_00, reference="one").code == "approved"

    found.refresh_from_db()
    assert (found.state, stands(found)) == ("closed", (20_00, 20_00))
    assert ask(found, 1).code == "card_closed"
    assert tell("capture", found, 15_00, reference="one", final=True).state == "captured"
    assert stands(found) == (0, 0)


def test_card_for_one_use_may_become_more_of_the_same():
    found = card(wallet(100_00).member, debit(), use=Card.Use.SINGLE)
    ask(found, 20_00, reference="one", merchant=HOTEL)

    assert more(found, 5_00, reference="one", merchant=HOTEL).code == "approved"
    assert more(found, 5_00, reference="another").code == "card_closed"
    assert stands(found) == (100_00, 28_75)


def test_card_for_so_many_uses_counts_what_was_approved():
    found = card(wallet(100_00).member, debit(), use=Card.Use.TIMES, times=2)

    assert [ask(found, 200_00).code, ask(found, 1).code, ask(found, 1).code, ask(found, 1).code] == [
        "insufficient_funds",
        "approved",
        "approved",
        "used_up",
    ]


def test_card_for_one_merchant_is_the_first_ones():
    found = card(wallet(100_00).member, debit(), use=Card.Use.MERCHANT)

    assert ask(found, 1, merchant=DINER).code == "approved"
    assert ask(found, 1, merchant=SHOP).code == "other_merchant"
    assert ask(found, 1, merchant=DINER).code == "approved"


def test_card_for_one_kind_of_merchants():
    found = card(wallet(100_00).member, debit(), use=Card.Use.CATEGORY, category="5812")

    assert (ask(found, 1, merchant=DINER).code, ask(found, 1).code) == ("approved", "other_category")


def test_card_for_a_subscription_pays_one_merchant_one_amount_a_month():
    found = card(wallet(100_00).member, debit(), use=Card.Use.SUBSCRIPTION)

    assert ask(found, 10_00).code == "approved"
    assert ask(found, 10_00).code == "already_paid"
    assert ask(found, 10_00, merchant=DINER).code == "other_merchant"
    assert ask(found, 10_01).code == "other_amount"


@pytest.mark.parametrize(("every", "early", "due"), [("week", 5, 7), ("month", 26, 28), ("year", 350, 365)])
def test_subscription_is_due_again_when_its_time_has_come(every, early, due):
    found = card(wallet(100_00).member, debit(validity=2, validity_unit="years"), use="subscription", every=every)
    first = clock.now()
    ask(found, 10_00)

    with clock.standing(first + timedelta(days=early)):
        assert ask(found, 10_00).code == "already_paid"
    with clock.standing(first + timedelta(days=due)):
        assert ask(found, 10_00).code == "approved"


def test_subscription_costs_the_same_at_the_merchant_whatever_the_rate():
    found = card(wallet(500_00).member, debit(validity=2, validity_unit="years"), use=Card.Use.SUBSCRIPTION)
    rate("EUR", "CNY", "8")
    assert ask(found, Money(10_00, "EUR")).code == "approved"

    with clock.standing(clock.now() + timedelta(days=30)):
        rate("EUR", "CNY", "9")
        assert ask(found, cny(10_00)).code == "other_amount"
        assert ask(found, Money(10_01, "EUR")).code == "other_amount"
        assert ask(found, Money(10_00, "EUR")).approved == cny(90_00)
    found.refresh_from_db()
    assert found.fixed == Money(10_00, "EUR")


def test_part_is_approved_where_that_helps():
    found = spending(30_00)

    assert ask(found, 50_00).code == "insufficient_funds"
    answer = ask(found, 50_00, partial=True, message_id="part", reference="part")

    assert (answer.outcome, answer.approved, answer.at_merchant) == ("partial", cny(30_00), cny(30_00))
    assert stands(found) == (30_00, 30_00)
    assert ask(found, 50_00, partial=True).outcome == "declined"
    again = ask(found, 50_00, partial=True, message_id="part", reference="part")
    assert (again.receipt, again.approved, again.at_merchant) == (answer.receipt, cny(30_00), cny(30_00))


def test_limits_of_the_member_count_cards_too():
    holder = someone(level=1)
    cap(10**9, measure="balance", period="always")
    cap(10**9, kind="transfer")
    cap(20_00, kind="card")
    purse = wallet(100_00, of=holder)
    found = card(holder, debit())

    assert (ask(found, 15_00, reference="one").code, ask(found, 6_00).code) == ("approved", "member_limit")
    tell("reverse", found, None, reference="one")
    assert ask(found, 20_00).code == "approved"
    assert purse.member == holder


def test_cash_costs_what_the_product_says():
    found = card(wallet(100_00).member, debit(cash_fee_minor=1_00, cash_fee_bp=100))

    pin = Secret("4071")
    card_pins.set_pin(card=found, new=pin, by=by(found), channel=Channel.WEB, signed_in=timedelta(0))
    assert ask(found, 50_00, merchant=CASH).code == "pin_missing"
    answer = ask(found, 50_00, merchant=CASH, entry=Entry.CHIP, reference="cash", pin=pin)
    tell("capture", found, 50_00, merchant=CASH, entry=Entry.ATM, reference="cash", final=True)

    assert answer.approved == cny(51_50)
    assert stands(found) == (48_50, 0)
    assert CardMessage.objects.get(kind="capture").fee_minor == 1_50


def test_other_currencies_are_counted_at_our_rate_with_the_products_margin():
    found = card(wallet(1_000_00).member, debit(fx_margin_bp=200))
    rate("EUR", "CNY", "8")

    assert ask(found, Money(10_00, "USD")).code == "no_rate"
    answer = ask(found, Money(10_00, "EUR"), reference="trip")
    assert (answer.approved, answer.at_merchant) == (cny(81_60), Money(10_00, "EUR"))
    tell("capture", found, Money(10_00, "EUR"), reference="trip", final=True)

    message = CardMessage.objects.get(kind="capture")
    kept = (message.merchant_minor, message.settlement_minor, message.card_minor, message.margin_minor, message.rate)
    assert kept == (10_00, 10_00, 81_60, 1_60, "8")
    assert stands(found) == (918_40, 0)
    tell("refund", found, Money(10_00, "EUR"), reference="trip")
    # What we earned by it stays.
    assert (stands(found), use("trip").state) == ((998_40, 0), "refunded")


def test_receipt_says_what_was_looked_at_and_what_was_seen():
    found = spending(100_00)
    ask(found, 30_00)

    good, bad = ask(found, 20_00), ask(found, 90_00)

    receipts = {each: DecisionReceipt.objects.get(pk=each.receipt) for each in (good, bad)}
    names = ["card", "security", "use", "controls", "rate", "card_limits", "member_limits", "funds"]
    assert [check["check"] for check in receipts[good].checks] == names
    assert all(check["passed"] for check in receipts[good].checks)
    assert receipts[good].seen == {"posted": 100_00, "held": 30_00, "aside": 20_00, "controls": []}
    assert receipts[bad].checks[-1] == {
        "check": "funds",
        "passed": False,
        "code": "insufficient_funds",
        "available": {"amount": 50_00, "currency": "CNY"},
        "asked": {"amount": 90_00, "currency": "CNY"},
    }
    assert {row["scope"] for row in receipts[good].limits} == {"limits"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"processor": ""},
        {"message_id": "x" * 65},
        {"reference": "\n"},
        {"merchant": SHOP.__class__(id="", name="x", category="5411", country="CN")},
        {"merchant": SHOP.__class__(id="a", name="x", category="54", country="CN")},
        {"merchant": SHOP.__class__(id="a", name="x", category="5411", country="cn")},
        {"amount": Money(1, "PTS")},
        {"settlement": Money(-1, "CNY")},
        {"number": None},
        {"expires": (2030, 13)},
    ],
)
def test_message_that_no_processor_could_mean_is_refused(wrong):
    found = spending()

    with pytest.raises(MessageMalformed):
        ask(found, **{"amount": 1, **wrong})
    assert not CardMessage.objects.exists()


@pytest.mark.parametrize("part", ["processor", "message_id", "reference"])
@pytest.mark.parametrize("before", ["", "m"])
def test_id_that_is_a_card_number_is_refused(part, before):
    found = spending()
    number = found.number.decrypt().reveal()

    with pytest.raises(MessageMalformed) as caught:
        ask(found, 1, **{part: before + number})

    assert number not in str(caught.value)
    assert not CardMessage.objects.exists()


def test_long_number_that_reads_like_a_card_number_is_an_id_as_any():
    """One in ten of those by which networks count does."""
    about = {"message_id": "425912345674", "reference": "4111111111111111"}

    assert ask(spending(), 1, **about).code == "approved"


@pytest.mark.parametrize("name", ["Shop {}", "Shop{}", "Shop 4111 1111 1111 1111"])
def test_card_number_in_what_a_merchant_wrote_is_hidden(name):
    found = spending()
    number = found.number.decrypt().reveal()
    merchant = Merchant(id="m", name=name.format(number), category="5411", country="CN", city=number)

    ask(found, 1_00, reference="r", merchant=merchant)

    assert (use("r").merchant_name.replace(" ", ""), use("r").city) == ("Shop[hidden]", "[hidden]")
    assert number not in repr(list(Notice.objects.values()))


def test_card_number_in_what_a_merchant_wrote_about_no_card_of_ours_is_hidden():
    merchant = Merchant(id="m", name=f"Shop{STRANGER.reveal()}", category="5411", country="CN")

    tell("capture", spending(), 5_00, number=STRANGER, merchant=merchant)

    assert OpenItem.objects.get().why.startswith("Shop[hidden]: ")


def test_reference_of_another_card_is_refused():
    ask(spending(), 1, reference="r")

    with pytest.raises(MessageMalformed):
        ask(spending(), 1, reference="r")


def test_what_is_taken_of_a_card_that_is_none_of_ours_waits_in_suspense():
    found = spending()
    strange = {"number": Secret("4000001299999999"), "message_id": "m", "reference": "r"}

    for _ in range(2):
        taken = tell("capture", found, 5_00, **strange)
        assert taken.use is None
    tell("refund", found, 2_00, **{**strange, "message_id": "n"})

    assert not CardAuthorisation.objects.exists()
    assert CardMessage.objects.filter(journal__isnull=False).count() == 2


def test_replacement_keeps_what_held_for_the_card():
    found = card(wallet(100_00).member, debit(), use=Card.Use.SUBSCRIPTION)
    ask(found, 10_00)

    new = issuing.replace(card=found, why=issuing.Why.LOST, reference="new", by=by(found), channel=Channel.WEB)

    assert (new.merchant, new.fixed_minor) == (SHOP.id, 10_00)
