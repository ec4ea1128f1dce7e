"""Uses of cards in the back office: found, read in words, and never a number or a code."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from cards.models import Card, CardAuthorisation, CardControls, CardMessage, CardProduct, DecisionReceipt
from cards.services import codes, controls
from cards.services.life import Channel
from members.models import User
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.models import Approval
from tests.cards.factories import card, debit
from tests.cards.using import HOTEL, SHOP, ask, loaded, more, online, spending, tell, use
from tests.factories import cny
from tests.members.limiting import cap, someone
from tests.wallets.deciding import decide
from tests.wallets.factories import wallet

pytestmark = [pytest.mark.django_db, pytest.mark.once]

MODELS = (CardAuthorisation, CardMessage, DecisionReceipt, CardControls)
TERMS = {
    "caps": [
        {"measure": "amount", "span": "day", "most": 300_00},
        {"measure": "count", "span": "last_week", "most": 9},
    ],
    "categories": {"only": ["groceries", "travel", "5812"], "never": ["gambling"]},
    "countries": {"only": ["CN", "HK"]},
    "merchants": {"never": ["m-17"]},
    "entries": ["chip", "ecommerce"],
    "currencies": ["CNY"],
    "hours": [0, 24],
    "weekdays": [0, 1, 2, 3, 4, 5, 6],
}
# Those of all cards of a member say in which currency.
OF_ALL = [{**TERMS["caps"][0], "currency": "CNY"}, TERMS["caps"][1]]


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator@example.com"))
    return client


def page(model, row=None, name=None):
    prefix = f"admin:cards_{model._meta.model_name}"
    if row is None:
        return reverse(f"{prefix}_{name or 'changelist'}")
    return reverse(f"{prefix}_{name or 'change'}", args=[row.pk])


def words(answer) -> str:
    """What a page says, without its marks."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def used(number: int = 0) -> Card:
    """A card with controls that was used in each way."""
    found = spending(900_00)
    by = Actor.of(found.member.user)
    controls.set_for(subject=found, terms=TERMS, by=by, channel=Channel.WEB)
    controls.set_for(subject=found.member, terms={"countries": {"never": ["KP"]}}, by=by, channel=Channel.WEB)
    controls.set_for(subject=found.member, terms={"caps": OF_ALL}, by=by, channel=Channel.WEB)
    ask(found, 100_00, reference=f"stay {number}", merchant=HOTEL)
    more(found, 20_00, reference=f"stay {number}", merchant=HOTEL)
    tell("capture", found, 110_00, reference=f"stay {number}", merchant=HOTEL)
    online(found, 400_00, reference=f"much {number}")
    return found


@pytest.mark.parametrize("model", MODELS)
def test_pages_show_rows_edit_nothing_and_tell_no_number(operator, model):
    found = used()
    secrets = [found.number.decrypt().reveal(), codes.of(found, clock.now()).reveal()]

    pages = [page(model), *(page(model, row) for row in model.objects.all())]

    assert len(pages) > 1
    for address in pages:
        answer = operator.get(address)
        said = re.sub(r'(value|content|nonce|id|src|href)="[^"]*"', "", answer.content.decode())
        assert (answer.status_code, 'name="_save"' in said) == (200, False)
        assert secrets[0] not in said.replace(" ", "")
        assert not re.search(rf"(?<![\w.,-]){secrets[1]}(?![\w.,-])", words(answer))


@pytest.mark.parametrize("model", MODELS)
def test_list_asks_as_often_for_three_cards_as_for_one(operator, model):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(page(model)).status_code == 200
        return len(queries)

    used()
    few = count()
    for number in (1, 2):
        used(number)
    assert count() == few


@pytest.mark.parametrize("model", [Card, CardAuthorisation])
def test_page_asks_as_often_for_many_uses_as_for_few(operator, model):
    found = used()

    def count() -> int:
        row = found if model is Card else use("stay 0")
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(page(model, row)).status_code == 200
        return len(queries)

    count()  # what a process asks once is asked now
    few = count()
    for number in range(4):
        ask(found, 1_00, reference=f"small {number}")
        tell("capture", found, 1_00, reference="stay 0", merchant=HOTEL)
    assert count() == few


def shown(operator, model, term):
    return list(operator.get(page(model), {"q": str(term)}).context["cl"].result_list)


@pytest.mark.parametrize("term", ["reference", "receipt", "id", "four", "handle", "email"])
def test_use_is_found_by_what_an_operator_has_in_hand(operator, term):
    found, _other = used(0), used(1)
    wanted = use("stay 0")
    value = {
        "reference": "stay 0",
        "receipt": DecisionReceipt.objects.filter(message__use=wanted).first().pk,
        "id": wanted.pk,
        "four": found.last_four,
        "handle": found.member.handle,
        "email": found.member.user.email,
    }[term]

    rows = shown(operator, CardAuthorisation, value)

    assert wanted in rows
    assert {row.card_id for row in rows} == {found.pk}
    assert shown(operator, CardAuthorisation, "stay") == []


