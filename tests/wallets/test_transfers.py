"""Transfers: what is refused, what is repeated, what is seen by whom, and what moves."""

import pytest

from members.models import Member, Notice
from members.services import limits, members, notices, pins
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.errors import DomainError
from paymentsite.core.money import Money
from paymentsite.core.units import OWN_UNITS
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Balance, Journal
from paymentsite.ledger.refusals import AccountNotOpen, InsufficientFunds
from tests.factories import fund
from tests.members.factories import member
from tests.members.limiting import cap
from tests.wallets.factories import holds, sent, wallet
from wallets import telling
from wallets.models import Wallet
from wallets.services import transfers, wallets
from wallets.services.transfers import NoSuchTransfer, PayeeCannotReceive, ToOneself
from wallets.services.wallets import NoCurrency, NoSuchWallet, WalletFrozen
from wallets.services.wording import NoteTooLong, NothingToMove, ReferenceMalformed, ReferenceTaken

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")


def suspended() -> Member:
    return members.suspend(member=member(), by=STAFF, reason="asked")


def closed() -> Member:
    return members.close(member=member(), by=STAFF, reason="gone")


def refused(refusal: type[DomainError], rows, *arguments, **fields) -> DomainError:
    """The refusal, after which no row is other than before."""
    before = rows()
    with pytest.raises(refusal) as caught:
        sent(*arguments, **fields)
    assert rows() == before
    return caught.value


@pytest.mark.parametrize("nobody", [None, closed], ids=["nobody", "closed member"])
def test_who_cannot_receive_and_who_does_not_exist_are_refused_alike(rows, nobody):
    purse = wallet(500)

    refusal = refused(PayeeCannotReceive, rows, 100, sender=purse, to=nobody and nobody())

    assert refusal.facts == {}


def test_payee_who_would_hold_too_much_is_refused_in_the_same_words(rows):
    purse, ada = wallet(500), member()
    cap(99, measure="balance", period="always", member=ada)

    assert refused(PayeeCannotReceive, rows, 100, sender=purse, to=ada).facts == {}
    assert sent(99, sender=purse, to=ada, reference="less").amount_minor == 99


def test_limit_of_the_sender_is_named_and_what_was_refused_counts_not(rows):
    purse = wallet(500)
    cap(100)

    refused(limits.LimitExceeded, rows, 101, sender=purse, to=member())


def frozen() -> Member:
    account = wallet().account
    ledger.set_status(account=account, status=Balance.Status.FROZEN, by=STAFF, reason="court")
    return Member.objects.get(pk=account.owner.removeprefix("member:"))


def full() -> Member:
    ada = member()
    cap(99, measure="balance", period="always", member=ada)
    return ada


@pytest.mark.parametrize("payee", [lambda: None, closed, frozen, full], ids=["none", "closed", "frozen", "full"])
@pytest.mark.parametrize("holding", [0, 500])
def test_answer_is_the_senders_whoever_the_payee_is(rows, holding, payee):
    purse = wallet(holding)

    for _ in range(2):
        answer = refused(PayeeCannotReceive if holding else InsufficientFunds, rows, 100, sender=purse, to=payee())

        none, much = {"amount": 0, "currency": "CNY"}, {"amount": 100, "currency": "CNY"}
        short = {"account": str(purse.account.public_id), "available": none, "asked": much, "short": much}
        assert (answer.code, str(answer), answer.facts) == (
            ("payee_cannot_receive", "This cannot be sent to that payee.", {})
            if holding
            else ("insufficient_funds", "0.00 CNY available, 1.00 CNY asked for: 1.00 CNY short.", short)
        )


def test_limit_of_the_sender_comes_before_the_payee(rows):
    cap(99)

    refused(limits.LimitExceeded, rows, 100, sender=wallet(500), to=None)


def test_frozen_account_of_the_sender_is_told_to_them(rows):
    purse = wallet(500)
    ledger.set_status(account=purse.account, status=Balance.Status.FROZEN, by=STAFF, reason="court")

    assert refused(AccountNotOpen, rows, 100, sender=purse, to=None).facts == {
        "account": str(purse.account.public_id),
        "status": "frozen",
    }


def test_more_than_there_is_is_refused_until_there_is_enough(rows):
    purse, ada = wallet(99), member()
    wallet(of=ada)

    refused(InsufficientFunds, rows, 100, sender=purse, to=ada)
    fund(purse.account, 1)

    assert not Journal.objects.refused().exists()
    assert sent(100, sender=purse, to=ada).amount_minor == 100


@pytest.mark.parametrize("minor", [0, -1])
def test_nothing_cannot_be_sent(rows, minor):
    refused(NothingToMove, rows, minor, sender=wallet(5), to=member())


@pytest.mark.parametrize("unit", sorted(OWN_UNITS))
def test_points_are_not_sent(unit):
    purse = wallet(5)

    with pytest.raises(NoCurrency):
        transfers.send(sender=purse.member, payee=member(), amount=Money(1, unit), reference="r", by=SYSTEM)


def test_money_is_not_sent_to_oneself(rows):
    purse = wallet(5)

    refused(ToOneself, rows, 1, sender=purse, to=purse.member)


def test_suspended_member_sends_nothing(rows):
    purse = wallet(500)
    members.suspend(member=purse.member, by=STAFF, reason="asked")

    refused(members.MemberSuspended, rows, 100, sender=purse, to=member())


def test_frozen_wallet_sends_nothing(rows):
    purse = wallet(500)
    wallets.freeze(wallet=purse, by=STAFF, reason="asked")

    refused(WalletFrozen, rows, 100, sender=purse, to=member())


