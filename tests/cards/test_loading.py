"""What is put onto a prepaid card and comes off it again: exactly that, once, and all of it in the end."""

from datetime import timedelta

import pytest

from cards.models import Card, CardLoad
from cards.services import ending, issuing, life, loading
from cards.services.issuing import Why
from cards.services.life import CardEnded, Channel
from cards.services.loading import NotPrepaid, WrongCurrency
from members.services import members
from members.services.limits import BalanceLimitExceeded
from members.services.members import MemberSuspended
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Hold
from paymentsite.ledger.refusals import InsufficientFunds
from tests.cards.factories import card, debit, issued
from tests.factories import cny
from tests.members.limiting import cap
from tests.verified import clean
from tests.wallets.factories import holds, wallet
from wallets.models import Wallet
from wallets.queries import statements
from wallets.services import wallets
from wallets.services.wording import NothingToMove, ReferenceTaken

pytestmark = pytest.mark.django_db


def by(found: Card) -> Actor:
    return Actor.of(found.member.user)


def loaded(minor: int = 30_00, holding: int = 100_00) -> tuple[Card, Wallet]:
    """A card with something on it, and the wallet that it came from."""
    purse = wallet(holding)
    found = card(purse.member)
    loading.load(card=found, amount=cny(minor), reference="l", by=by(found))
    return found, purse


def on(found: Card) -> Money:
    return books.standing(found.account).posted


def test_what_is_loaded_has_left_the_wallet_and_comes_back():
    found, purse = loaded()
    assert (on(found), holds(purse)) == (cny(30_00), cny(70_00))

    made = loading.unload(card=found, amount=cny(10_00), reference="u", by=by(found))

    assert (made.way, made.amount, on(found), holds(purse)) == ("off", cny(10_00), cny(20_00), cny(80_00))
    assert clean()


def test_reference_is_one_load():
    found, purse = loaded()

    again = loading.load(card=found, amount=cny(30_00), reference="l", by=by(found))

    assert (CardLoad.objects.get(), holds(purse)) == (again, cny(70_00))
    with pytest.raises(ReferenceTaken):
        loading.load(card=found, amount=cny(30_01), reference="l", by=by(found))
    with pytest.raises(ReferenceTaken):
        loading.unload(card=found, amount=cny(30_00), reference="l", by=by(found))


def test_first_answer_is_given_whatever_became_of_card_and_wallet():
    found, purse = loaded()
    first = CardLoad.objects.get()
    wallets.freeze(wallet=purse, by=SYSTEM, reason="doubt")
    ending.close(card=found, by=SYSTEM, channel=Channel.ADMIN, reason="over")

    assert loading.load(card=found, amount=cny(30_00), reference="l", by=by(found)) == first


def test_no_more_is_loaded_than_there_is_and_none_comes_off_that_is_not_on_it():
    found, purse = loaded()

    with pytest.raises(InsufficientFunds):
        loading.load(card=found, amount=cny(70_01), reference="m", by=by(found))
    with pytest.raises(InsufficientFunds):
        loading.unload(card=found, amount=cny(30_01), reference="n", by=by(found))

    assert (on(found), holds(purse), CardLoad.objects.count()) == (cny(30_00), cny(70_00), 1)


def test_what_is_on_hold_stays_on_the_card():
    found, purse = loaded()
    ledger.post(ledger.Place(cny(25_00), found.account), reference="hold", scope="test")

    with pytest.raises(InsufficientFunds):
        loading.unload(card=found, amount=cny(5_01), reference="u", by=by(found))
    ending.close(card=found, by=by(found), channel=Channel.WEB)

    assert (on(found), holds(purse)) == (cny(25_00), cny(75_00))


@pytest.mark.parametrize(
    ("amount", "refusal"), [(cny(0), NothingToMove), (cny(-1), NothingToMove), (Money(1, "USD"), WrongCurrency)]
)
def test_what_is_no_amount_of_the_card_is_refused(amount, refusal):
    found, _purse = loaded()

    for work in (loading.load, loading.unload):
        with pytest.raises(refusal):
            work(card=found, amount=amount, reference="x", by=by(found))


def test_debit_card_is_not_loaded():
    purse = wallet(10_00)
    found = card(purse.member, debit())

    for work in (loading.load, loading.unload):
        with pytest.raises(NotPrepaid):
            work(card=found, amount=cny(1), reference="x", by=by(found))


