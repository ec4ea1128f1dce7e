"""What is left on a card that is over is in its member's wallet as soon as it can be; till then a person looks."""

from datetime import timedelta
from typing import Any

import pytest

from cards.models import Card
from cards.services import ending, issuing, loading, sweeping
from cards.services.life import Channel
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import OpenItem
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance
from tests.cards.using import ask, loaded, stands, tell
from tests.factories import cny
from tests.verified import clean
from tests.wallets.factories import holds
from wallets.services import leaving
from wallets.services.leaving import MoneyLeft

pytestmark = pytest.mark.django_db


def by(found: Card) -> Actor:
    return Actor.of(found.member.user)


def put(account: Account, status: str) -> None:
    ledger.set_status(account=account, status=Balance.Status(status), by=SYSTEM, reason="doubt")


def items() -> list[str]:
    return list(OpenItem.objects.open().order_by("pk").values_list("kind", flat=True))


@pytest.mark.parametrize("how", ["closed by its member", "closed by us", "expired"])
@pytest.mark.parametrize("frozen", ["card", "wallet"])
def test_card_is_over_though_what_is_on_it_cannot_leave(how, frozen):
    found = loaded(100_00)
    put(found.account if frozen == "card" else found.wallet.account, "frozen")
    match how:
        case "closed by its member":
            ending.close(card=found, by=by(found), channel=Channel.WEB)
        case "closed by us":
            ending.close(card=found, by=SYSTEM, channel=Channel.ADMIN, reason="over")
        case "expired":
            ending.expire(card=found, today=found.expires_on + timedelta(days=1))

    found.refresh_from_db()
    assert (found.ended, stands(found), items()) == (True, (100_00, 0), ["card_rest_unswept"])
    assert clean()


def test_card_whose_account_is_frozen_keeps_no_other_from_expiring():
    bad, good = loaded(), loaded()
    put(bad.account, "frozen")

    assert ending.expire_due(now=clock.now() + timedelta(days=40)) == 2
    assert (stands(bad), stands(good), holds(good.wallet)) == ((100_00, 0), (0, 0), cny(100_00))
    assert items() == ["card_rest_unswept"]


def test_nobody_leaves_with_something_on_a_card_that_is_over():
    found = loaded()
    put(found.account, "frozen")

    with pytest.raises(MoneyLeft):
        leaving.leave(member=found.member, by=by(found), reason="bye")
    found.refresh_from_db()
    assert found.state == "active"


def left(minor: int = 50_00) -> Card:
    """A card that is over, on which something is left because its wallet took nothing when it came free."""
    found = loaded(100_00)
    ask(found, minor, reference="x")
    ending.close(card=found, by=by(found), channel=Channel.WEB)
    put(found.wallet.account, "frozen")
    tell("reverse", found, None, reference="x")
    assert (stands(found), items()) == ((minor, 0), ["card_rest_unswept"])
    return found


def test_rest_goes_to_the_wallet_once_it_can():
    found = left()
    assert (sweeping.sweep_all(), items()) == (0, ["card_rest_unswept"])

    put(found.wallet.account, "open")
    assert (sweeping.sweep_all(), sweeping.sweep_all()) == (1, 0)

    assert (stands(found), holds(found.wallet), items()) == ((0, 0), cny(100_00), [])
    assert clean()


def test_member_who_closes_their_card_again_has_what_was_left():
    found = left()
    put(found.wallet.account, "open")

    ending.close(card=found, by=by(found), channel=Channel.WEB)

    assert (stands(found), holds(found.wallet), items()) == ((0, 0), cny(100_00), [])


def test_who_leaves_has_what_was_left_in_their_wallet():
    found = left()
    put(found.wallet.account, "open")

    with pytest.raises(MoneyLeft, match=r"100\.00"):
        leaving.leave(member=found.member, by=by(found), reason="bye")


def test_debt_that_took_what_was_left_leaves_nothing_to_look_after():
    found = left()
    tell("capture", found, 50_00, reference="x", final=True)

    assert (sweeping.sweep_all(), stands(found), items()) == (0, (0, 0), [])


def test_what_a_successor_spends_is_not_swept():
    found = loaded(100_00)
    new = issuing.replace(card=found, why=issuing.Why.LOST, reference="new", by=by(found), channel=Channel.WEB)
    assert (sweeping.sweep_all(), stands(new)) == (0, (100_00, 0))

    put(new.account, "frozen")
    ending.close(card=new, by=by(new), channel=Channel.WEB)
    ending.close(card=found, by=by(new), channel=Channel.WEB)
    assert items() == ["card_rest_unswept"]

    put(new.account, "open")
    assert (sweeping.sweep_all(), stands(new), holds(new.wallet), items()) == (1, (0, 0), cny(100_00), [])
    assert clean()


def test_rest_that_fails_to_go_keeps_no_other_waiting(monkeypatch):
    bad, good = left(), loaded(1_00)
    put(bad.wallet.account, "open")
    put(good.account, "frozen")
    ending.close(card=good, by=by(good), channel=Channel.WEB)
    put(good.account, "open")
    give_back = loading.give_back

    def failing(found: Card) -> Any:
        if found.pk == bad.pk:
            raise RuntimeError("a bug")
        return give_back(found)

    monkeypatch.setattr(loading, "give_back", failing)

    assert sweeping.sweep_all() == 1
    assert (stands(bad), stands(good), items()) == ((50_00, 0), (0, 0), ["card_rest_unswept"])
