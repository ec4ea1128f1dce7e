"""What may become of a card, and by whom."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cards.models import Card, CardEvent
from cards.services import ending, life, loading
from cards.services.life import CardEnded, CardNotSo, Channel, NoSuchCard, ReasonMissing
from members.models import Notice
from members.services import members
from members.services.members import MemberSuspended
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor, OwnMatter
from paymentsite.core.models import AuditEntry, OpenItem
from tests.cards.factories import card, debit, issued
from tests.factories import cny
from tests.members.factories import member, superuser
from tests.verified import clean
from tests.wallets.factories import holds, wallet
from wallets.services import wallets

pytestmark = pytest.mark.django_db

STATES = ("inactive", "active", "frozen", "blocked", "closed", "expired")


def staff() -> Actor:
    return Actor.of(superuser("boss@example.com"))


def owner(found: Card) -> Actor:
    return Actor.of(found.member.user)


def put(found: Card, state: str) -> Card:
    """The card in that state, as it gets there."""
    match state:
        case "active":
            life.activate(card=found, by=owner(found), channel=Channel.WEB)
        case "frozen":
            put(found, "active")
            life.freeze(card=found, by=owner(found), channel=Channel.WEB)
        case "blocked":
            put(found, "active")
            life.block(card=found, by=SYSTEM, reason="doubt")
        case "closed":
            ending.close(card=found, by=owner(found), channel=Channel.WEB)
        case "expired":
            ending.expire(card=found, today=found.expires_on + timedelta(days=1))
    found.refresh_from_db()
    return found


ACTS: dict[str, Callable[[Card], Card]] = {
    "activate": lambda found: life.activate(card=found, by=owner(found), channel=Channel.WEB),
    "freeze": lambda found: life.freeze(card=found, by=owner(found), channel=Channel.WEB),
    "unfreeze": lambda found: life.unfreeze(card=found, by=owner(found), channel=Channel.WEB),
    "block": lambda found: life.block(card=found, by=SYSTEM, reason="doubt"),
    "unblock": lambda found: life.unblock(card=found, by=SYSTEM, reason="clear"),
    "close": lambda found: ending.close(card=found, by=owner(found), channel=Channel.WEB),
    "expire": lambda found: ending.expire(card=found, today=found.expires_on + timedelta(days=1)),
}
NOT, END = CardNotSo, CardEnded
# What each act makes of a card in each state, or how it is refused.
TABLE = {
    "activate": ("active", "active", NOT, NOT, END, END),
    "freeze": (NOT, "frozen", "frozen", NOT, END, END),
    "unfreeze": (NOT, "active", "active", NOT, END, END),
    "block": ("blocked", "blocked", "blocked", "blocked", END, END),
    "unblock": (NOT, NOT, NOT, "active", NOT, NOT),
    "close": ("closed", "closed", "closed", "closed", "closed", END),
    "expire": ("expired", "expired", "expired", "expired", "closed", "expired"),
}


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize(("before", "place"), [(state, place) for place, state in enumerate(STATES)])
def test_every_act_in_every_state(name, before, place):
    found = put(issued(), before)
    after = TABLE[name][place]

    if isinstance(after, str):
        ACTS[name](found)
    else:
        with pytest.raises(after):
            ACTS[name](found)
        after = before

    found.refresh_from_db()
    assert found.state == after
    last = CardEvent.objects.filter(card=found).order_by("pk").last()
    assert last is not None
    assert last.after == after
    assert (found.ended_at is not None) == (after in {"closed", "expired"})
    assert clean()


@pytest.mark.parametrize("before", ["inactive", "active", "frozen"])
def test_unblocked_it_is_what_it_was_before(before):
    found = put(issued(), before)
    life.block(card=found, by=SYSTEM, reason="doubt")

    life.unblock(card=found, by=SYSTEM, reason="clear")

    found.refresh_from_db()
    assert found.state == before
    assert set(Notice.objects.filter(kind__startswith="card_").values_list("kind", flat=True)) == {
        "card_issued",
        "card_blocked",
        "card_unblocked",
    }


def test_said_twice_it_is_done_once():
    found = card()
    for _ in range(2):
        life.freeze(card=found, by=owner(found), channel=Channel.WEB)

    assert CardEvent.objects.filter(card=found, after="frozen").count() == 1
    assert AuditEntry.objects.filter(act="card.frozen").count() == 1


def test_all_cards_are_frozen_at_once_and_no_one_elses():
    holder, other = member(), card()
    first, second, third = (card(holder, reference=reference) for reference in "abc")
    life.block(card=third, by=SYSTEM, reason="doubt")

    assert life.freeze_all(member=holder, by=Actor.of(holder.user), channel=Channel.WEB) == 2

    states = dict(Card.objects.values_list("pk", "state"))
    assert states == {first.pk: "frozen", second.pk: "frozen", third.pk: "blocked", other.pk: "active"}
    assert life.freeze_all(member=holder, by=Actor.of(holder.user), channel=Channel.WEB) == 0


@pytest.mark.parametrize("name", ["activate", "freeze", "unfreeze", "close"])
def test_suspended_member_does_nothing_with_their_cards(name):
    found = put(issued(), {"activate": "inactive", "unfreeze": "frozen"}.get(name, "active"))
    members.suspend(member=found.member, by=SYSTEM, reason="doubt")

    with pytest.raises(MemberSuspended):
        ACTS[name](found)


def test_staff_unblock_no_card_of_their_own():
    boss = superuser("boss@example.com")
    found = card(members.join(user=boss))
    life.block(card=found, by=SYSTEM, reason="doubt")

    with pytest.raises(OwnMatter):
        life.unblock(card=found, by=Actor.of(boss), reason="mine")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 256])
def test_staff_say_why(reason):
    found = card()
    boss = staff()

    with pytest.raises(ReasonMissing):
        life.block(card=found, by=boss, reason=reason)
    with pytest.raises(ReasonMissing):
        ending.close(card=found, by=boss, channel=Channel.ADMIN, reason=reason)

    found.refresh_from_db()
    assert found.state == "active"


def test_somebody_elses_card_is_none():
    found = card()

    assert life.of(member=found.member, public_id=found.public_id) == found
    with pytest.raises(NoSuchCard):
        life.of(member=member(), public_id=found.public_id)


def test_cards_expire_the_night_after_their_last_day():
    found, over = card(), put(issued(), "closed")
    last = clock.now() + timedelta(days=30)

    assert ending.expire_due(now=last) == 0
    assert ending.expire_due(now=last + timedelta(days=1)) == 1
    assert ending.expire_due(now=last + timedelta(days=2)) == 0

    states = dict(Card.objects.values_list("pk", "state"))
    assert states == {found.pk: "expired", over.pk: "closed"}
    assert Notice.objects.filter(kind="card_ended", member=found.member).count() == 1


def test_card_that_fails_to_expire_keeps_no_other_waiting(monkeypatch):
    bad, good = card(), card()
    last, change = clock.now() + timedelta(days=31), life.change

    def failing(found: Card, *rest: Any, **more: Any) -> Card:
        if found.pk == bad.pk:
            raise RuntimeError("a bug")
        return change(found, *rest, **more)

    monkeypatch.setattr(life, "change", failing)
    assert ending.expire_due(now=last) == 1
    assert dict(Card.objects.values_list("pk", "state")) == {bad.pk: "active", good.pk: "expired"}
    assert OpenItem.objects.open().get().kind == "card_expiry_stuck"

    monkeypatch.undo()
    assert ending.expire_due(now=last) == 1
    assert not OpenItem.objects.open().exists()


def test_debit_card_is_closed_with_its_wallet_and_a_prepaid_one_goes_on():
    purse, other = wallet(1_00), wallet()
    states = ("inactive", "active", "frozen", "blocked")
    ours = [put(issued(purse.member, debit(held_max=9), reference=state), state) for state in states]
    loaded, theirs = card(purse.member), card(other.member, debit())
    loading.load(card=loaded, amount=cny(1_00), reference="l", by=owner(loaded))

    wallets.close(wallet=purse, by=owner(loaded), reason="not needed")

    assert {each.state for each in Card.objects.filter(pk__in=[each.pk for each in ours])} == {"closed"}
    assert list(Card.objects.filter(pk__in=[loaded.pk, theirs.pk]).values_list("state", flat=True)) == ["active"] * 2
    event = CardEvent.objects.filter(card=ours[1]).latest("pk")
    assert (event.after, event.channel, event.reason) == ("closed", "job", "not needed")
    assert Notice.objects.filter(kind="card_ended", member=purse.member).count() == len(ours)
    ending.close(card=loaded, by=owner(loaded), channel=Channel.WEB)
    assert holds(wallets.open(member=purse.member, currency="CNY", by=SYSTEM)) == cny(1_00)
    assert clean()
