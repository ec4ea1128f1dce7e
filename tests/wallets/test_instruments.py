"""Instruments: what a member saves to pay with, and what of it is kept."""

import inspect
from datetime import date, timedelta

import pytest

from members.models import Notice
from members.services import members
from members.services.members import MemberSuspended
from members.services.notices import sentence
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.errors import DomainError, as_day
from paymentsite.core.vault import Secret
from tests.members.factories import member
from tests.wallets.factories import wallet
from tests.wallets.saved import IBAN, MASTERCARD, VISA, bank_account, card
from wallets import numbers
from wallets.models import BankAccount, Instrument, OutsideCard
from wallets.purposes import Purpose
from wallets.services import bank_accounts, instruments, outside_cards, wallets
from wallets.services.bank_accounts import AccountNotVerified, AccountNumberWrong
from wallets.services.instruments import (
    SAVED_MAX,
    InstrumentNotRemovable,
    InstrumentRemoved,
    InstrumentTaken,
    NoSuchInstrument,
    TooManyInstruments,
)
from wallets.services.outside_cards import CardExpired, CardExpiryWrong, CardNumberWrong, HolderWrong

pytestmark = pytest.mark.django_db

STAFF = Actor("staff", "0")


def card_numbers(count: int) -> list[str]:
    stems = [f"41111111{number:07}" for number in range(count)]
    return [next(f"{stem}{end}" for end in range(10) if numbers.luhn.is_valid(f"{stem}{end}")) for stem in stems]


@pytest.mark.parametrize("number", ["4111111111111112", "", "0000000000000000", "411111111111", "4" * 30, "４" * 16])
def test_what_is_no_card_number_is_refused_and_not_repeated(number):
    with pytest.raises(CardNumberWrong) as refused:
        card(number=number)

    assert refused.value.facts == {}
    assert not Instrument.objects.exists()


def test_expired_card_is_refused_and_one_that_expires_this_month_is_not():
    today = clock.today()
    last_month = today.replace(day=1) - timedelta(days=1)

    with pytest.raises(CardExpired):
        card(year=last_month.year, month=last_month.month)
    assert card(year=today.year, month=today.month).card.expires_on >= today


@pytest.mark.parametrize(("year", "month"), [(2099, 1), (2027, 13), (2027, 0), (27, 1)])
def test_month_that_is_none_is_refused(year, month):
    with pytest.raises(CardExpiryWrong):
        card(year=year, month=month)


@pytest.mark.parametrize("holder", ["", "A", "a" * 81, "Ada\x00Lovelace"])
def test_holder_without_a_name_is_refused(holder):
    with pytest.raises(HolderWrong):
        card(holder=Secret(holder))


def test_security_code_has_nowhere_to_go():
    asked = {name for save in (outside_cards.save, bank_accounts.save) for name in inspect.signature(save).parameters}
    kept = {field.name for model in (Instrument, OutsideCard, BankAccount) for field in model._meta.get_fields()}

    assert not {name for name in asked | kept if "code" in name or "cv" in name} - {"bank_code"}


def test_card_shows_its_last_four_and_no_more():
    saved = card(label="Groceries")

    assert (saved.shown, saved.card.brand, saved.card.last_four) == ("Groceries (Visa ···· 1111)", "visa", "1111")
    assert saved.card.number.decrypt() == Secret("4111111111111111")
    assert "4111111111111111" not in repr(vars(saved.card)) + str(saved.card) + str(saved)


def test_card_number_in_a_label_is_hidden():
    assert "4111" not in card(number=MASTERCARD, label=f"my {VISA}").label


def test_same_card_again_is_the_same_instrument_with_its_new_expiry():
    ada = member()
    first = card(of=ada)

    again = card(of=ada, number=VISA.replace(" ", "-"), holder=Secret("Ada King"), year=clock.today().year + 5)

    assert again == first
    saved = OutsideCard.objects.get()
    assert (saved.expires_on.year, saved.holder.decrypt()) == (clock.today().year + 5, Secret("Ada King"))


def test_same_card_of_two_members_is_two_instruments_and_neither_hears_of_it():
    first, second = card(), card()

    assert first != second
    assert first.card.number_digest == second.card.number_digest
    assert bytes(first.card.number.envelope.raw) != bytes(second.card.number.envelope.raw)


