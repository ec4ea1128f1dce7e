"""The first month: she joins, tops up in every way there is, and gives to those whom she knows."""

import pytest

from members.models import Member
from members.services import limits, members, pins
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.errors import plain
from paymentsite.core.vault import Secret
from paymentsite.ledger import queries as books
from tests.factories import cny
from tests.stories.year.ada import PIN, Ada
from tests.stories.year.house import House
from tests.stories.year.people import identified, reached, signed_up
from tests.wallets.gateways import gateway
from wallets.gateways.base import OrderKind
from wallets.models import Notification, StandingOrder, TopUp
from wallets.services import gift_links, outside_cards, requests, standing_orders, transfers, wallets
from wallets.services.standing_orders import Plan


def joining(house: House, year: int) -> tuple[Ada, Member]:
    """She signs up, tops up as far as nobody knows her, and is known the next day."""
    bo = signed_up("bo@example.com", handle="bodo", display_name="Bo Diddley", phone=Secret("+8613800000002"))
    ada = Ada(signed_up("ada@example.com", handle="ada", display_name="Ada Lovelace"), year)
    assert (ada.member.state, ada.member.kyc_level, ada.member.time_zone) == ("active", 0, "Asia/Shanghai")
    number = Secret("+8613800000001")
    reached(members.edit(member=ada.member, by=ada.by, phone=number), number)
    pins.set_pin(member=ada.member, pin=PIN, by=ada.by)
    ada.diary.has_points(spendable=0, counting=0, tier="bronze")

    assert ada.top_up(4_900_00, "first").state == "succeeded"
    ada.diary.note(4_900_00)
    with pytest.raises(limits.LimitExceeded) as refused:
        ada.send(200_00, "@bodo", "too much")
    assert refused.value.facts == plain(
        {
            "limit": "any.amount.day",
            "cap": cny(5_000_00),
            "used": cny(4_900_00),
            "left": cny(100_00),
            "resets_at": ada.diary.moment(1, 11, 0),
        }
    )
    ada.send(100_00, "@bodo", "as much as that")
    ada.diary.note(-100_00)

    ada.diary.go_to(1, 11)
    assert identified(ada.member, house.ann, house.bob) == [(1, "approved"), (2, "approved"), (3, "approved")]
    ada.member.refresh_from_db()
    assert ada.member.kyc_level == 3
    return ada, bo


def topping_up(ada: Ada) -> None:
    """One fails, one is unknown and comes late, one wants her at her bank's page, one is told twice."""
    ada.diary.go_to(1, 12)
    assert ada.top_up(120_01, "fails").state == "failed"
    late = ada.top_up(80_07, "late")
    assert late.state == "unknown"
    number, year = Secret("4000 0000 0000 3220"), clock.today().year + 3
    card = outside_cards.save(
        member=ada.member, number=number, holder=Secret("Ada Lovelace"), year=year, month=7, by=ada.by
    )
    asked = ada.top_up(300_00, "asked", card)
    assert asked.state == "requires_action"
    gateway().confirm(asked.public_id.hex, agreed=True)
    twice = ada.top_up(150_09, "twice")
    assert twice.state == "succeeded"
    ada.diary.note(150_09)

    ada.diary.go_to(1, 12, 10, 5)
    asked.refresh_from_db()
    assert asked.state == "succeeded"
    ada.diary.note(300_00)
    ada.diary.go_to(1, 12, 10, 15)
    late.refresh_from_db()
    assert late.state == "succeeded"
    ada.diary.note(80_07)
    assert told_about(twice) == [("succeeded", "processed")]
    assert told_about(late) == [("succeeded", "processed")]


def told_about(order: TopUp) -> list[tuple[str, str]]:
    about = Notification.objects.filter(about=order.public_id.hex, kind=OrderKind.TOP_UP)
    return list(about.order_by("pk").values_list("outcome", "state"))


def sending(ada: Ada, bo: Member) -> None:
    """To a friend by handle and by phone, with the PIN above the amount; and what he asks for."""
    assert transfers.preview(sender=ada.member, to="@bodo", amount=cny(50_00)).name == "B** D**"
    ada.send(50_00, "@bodo", "handle")
    ada.diary.note(-50_00)
    with pytest.raises(pins.PinMissing):
        ada.send(250_00, "+8613800000002", "phone")
    with pytest.raises(pins.WrongPin) as wrong:
        ada.send(250_00, "+8613800000002", "phone", Secret("802752"))
    assert wrong.value.facts == {"left": 4}
    ada.diary.holds()
    ada.send(250_00, "+8613800000002", "phone", PIN)
    ada.diary.note(-250_00)

    asked = requests.ask(
        asker=bo, payer=ada.member, amount=cny(88_00), reference="dinner", by=Actor.of(bo.user), note="Dinner"
    )
    paid = requests.pay(request=asked, payer=ada.member, reference="dinner", by=ada.by)
    ada.diary.note(-88_00)
    asked.refresh_from_db()
    assert (asked.state, asked.transfer_id) == ("paid", paid.pk)
    assert ada.told("money_asked") == ["@bodo asks you for 88.00 CNY."]


def giving(ada: Ada, bo: Member) -> StandingOrder:
    """A gift for somebody who is not here yet, and one for nobody; the rent, and something on the twentieth."""
    taken = gift_links.make(sender=ada.member, amount=cny(52_00), reference="taken", by=ada.by)
    # 88, 52 and 77 are more than go in a day without the PIN.
    with pytest.raises(pins.PinMissing):
        gift_links.make(sender=ada.member, amount=cny(77_00), reference="left", by=ada.by)
    left = gift_links.make(sender=ada.member, amount=cny(77_00), reference="left", by=ada.by, pin=PIN)
    standing = books.standing(ada.purse.account)
    assert (standing.held, standing.available) == (cny(129_00), cny(ada.diary.sum() - 129_00))
    every, first = StandingOrder.Every.MONTH, ada.diary.moment(2, 1).date()
    rent = standing_orders.make(
        member=ada.member,
        payee=bo,
        amount=cny(1_000_00),
        plan=Plan(every, first, count=9),
        reference="rent",
        by=ada.by,
        pin=PIN,
    )
    standing_orders.schedule(
        member=ada.member,
        payee=bo,
        amount=cny(66_66),
        on=ada.diary.moment(1, 20).date(),
        reference="once",
        by=ada.by,
        pin=PIN,
    )

    ada.diary.go_to(1, 13)
    cy = signed_up("cy@example.com", display_name="Cy Twombly")
    assert taken.token is not None
    gift_links.claim(token=taken.token, member=cy, by=Actor.of(cy.user))
    ada.diary.note(-52_00)
    assert books.standing(wallets.of(member=cy, currency="CNY").account).posted == cny(52_00)

    ada.diary.go_to(1, 20, 11)
    ada.diary.note(-66_66)
    left.gift.refresh_from_db()
    standing = books.standing(ada.purse.account)
    assert (left.gift.state, standing.held, standing.available) == ("returned", cny(0), cny(ada.diary.sum()))
    assert ada.told("gift_returned") == ["Nobody took your gift of 77.00 CNY: it is yours again."]
    return rent
