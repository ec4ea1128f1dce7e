"""Who may have a card, what it begins with, and what stands in its place."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from cards.models import Card, CardEvent, CardProduct, NumberRange
from cards.services import codes, issuing, life, loading, products
from cards.services.issuing import (
    BlockedByUs,
    LabelTooLong,
    ProductNotOffered,
    ReferenceTaken,
    TooManyCards,
    UseMalformed,
    Why,
)
from cards.services.life import Channel
from members.models import Notice, Tier
from members.services import members
from members.services.members import MemberSuspended
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor, OwnMatter
from paymentsite.core.models import AuditEntry
from paymentsite.ledger.refusals import InsufficientFunds
from tests.cards.factories import PREFIX, card, debit, issued, product
from tests.cards.using import ask
from tests.factories import cny
from tests.members.factories import member, superuser
from tests.verified import clean
from tests.wallets.factories import holds, wallet
from wallets.models import Instrument
from wallets.services import wallets

pytestmark = pytest.mark.django_db


def test_card_begins_inactive_with_an_event_an_instrument_and_a_notice():
    made = issued()

    assert (made.state, made.use, made.expires_on) == ("inactive", "multi", clock.today() + timedelta(days=30))
    event = CardEvent.objects.get(card=made)
    assert (event.before, event.after, event.channel, event.actor) == (
        "",
        "inactive",
        "web",
        str(Actor.of(made.member.user)),
    )
    instrument = Instrument.objects.get(source=made.source)
    assert (instrument.kind, instrument.state, instrument.owned) == ("own_card", "active", True)
    assert Notice.objects.get(kind="card_issued").facts["last_four"] == made.last_four
    assert AuditEntry.objects.filter(act="card.issued").count() == 1
    assert clean()


def test_debit_card_spends_the_wallet_and_a_prepaid_one_what_is_its_own():
    purse = wallet(100_00)
    spends, holds_own = issued(purse.member, debit()), issued(purse.member, reference="s")

    assert (spends.account, spends.prepaid) == (purse.account, False)
    assert (holds_own.account.owner, holds_own.account.code, holds_own.prepaid) == (purse.member.owner, "card 1", True)
    assert issued(purse.member, reference="t").account.code == "card 2"


def test_price_is_taken_from_the_wallet_or_there_is_no_card():
    dear = product("dear", issue_fee_minor=9_90)
    purse = wallet(15_00)

    issued(purse.member, dear)
    assert holds(purse) == cny(5_10)

    with pytest.raises(InsufficientFunds):
        issued(purse.member, dear, reference="s")
    assert (Card.objects.count(), holds(purse), clean()) == (1, cny(5_10), True)


def test_reference_is_one_card():
    holder = member()
    first = issued(holder, use="times", times=3)

    assert issued(holder, use="times", times=3) == first
    for other in (
        {"use": "times", "times": 4},
        {"use": "single"},
        {"made": debit(), "use": "times", "times": 3},
        {"use": "category", "category": "5411"},
    ):
        with pytest.raises(ReferenceTaken):
            issued(holder, **other)
    assert Card.objects.count() == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"use": "times"},
        {"use": "times", "times": 0},
        {"use": "times", "times": 1_001},
        {"use": "single", "times": 2},
        {"use": "multi", "times": 1},
        {"use": "category"},
        {"use": "category", "category": "54"},
        {"use": "category", "category": "５４１１"},
        {"use": "multi", "category": "5411"},
        {"use": "category", "category": "5411", "times": 2},
        {"use": "multi", "every": "month"},
        {"use": "times", "times": 2, "every": "week"},
    ],
)
def test_use_that_cannot_be_is_refused(asked):
    with pytest.raises(UseMalformed):
        issued(**asked)
    assert not Card.objects.exists()


def test_label_is_one_line_and_short():
    assert issued(label="  for \n trips ").label == "for trips"
    with pytest.raises(LabelTooLong):
        issued(label="x" * 41)


def test_no_more_are_held_than_the_product_says():
    holder, two = member(), product("two", held_max=2)
    first = issued(holder, two)
    issued(holder, two, reference="s")

    with pytest.raises(TooManyCards):
        issued(holder, two, reference="t")
    issued(made=two)
    Card.objects.filter(pk=first.pk).update(state="closed", ended_at=clock.now())
    issued(holder, two, reference="t")


def test_closed_product_and_one_for_a_higher_tier_are_not_to_be_had():
    Tier.objects.create(code="base", name_en="Base", rank=0, threshold=0)
    higher = Tier.objects.create(code="gold", name_en="Gold", rank=900, threshold=1_000_000)
    golden, closed = product("golden", tier=higher), product("over")
    products.close(product=closed, by=SYSTEM, reason="over")

    for made in (golden, closed):
        with pytest.raises(ProductNotOffered):
            issued(made=made)
    assert set(CardProduct.objects.offered_to(higher)) == {golden}


def test_suspended_member_gets_none():
    holder = member()
    members.suspend(member=holder, by=SYSTEM, reason="doubt")

    with pytest.raises(MemberSuspended):
        issued(holder)


def test_frozen_wallet_gives_no_card():
    purse = wallet(10)
    wallets.freeze(wallet=purse, by=SYSTEM, reason="doubt")

    with pytest.raises(wallets.WalletFrozen):
        issued(purse.member, debit())


@pytest.mark.parametrize("why", list(Why))
def test_successor_has_what_its_card_had_and_the_card_is_over(why):
    purse = wallet(50_00)
    old = card(purse.member, use="times", times=5, label="mine")
    loading.load(card=old, amount=cny(10_00), reference="l", by=Actor.of(old.member.user))
    for _ in range(3):
        ask(old, 1_00)

    new = issuing.replace(card=old, why=why, reference="n", by=Actor.of(old.member.user), channel=Channel.WEB)

    old.refresh_from_db()
    assert (old.state, new.state, new.replaces) == ("closed", "inactive", old)
    assert (new.account, new.product, new.use, new.uses_max, new.uses_left, new.label) == (
        old.account,
        old.product,
        "times",
        5,
        2,
        "mine",
    )
    assert new.number.decrypt() != old.number.decrypt()
    assert new.prefix == PREFIX
    assert Instrument.objects.get(source=old.source).state == "removed"
    assert clean()


def test_replacing_again_is_the_first_successor_and_another_cards_reference_is_not():
    old = card()
    by = Actor.of(old.member.user)
    new = issuing.replace(card=old, why=Why.LOST, reference="n", by=by, channel=Channel.WEB)

    assert issuing.replace(card=old, why=Why.LOST, reference="n", by=by, channel=Channel.WEB) == new
    with pytest.raises(ReferenceTaken):
        issuing.replace(card=new, why=Why.LOST, reference="n", by=by, channel=Channel.WEB)
    with pytest.raises(life.CardEnded):
        issuing.replace(card=old, why=Why.LOST, reference="m", by=by, channel=Channel.WEB)


def test_member_is_not_rid_of_a_block_by_another_card_in_its_place():
    old = card()
    life.block(card=old, by=SYSTEM, reason="doubt")

    with pytest.raises(BlockedByUs):
        issuing.replace(card=old, why=Why.LOST, reference="n", by=Actor.of(old.member.user), channel=Channel.WEB)
    old.refresh_from_db()
    assert (old.state, Card.objects.count()) == ("blocked", 1)


def test_staff_replace_a_blocked_card_but_not_their_own():
    boss = superuser("boss@example.com")
    old, own = card(), card(members.join(user=boss))
    for each in (old, own):
        life.block(card=each, by=SYSTEM, reason="doubt")
    how = {"why": Why.STOLEN, "reference": "n", "by": Actor.of(boss), "channel": Channel.ADMIN}

    assert issuing.replace(card=old, **how).state == "inactive"
    with pytest.raises(OwnMatter):
        issuing.replace(card=own, **how)
    own.refresh_from_db()
    assert own.state == "blocked"


def test_code_is_made_of_number_day_and_the_key_that_the_card_began_with():
    first = issued()
    now = clock.now()
    code = codes.of(first, now)
    codes.renew(by=SYSTEM)
    second = issued()

    assert len(code.reveal()) == 3
    assert codes.of(Card.objects.get(pk=first.pk), now + timedelta(days=3)) == code
    assert first.code_key != second.code_key


def test_hourly_code_is_another_one_each_hour():
    made = issued(made=product("hourly", code_kind="hourly"))
    start = clock.now().replace(minute=0, second=0, microsecond=0)

    seen = {codes.of(made, start + timedelta(minutes=30 * half)).reveal() for half in range(48)}

    assert codes.of(made, start) == codes.of(made, start + timedelta(minutes=59))
    assert len(seen) > 15


@pytest.mark.parametrize(
    ("model", "columns"),
    [
        (Card, {"member_id": 1}),
        (Card, {"account_id": 1}),
        (Card, {"expires_on": "2099-01-01"}),
        (Card, {"uses_max": 9}),
        (CardProduct, {"held_max": 9}),
        (CardProduct, {"issue_fee_minor": 9}),
        (NumberRange, {"length": 19}),
        (CardEvent, {"after": "closed"}),
    ],
)
def test_terms_are_written_once(model, columns):
    issued()

    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(**columns)
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.all().delete()