def test_removal_wipes_number_holder_and_digest_and_keeps_the_rest():
    ada = member()
    saved = card(of=ada)

    removed = instruments.remove(instrument=saved, by=SYSTEM)
    instruments.remove(instrument=saved, by=SYSTEM)

    kept = OutsideCard.objects.get()
    assert (kept.number, kept.number_digest, kept.holder, kept.last_four) == (None, None, None, "1111")
    assert (removed.state, removed.default) == ("removed", False)
    with pytest.raises(NoSuchInstrument):
        instruments.get(member=ada, public_id=saved.public_id)
    with pytest.raises(InstrumentRemoved):
        instruments.rename(instrument=saved, label="x", by=SYSTEM)
    assert card(of=ada) != saved


def test_instrument_of_somebody_else_is_not_found():
    saved = card()

    with pytest.raises(NoSuchInstrument):
        instruments.get(member=member(), public_id=saved.public_id)


def test_suspended_member_saves_nothing_but_may_remove():
    ada = member()
    saved = card(of=ada)
    members.suspend(member=ada, by=STAFF, reason="looked into")

    for act in (
        lambda: card(of=ada, number=MASTERCARD),
        lambda: bank_account(of=ada),
        lambda: instruments.set_default(instrument=saved, by=SYSTEM),
        lambda: instruments.register(member=ada, kind=Instrument.Kind.OWN_CARD, source="card:1", by=SYSTEM),
    ):
        with pytest.raises(MemberSuspended):
            act()
    assert instruments.remove(instrument=saved, by=SYSTEM).state == "removed"


def test_first_of_its_kind_is_default_and_removing_it_leaves_the_next():
    ada = member()
    first, second, third = (card(of=ada, number=number) for number in card_numbers(3))

    instruments.set_default(instrument=third, by=SYSTEM)
    assert list(Instrument.objects.filter(kind="card", default=True)) == [third]
    instruments.remove(instrument=third, by=SYSTEM)
    assert list(Instrument.objects.filter(kind="card", default=True)) == [first]
    instruments.remove(instrument=second, by=SYSTEM)
    assert list(Instrument.objects.filter(kind="card", default=True)) == [first]


def test_no_more_than_so_many_are_saved():
    ada = member()
    for number in card_numbers(SAVED_MAX):
        card(of=ada, number=number)

    with pytest.raises(TooManyInstruments):
        bank_account(of=ada)


def test_wallet_is_an_instrument_as_long_as_it_is_there():
    purse = wallet()

    assert (purse.instrument.kind, purse.instrument.verified, purse.instrument.shown) == ("wallet", True, "CNY")
    with pytest.raises(InstrumentNotRemovable):
        instruments.remove(instrument=purse.instrument, by=SYSTEM)
    wallets.close(wallet=purse, by=STAFF, reason="not needed")
    assert Instrument.objects.get().state == "removed"


def test_own_card_is_registered_once_by_its_member():
    ada = member()

    first, again = (
        instruments.register(member=ada, kind=Instrument.Kind.OWN_CARD, source="card:1", by=SYSTEM) for _ in range(2)
    )

    assert first == again
    with pytest.raises(InstrumentTaken):
        instruments.register(member=member(), kind=Instrument.Kind.OWN_CARD, source="card:1", by=SYSTEM)
    instruments.unregister(source="card:1", by=SYSTEM)
    instruments.unregister(source="card:1", by=SYSTEM)
    assert Instrument.objects.get(source="card:1").state == "removed"


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"number": "DE89 3704 0044 0532 0130 01"}, "number"),
        ({"number": "XX00"}, "number"),
        ({"number": IBAN, "bic": "NOBANK"}, "bic"),
        ({"number": "12345678", "country": "US", "bank_code": "021000020"}, "bank"),
        ({"number": "6222020200112230012", "country": "CN", "bank_code": "123"}, "bank"),
        ({"number": "6222", "country": "china", "bank_code": "102100099996"}, "country"),
        ({"number": "1'; --", "country": "CN", "bank_code": "102100099996"}, "number"),
    ],
)
def test_what_is_no_account_is_refused_and_not_repeated(fields, part):
    with pytest.raises(AccountNumberWrong) as refused:
        bank_account(**fields)

    assert refused.value.facts == {"part": part}