def test_message_and_receipt_are_found_by_their_ids(operator):
    used(0)
    message = CardMessage.objects.first()

    assert shown(operator, CardMessage, message.message_id) == [message]
    assert shown(operator, CardMessage, message.pk) == [message]
    receipt = DecisionReceipt.objects.first()
    assert shown(operator, DecisionReceipt, receipt.pk) == [receipt]


def test_use_is_told_message_by_message(operator):
    used()
    row = use("stay 0")

    said = words(operator.get(page(CardAuthorisation, row)))

    for part in ("Grand Hotel", "7011 travel and lodging", "CN¥100.00", "CN¥120.00", "CN¥110.00", "question for more"):
        assert part in said
    for message in row.messages.exclude(journal=None):
        assert (
            reverse("admin:ledger_journal_change", args=[message.journal_id])
            in operator.get(page(CardAuthorisation, row)).content.decode()
        )
    assert "CN¥400.00" in words(operator.get(page(CardAuthorisation)))


def test_receipt_is_told_in_the_language_of_its_reader(operator):
    used()
    receipt = DecisionReceipt.objects.get(message__use__reference="much 0")

    said = words(operator.get(page(DecisionReceipt, receipt)))
    for part in (
        "a limit of the card is against it: amount, a day, at most CN¥300.00, CN¥180.00 left (of the card)",
        "exchange rate nothing against it",
        "of all cards of the member amount, a day CN¥300.00 CN¥120.00 CN¥520.00",
        "stood on the account CN¥790.00",
        "A payment at Corner Shop with the card ending in",
        "was declined. It is more than the card may spend.",
    ):
        assert part in said
    with translation.override("zh-hans"):
        told = words(operator.get(page(DecisionReceipt, receipt), headers={"accept-language": "zh-hans"}))
    for part in (
        "超出卡片限额：金额，每日，上限 ¥300.00，剩余 ¥180.00（此卡）",
        "汇率 没有问题",
        "当时账户余额 ¥790.00",
    ):
        assert part in told
    assert [part for part in ("against it", "of the card", "at most", "declined") if part in told] == []


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (lambda c: ask(c, 5_000_00), "there is too little on it: CN¥5,000.00 was asked for, CN¥100.00 was there"),
        (lambda c: online(c, 1_00, code=None), "no security code was given"),
        (lambda c: online(c, 1_00, code=codes.Secret("x")), "another security code was given: 1 in a row"),
        (lambda c: ask(c, 1_00, merchant=HOTEL), "a control of the card is against it: countries (of the card)"),
    ],
)
def test_each_reason_is_told_with_its_facts(operator, asked, why):
    found = spending(100_00)
    if "countries" in why:
        terms = {"countries": {"never": ["CN"]}}
        controls.set_for(subject=found, terms=terms, by=Actor.of(found.member.user), channel=Channel.WEB)
    asked(found)

    assert why in words(operator.get(page(DecisionReceipt, DecisionReceipt.objects.get())))


def test_limit_of_the_member_is_told_by_its_own_sentence(operator):
    holder = someone(level=1)
    cap(10**9, measure="balance", period="always")
    cap(10**9, kind="transfer")
    cap(20_00, kind="card")
    purse = wallet(100_00, of=holder)
    ask(card(purse.member, debit()), 30_00)

    said = words(operator.get(page(DecisionReceipt, DecisionReceipt.objects.get())))

    assert "a limit of the member is against it: This is more than the limit allows (card, amount" in said
    assert "of the member card, amount" in said


def test_subscription_that_costs_more_is_told_with_what_it_may_cost(operator):
    found = card(wallet(100_00).member, debit(), use=Card.Use.SUBSCRIPTION)
    ask(found, 10_00)
    answer = ask(found, 11_00)

    receipt = DecisionReceipt.objects.get(pk=answer.receipt)
    assert "the subscription is for less: at most CN¥10.00" in words(operator.get(page(DecisionReceipt, receipt)))


def test_number_of_nobody_is_shown_as_such(operator):
    found = spending()
    stranger = codes.Secret("4000001299999999")
    answer = ask(found, 1_00, number=stranger)
    tell("capture", found, 1_00, number=stranger)

    for row in (DecisionReceipt.objects.get(pk=answer.receipt), *CardMessage.objects.filter(use=None)):
        said = words(operator.get(page(type(row), row)))
        assert "a card that is none of ours" in said or "there is no such card" in said
        assert stranger.reveal() not in said


def test_page_of_a_card_says_what_it_may_do_what_is_left_and_what_it_did(operator):
    found = used()

    said = words(operator.get(page(Card, found)))

    for part in (
        "for this card amount, a day: at most CN¥300.00",
        "for all cards of the member amount, a day: at most CN¥300.00",
        "of the card amount, a day CN¥300.00 CN¥120.00 CN¥180.00",
        "of the card number of times, within 7 days 9 1 8",
        "Grand Hotel CN¥110.00 CN¥10.00 partly paid",
    ):
        assert part in said


