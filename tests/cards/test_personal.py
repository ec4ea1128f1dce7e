"""What is kept of cards about a person, what ends when they leave, and what the sample site has."""

import pytest

from cards import demo
from cards.models import Card, CardAuthorisation, CardProduct
from cards.services import life, loading
from cards.services.life import Channel
from members import demo as people
from members.services import privacy
from paymentsite.core import verification
from paymentsite.core.actors import Actor
from tests.cards.factories import card, debit
from tests.factories import cny
from tests.members.factories import member
from tests.wallets.factories import sent, wallet
from tests.wallets.gateways import sandboxes
from wallets import demo as money
from wallets.services import leaving
from wallets.services.leaving import MoneyLeft

pytestmark = pytest.mark.django_db


def test_export_tells_of_cards_and_no_number():
    purse = wallet(10_00)
    found = card(purse.member, label="for trips")
    loading.load(card=found, amount=cny(3_00), reference="l", by=Actor.of(purse.member.user))

    told = privacy.export(member=purse.member, by=Actor.of(purse.member.user))["our cards"]

    assert [(each["last four"], each["label"], each["state"]) for each in told] == [
        (found.last_four, "for trips", "active")
    ]
    assert [event["became"] for event in told[0]["events"]] == ["inactive", "active"]
    assert told[0]["loads"][0]["amount"] == "3.00 CNY"
    assert found.number.decrypt().reveal() not in str(told)


def test_cards_end_with_the_membership_and_what_is_on_them_keeps_it():
    purse = wallet(3_00)
    by = Actor.of(purse.member.user)
    spends, found = card(purse.member, debit()), card(purse.member, reference="s", label="mine")
    loading.load(card=found, amount=cny(3_00), reference="l", by=by)

    with pytest.raises(MoneyLeft):
        leaving.leave(member=purse.member, by=by, reason="moving")
    found.refresh_from_db()
    assert (found.state, loading.left_on(found)) == ("active", cny(3_00))

    life.freeze(card=spends, by=by, channel=Channel.WEB)
    loading.unload(card=found, amount=cny(3_00), reference="u", by=by)
    sent(3_00, sender=purse, to=member())
    leaving.leave(member=purse.member, by=by, reason="moving")

    assert set(Card.objects.values_list("state", flat=True)) == {"closed"}
    assert verification.discover().run().findings == []


def used() -> dict[str, tuple[str, str]]:
    """How each use stands, and why it was declined."""
    return {
        use.reference: (use.state, "" if use.approved else use.messages.get().code)
        for use in CardAuthorisation.objects.all()
    }


def test_sample_site_has_cards_of_each_kind_once(tmp_path):
    with sandboxes(tmp_path, "sandbox"):
        list(people.fill())
        list(money.fill())
        first = list(demo.fill())
        again = list(demo.fill())

    assert (len(first), again, CardProduct.objects.count()) == (3, [], 2)
    assert sorted(Card.objects.values_list("state", flat=True)) == [
        "active",
        "active",
        "closed",
        "frozen",
        "inactive",
    ]
    assert used() == {
        "demo shop": ("captured", ""),
        "demo noodles": ("captured", ""),
        "demo returned": ("part_refunded", ""),
        "demo stay": ("open", ""),
        "demo fuel": ("open", ""),
        "demo book": ("captured", ""),
        "demo cancelled": ("reversed", ""),
        "demo too much": ("declined", "card_limit"),
        "demo frozen": ("declined", "card_frozen"),
        "demo bet": ("declined", "control"),
    }
    assert verification.discover().run().findings == []