def test_account_by_number_and_bank_is_handed_on_as_it_was_given():
    saved = bank_account(
        number="6222 0202 0011 2230 012", country="CN", bank_code="102100099996", currency="CNY", bic="ICBKCNBJ"
    )

    handed = bank_accounts.number_of(saved)
    assert (handed.number, handed.bank_code, handed.scheme) == ("6222020200112230012", "102100099996", "domestic")
    assert (saved.shown, saved.bank_account.bic) == ("CN ···· 0012", "ICBKCNBJ")


def test_account_is_one_instrument_for_each_currency():
    ada = member()

    first, again, dollars = (bank_account(of=ada, currency=currency) for currency in ("EUR", "EUR", "USD"))

    assert (first == again, first == dollars) == (True, False)


def test_verified_account_keeps_the_holder_it_was_verified_with():
    ada = member()
    bank_account(of=ada, verified=True)

    bank_account(of=ada, holder=Secret("Mallory"))

    assert BankAccount.objects.get().holder.decrypt() == Secret("Ada Lovelace")


def test_what_may_be_chosen_depends_on_purpose_and_currency():
    ada = member()
    yuan, euros = wallet(of=ada), wallet(of=ada, currency="EUR")
    own = instruments.register(member=ada, kind=Instrument.Kind.OWN_CARD, source="card:1", by=SYSTEM)
    visa, verified = card(of=ada), bank_account(of=ada, verified=True)
    bank_account(of=ada, number="GB82 WEST 1234 5698 7654 32")
    wallet(of=member(), currency="EUR")

    def chosen(purpose: Purpose, currency: str) -> set[Instrument]:
        return set(instruments.usable(member=ada, purpose=purpose, currency=currency))

    assert chosen(Purpose.PAY, "EUR") == {euros.instrument, own, visa}
    assert chosen(Purpose.TOP_UP, "EUR") == {visa, verified}
    assert chosen(Purpose.WITHDRAW, "EUR") == {verified}
    assert chosen(Purpose.WITHDRAW, "CNY") == set()
    wallets.freeze(wallet=yuan, by=STAFF, reason="asked")
    assert chosen(Purpose.PAY, "CNY") == {own, visa}


def test_choosing_asks_one_question_however_much_there_is(django_assert_num_queries):
    ada = member()
    wallet(of=ada, currency="EUR")
    for number in card_numbers(3):
        card(of=ada, number=number)

    with django_assert_num_queries(2):  # the other reads the sandbox's clock
        shown = [found.shown for found in instruments.usable(member=ada, purpose=Purpose.PAY, currency="EUR")]
    assert len(shown) == 4


@pytest.mark.parametrize("make", [bank_account, card, lambda: wallet().instrument])
def test_money_is_sent_to_verified_accounts_only(make):
    with pytest.raises(AccountNotVerified):
        bank_accounts.check_verified(make())


def test_member_is_told_of_an_expiring_card_once():
    ada = member()
    saved = card(of=ada, year=2026, month=12) if clock.today() < date(2026, 12, 1) else None
    if saved is None:
        saved = card(of=ada)
    last = saved.card.expires_on
    month_before = clock.now() + (last - timedelta(days=30) - clock.today())

    told = [outside_cards.warn_of_expiring(now=month_before + timedelta(days=days)) for days in (-1, 0, 1, 31)]

    assert told == [0, 1, 1, 0]
    assert sentence(Notice.objects.get()) == (
        f"Your card visa ···· 1111 can be used until {as_day(last)}. Save its successor in time."
    )


def test_removed_card_expires_in_peace():
    saved = card(year=clock.today().year, month=clock.today().month)
    instruments.remove(instrument=saved, by=SYSTEM)

    assert outside_cards.warn_of_expiring(now=clock.now()) == 0


def test_refusals_name_no_number():
    for refused in (lambda: card(number="4111111111111112"), lambda: bank_account(number="DE8937040044053201")):
        with pytest.raises(DomainError) as refusal:
            refused()
        assert not any(character.isdigit() for character in f"{refusal.value}{refusal.value.facts}")