def test_page_of_a_card_says_what_its_member_owes(operator):
    found = loaded(20_00)
    tell("capture", found, 50_00, final=True)

    assert "Owed because of cards CN¥30.00" in words(operator.get(page(Card, found)))


def test_controls_are_read_in_words(operator):
    found = used()
    newest = CardControls.objects.filter(member=found.member).latest("pk")

    assert "amount, a day: at most CN¥300.00" in words(operator.get(page(CardControls, newest)))
    assert "limits, kinds of merchants" in words(operator.get(page(CardControls)))


ANSWERS = {
    "caps-amount.day": "300.00",
    "caps-count.last_week": "9",
    "categories_only": ["groceries", "travel"],
    "categories_only_codes": "5812",
    "categories_never": ["gambling"],
    "countries_only": "cn, hk",
    "merchants_never": "m-17",
    "entries": ["ecommerce", "chip"],
    "currencies": "CNY",
    "hours_first": "0",
    "hours_end": "24",
    "weekdays": ["0", "1", "2", "3", "4", "5", "6"],
    "reason": "as agreed",
}


def same(terms) -> dict:
    return {**terms, "entries": sorted(terms["entries"])}


def test_product_is_told_what_its_cards_may_do_by_two_people(operator):
    made = debit()

    answer = operator.post(page(CardProduct, made, "control"), ANSWERS, follow=True)

    assert not CardControls.objects.exists(), words(answer)
    decide(Approval.objects.get())
    row = CardControls.objects.get()
    assert (row.product, same(row.terms), row.reason) == (made, same(TERMS), "as agreed")
    assert "amount, a day: at most CN¥300.00" in words(operator.get(page(CardProduct, made)))


def test_form_begins_with_what_is_in_force_and_sent_back_changes_nothing(operator):
    made = debit()
    operator.post(page(CardProduct, made, "control"), ANSWERS)
    decide(Approval.objects.get())

    form = operator.get(page(CardProduct, made, "control")).context["form"]

    assert form.initial["caps"] == {"amount.day": "300.00", "count.last_week": "9"}
    again = {name: value for name, value in form.initial.items() if value not in (None, "", [])}
    caps = {f"caps-{cap}": typed for cap, typed in again.pop("caps").items()}
    operator.post(page(CardProduct, made, "control"), {**again, **caps, "reason": "again"})
    decide(Approval.objects.get(state="proposed"))
    assert CardControls.objects.count() == 1


def test_card_is_let_do_more_than_its_product_by_two_people(operator):
    found = spending()
    terms = {"caps-amount.each": "75", "reason": "they asked"}

    operator.post(page(Card, found, "let_more"), terms)
    decide(Approval.objects.get())

    row = CardControls.objects.get()
    assert (row.card, row.raised, row.terms) == (
        found,
        True,
        {"caps": [{"measure": "amount", "span": "each", "most": 75_00}]},
    )
    assert "for this card, in place of the product's amount, each time: at most CN¥75.00" in words(
        operator.get(page(Card, found))
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"caps-amount.day": "lots"}, "is not an amount"),
        ({"caps-count.day": "often"}, "is not a number of times"),
        ({"caps-count.day": "-1"}, "look at its limits"),
        ({"countries_only": "China"}, "look at its countries"),
        ({"categories_only_codes": "12"}, "look at its kinds of merchants"),
        ({"hours_first": "7"}, "Say both hours, or none."),
        ({"hours_first": "7", "hours_end": "7"}, "look at its time of day"),
        ({"entries": ["fax"]}, "fax"),
        ({"reason": ""}, "required"),
    ],
)
def test_set_that_cannot_be_is_refused_with_what_was_typed(operator, wrong, said):
    made = debit()

    answer = operator.post(page(CardProduct, made, "control"), {"reason": "x", "caps-amount.week": "12.50", **wrong})

    assert said in words(answer)
    assert 'value="12.50"' in answer.content.decode()
    assert not Approval.objects.exists()


def test_empty_form_allows_everything(operator):
    made = debit()

    operator.post(page(CardProduct, made, "control"), {"reason": "as it was"})
    decide(Approval.objects.get())

    assert CardControls.objects.get().terms == {}
    assert "everything" in words(operator.get(page(CardProduct, made)))


@pytest.mark.parametrize(("model", "deed"), [(CardProduct, "control"), (Card, "let_more")])
def test_deeds_are_for_those_with_the_right(client, model, deed):
    found = spending()
    row = found if model is Card else found.product
    client.force_login(User.objects.create_user("viewer@example.com", is_staff=True))

    assert client.post(page(model, row, deed), ANSWERS).status_code == 403
    assert not Approval.objects.exists()


def test_where_it_was_is_named(operator):
    found = spending()
    ask(found, cny(1_00), reference="x", merchant=SHOP)

    said = words(operator.get(page(CardAuthorisation, use("x"))))

    assert "Corner Shop" in said
    assert "5411 groceries" in said