def test_suspended_member_moves_nothing_and_a_frozen_wallet_takes_back_alone():
    found, purse = loaded()
    wallets.freeze(wallet=purse, by=SYSTEM, reason="doubt")

    with pytest.raises(wallets.WalletFrozen):
        loading.load(card=found, amount=cny(1), reference="x", by=by(found))
    loading.unload(card=found, amount=cny(1), reference="y", by=by(found))
    members.suspend(member=found.member, by=SYSTEM, reason="doubt")

    with pytest.raises(MemberSuspended):
        loading.unload(card=found, amount=cny(1), reference="z", by=by(found))
    assert (on(found), holds(purse)) == (cny(29_99), cny(70_01))


def test_wallet_takes_back_no_more_than_may_be_held_but_all_of_it_when_the_card_is_over():
    found, purse = loaded()
    cap(75_00, measure="balance", period="always", currency="CNY", member=purse.member)

    with pytest.raises(BalanceLimitExceeded):
        loading.unload(card=found, amount=cny(5_01), reference="u", by=by(found))
    ending.close(card=found, by=by(found), channel=Channel.WEB)

    assert (on(found), holds(purse)) == (cny(0), cny(100_00))


@pytest.mark.parametrize("how", ["closed by its member", "closed by us", "expired"])
def test_what_is_on_it_in_the_end_is_the_members(how):
    found, purse = loaded()
    match how:
        case "closed by its member":
            ending.close(card=found, by=by(found), channel=Channel.WEB)
        case "closed by us":
            members.suspend(member=found.member, by=SYSTEM, reason="doubt")
            ending.close(card=found, by=SYSTEM, channel=Channel.ADMIN, reason="over")
        case "expired":
            ending.expire(card=found, today=found.expires_on + timedelta(days=1))

    assert (on(found), holds(purse), CardLoad.objects.get(way="end").amount) == (cny(0), cny(100_00), cny(30_00))
    with pytest.raises((CardEnded, MemberSuspended)):
        loading.load(card=found, amount=cny(1), reference="x", by=by(found))
    assert clean()


@pytest.mark.parametrize("reference", ["end 1", "end", "1"])
def test_no_reference_of_a_member_keeps_their_card_from_ending(reference):
    found, purse = loaded()
    loading.unload(card=found, amount=cny(10_00), reference=reference, by=by(found))

    ending.close(card=found, by=by(found), channel=Channel.WEB)

    assert (on(found), holds(purse)) == (cny(0), cny(100_00))
    assert list(CardLoad.objects.order_by("pk").values_list("way", "reference")) == [
        ("on", "l"),
        ("off", reference),
        ("end", ""),
    ]
    assert clean()


def test_what_comes_free_on_a_card_that_is_over_is_given_back_each_time():
    found, purse = loaded()
    held = ledger.post(ledger.Place(cny(20_00), found.account), reference="hold", scope="test").holds[0]
    ending.close(card=found, by=by(found), channel=Channel.WEB)
    hold = Hold.objects.select_related("account").get(pk=held)
    for part in ("first", "second"):
        ledger.post(ledger.Release(hold, cny(10_00)), reference=part, scope="test")
        loading.give_back(Card.objects.get(pk=found.pk))

    assert (on(found), holds(purse), CardLoad.objects.filter(way="end").count()) == (cny(0), cny(100_00), 3)
    assert clean()


def test_successor_has_what_was_on_its_card():
    found, purse = loaded()
    new = issuing.replace(card=found, why=Why.LOST, reference="n", by=by(found), channel=Channel.WEB)

    assert (loading.left_on(new), holds(purse)) == (cny(30_00), cny(70_00))
    life.activate(card=new, by=by(new), channel=Channel.WEB)
    loading.unload(card=new, amount=cny(30_00), reference="u", by=by(new))
    assert (holds(purse), clean()) == (cny(100_00), True)


def test_statement_says_what_it_was():
    found, purse = loaded()
    loading.unload(card=found, amount=cny(1_00), reference="u", by=by(found))

    words = [line.words for line in statements.lines(wallet=purse).lines]
    assert words[:2] == [
        f"Taken off the card ending in {found.last_four}",
        f"Loaded onto the card ending in {found.last_four}",
    ]


def test_card_that_was_never_loaded_ends_without_a_load():
    found = issued()
    ending.close(card=found, by=by(found), channel=Channel.WEB)

    assert not CardLoad.objects.exists()
