"""What is left on a card that is over is in its member's wallet as soon as it can be; till then a person looks."""

from datetime import timedelta

import pytest

from cards.models import Card
from cards.services import ending
from cards.services.life import Channel
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import OpenItem
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance
from tests.cards.using import loaded, stands
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