def test_who_has_no_wallet_in_the_currency_sends_nothing_of_it(rows):
    purse = wallet(500)
    purse.currency = "EUR"

    refused(NoSuchWallet, rows, 100, sender=purse, to=member())


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"note": "x" * 141}, NoteTooLong),
        ({"reference": ""}, ReferenceMalformed),
        ({"reference": "x" * 101}, ReferenceMalformed),
        ({"reference": "a\nb"}, ReferenceMalformed),
        ({"reference": "4111 1111 1111 1111"}, ReferenceMalformed),
        ({"reference": "rent, card 4111111111111111"}, ReferenceMalformed),
    ],
)
def test_words_that_do_not_fit_are_refused(rows, fields, refusal):
    refused(refusal, rows, 100, sender=wallet(500), to=member(), **fields)


def test_much_takes_the_pin_and_little_does_not(rows, settings):
    settings.TRANSFER_PIN_ABOVE = {"CNY": 100}
    purse, ada = wallet(500), member()

    refused(pins.PinMissing, rows, 101, sender=purse, to=ada)

    assert sent(100, sender=purse, to=ada).amount == Money(100, "CNY")


def test_any_amount_takes_the_pin_where_no_threshold_is_set(rows, settings):
    settings.TRANSFER_PIN_ABOVE = {"CNY": 100}

    refused(pins.PinMissing, rows, 1, sender=wallet(500, currency="KWD"), to=member())


def test_repeated_reference_returns_the_first_transfer(rows):
    purse, ada = wallet(500), member()
    first = sent(100, sender=purse, to=ada, note="rent")
    before = rows()

    assert sent(100, sender=purse, to=ada, note="rent") == first
    assert rows() == before


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"amount": 101}, ["amount"]),
        ({"note": "other"}, ["note"]),
        ({"to": "other"}, ["receiver"]),
        ({"amount": 1, "note": "other"}, ["amount", "note"]),
    ],
)
def test_reference_used_for_something_else_names_the_fields(rows, change, fields):
    purse, asked = wallet(500), {"amount": 100, "to": member(), "note": "rent"}
    sent(asked.pop("amount"), sender=purse, **asked)
    change = {"amount": 100, **asked, **change}
    if change["to"] == "other":
        change["to"] = member()

    conflict = refused(ReferenceTaken, rows, change.pop("amount"), sender=purse, **change)

    assert conflict.facts == {"reference": "r", "fields": fields}


def test_reference_of_another_member_is_their_own():
    one, other, ada = wallet(500), wallet(500), member()

    assert sent(100, sender=one, to=ada) != sent(200, sender=other, to=ada)


def test_transfer_of_others_is_not_found():
    transfer = sent(100, sender=wallet(500), to=member())

    with pytest.raises(NoSuchTransfer):
        transfers.of(member=member(), public_id=transfer.public_id)
    assert transfers.of(member=transfer.receiver, public_id=transfer.public_id) == transfer


def test_money_goes_over_and_the_payees_wallet_is_opened_for_it():
    purse, ada = wallet(500), member()

    transfer = sent(120, sender=purse, to=ada)

    assert (holds(purse), holds(wallets.of(member=ada, currency="CNY"))) == (Money(380, "CNY"), Money(120, "CNY"))
    journal = transfer.journal
    assert (journal.source, journal.kind, journal.actor) == (
        f"transfer:{transfer.public_id}",
        "transfer",
        str(Actor.of(purse.member.user)),
    )


@pytest.mark.parametrize("state", ["suspended", "frozen"])
def test_what_comes_in_is_kept(state):
    target = wallet()
    if state == "suspended":
        members.suspend(member=target.member, by=STAFF, reason="asked")
    else:
        wallets.freeze(wallet=target, by=STAFF, reason="asked")

    sent(100, sender=wallet(500), to=target.member)

    assert holds(target) == Money(100, "CNY")


def test_closed_wallet_is_followed_by_another():
    target = wallet()
    wallets.close(wallet=target, by=STAFF, reason="not needed")

    sent(100, sender=wallet(500), to=target.member)

    assert holds(target) == Money(0, "CNY")
    assert holds(Wallet.objects.of(target.member).open().get()) == Money(100, "CNY")


def test_note_is_kept_on_one_line_without_card_numbers():
    transfer = sent(100, sender=wallet(500), to=member(), note=" my card\n 4111 1111 1111 1111 ")

    assert transfer.note.startswith("my card ")
    assert "4111 1111" not in transfer.note


def test_both_are_told_and_a_repetition_tells_nobody_again():
    purse, ada = wallet(500, handle="bob"), member(handle="ada")
    sent(100, sender=purse, to=ada)
    sent(100, sender=purse, to=ada)

    assert [(n.member_id, notices.sentence(n)) for n in Notice.objects.order_by("pk")] == [
        (ada.pk, "@bob sent you 1.00 CNY."),
        (purse.member_id, "You sent 1.00 CNY to @ada."),
    ]


def test_statement_tells_it_to_each_from_where_they_stand():
    purse, ada = wallet(500, handle="bob"), member(handle="ada")
    journal = sent(100, sender=purse, to=ada, note="rent").journal

    said = [telling.told([journal], who)[journal.pk] for who in (purse.member, ada)]

    assert [(told.words, told.counterparty) for told in said] == [
        ("Sent to @ada: rent", "@ada"),
        ("Received from @bob: rent", "@bob"),
    ]
