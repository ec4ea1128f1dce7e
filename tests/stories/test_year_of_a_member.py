"""A year in a member's life, told on the sandbox clock: all that she can do, to the cent, and the proof."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import call_command

from members.models import Member
from members.services import members, rewards, upgrades
from members.services.members import MemberSuspended
from paymentsite.core import clock, verification
from paymentsite.core.actors import Actor
from paymentsite.core.errors import as_day
from paymentsite.core.models import ClockShift
from paymentsite.core.money import Money
from paymentsite.core.rates import Rate
from paymentsite.core.vault import Secret
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from tests.factories import cny
from tests.stories.year import january
from tests.stories.year.ada import PIN, Ada, expire, fates
from tests.stories.year.diary import ZONE, exported
from tests.stories.year.house import House, mug, tier
from tests.wallets.gateways import sandboxes
from wallets.models import StandingOrder
from wallets.services import (
    account_proofs,
    bank_accounts,
    exchanges,
    rates,
    transfers,
)

pytestmark = [pytest.mark.story, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _fresh_counters() -> Iterator[None]:
    """Who signs up is counted in the cache."""
    cache.clear()
    yield
    cache.clear()


def test_year_of_a_member(tmp_path: Path) -> None:
    year = datetime.now(UTC).year + 1
    begin = datetime(year, 1, 10, 10, tzinfo=ZONE)
    ClockShift.objects.create(shift=begin - datetime.now(UTC))
    with sandboxes(tmp_path, "sandbox"):
        house = House()
        ada, bo = january.joining(house, year)
        january.topping_up(ada)
        january.sending(ada, bo)
        order = january.giving(ada, bo)
        february_and_march(house, ada, order)
        march_abroad_and_to_the_bank(ada)
        spring(house, ada, order)
        summer(house, ada, bo, order)
        autumn_and_winter(house, ada, order)
        the_books_of_the_year(house, ada)


def february_and_march(house: House, ada: Ada, rent: StandingOrder) -> None:
    """She buys, earns, is Silver at once, and spends the first points for a mug and for money."""
    diary = ada.diary
    diary.go_to(2, 1)
    diary.note(-1_000_00)
    assert fates(rent) == ["paid"]
    diary.go_to(2, 10)
    house.sell(ada.member, cny(620_00), 1)
    diary.note(-620_00)
    diary.has_points(spendable=0, pending=620, counting=620, tier="bronze")
    diary.go_to(2, 20)
    house.sell(ada.member, cny(400_00), 2)
    diary.note(-400_00)
    diary.has_points(spendable=0, pending=1_020, counting=1_020, tier="silver")
    assert ada.told("tier_up") == ["You are Silver now."]
    diary.go_to(2, 25)
    diary.has_points(spendable=620, pending=400, counting=1_020, tier="silver")
    house.sell(ada.member, cny(100_00), 3)
    diary.note(-100_00)
    diary.has_points(spendable=620, pending=520, counting=1_120, tier="silver")

    diary.go_to(3, 1)
    diary.note(-1_000_00)
    diary.go_to(3, 2)
    rewards.redeem(member=ada.member, reward=mug(), reference="mug", by=ada.by)
    with pytest.raises(rewards.RewardGone):
        rewards.redeem(member=ada.member, reward=mug(), reference="another", by=ada.by)
    diary.has_points(spendable=420, pending=520, counting=1_120, tier="silver")
    diary.go_to(3, 3)
    ada.credit(150, "march")
    diary.note(3_00)
    diary.has_points(spendable=270, pending=520, counting=1_120, tier="silver")


def march_abroad_and_to_the_bank(ada: Ada) -> None:
    """Dollars by a quote; money to her bank, and money that her bank sends back a day after it was paid."""
    diary = ada.diary
    diary.go_to(3, 15)
    diary.has_points(spendable=790, counting=1_120, tier="silver")
    now = clock.now()
    rates.take_in(rates=[Rate("CNY", "USD", Decimal("0.1385"), "story", now)], by=ada.by)
    quote = exchanges.quote(member=ada.member, sell=cny(500_00), buy_currency="USD", now=clock.now())
    assert (quote.bought, quote.margin, quote.fee) == (Money(68_69, "USD"), Money(56, "USD"), cny(90))
    exchanges.accept(quote=quote, reference="dollars", by=ada.by)
    diary.note(-500_00, -90)
    diary.note(68_69, currency="USD")

    diary.go_to(3, 20)
    account = bank_accounts.save(
        member=ada.member,
        number=Secret("DE89 3704 0044 0532 0130 00"),
        holder=Secret("Ada Lovelace"),
        currency="CNY",
        by=ada.by,
    )
    assert account_proofs.match_identity(instrument=account, by=ada.by).state == "passed"
    assert ada.withdraw(400_00, account, "free").state == "succeeded"
    diary.note(-400_00)
    back = ada.withdraw(300_12, account, "back")
    assert back.state == "succeeded"
    diary.note(-300_12, -90)
    diary.go_to(3, 21, 11)
    back.refresh_from_db()
    assert back.state == "returned"
    diary.note(300_12, 90)


def spring(house: House, ada: Ada, rent: StandingOrder) -> None:
    """The rent is refused once; points run out after two warnings; a refund takes points and, in time, the tier."""
    diary = ada.diary
    diary.go_to(4, 1, 14)
    assert fates(rent) == ["paid", "paid", "refused"]
    assert [len(ada.told(f"standing_order_{kind}")) for kind in ("refused", "given_up", "paused")] == [1, 1, 0]
    diary.holds()
    assert ada.told("points_expire") == [expire(270, ada.day(4, 30), 30)]
    diary.go_to(4, 10)
    ada.top_up(6_000_00, "spring")
    diary.note(6_000_00)

    diary.go_to(5, 1)
    diary.note(-1_000_00)
    assert fates(rent) == ["paid", "paid", "refused", "paid"]
    diary.has_points(spendable=520, counting=1_120, tier="silver")
    warned = [expire(270, ada.day(4, 30), 30), expire(270, ada.day(4, 30), 7), expire(520, ada.day(5, 31), 30)]
    assert ada.told("points_expire") == warned
    diary.go_to(5, 5)
    taken = house.refund(ada.member, cny(300_00), 2)
    assert (taken.taken.minor, taken.owed.minor, taken.forgiven.minor) == (300, 0, 0)
    diary.note(300_00)
    diary.has_points(spendable=220, counting=820, tier="silver")
    ends = ada.day(6, 4)
    assert ada.told("tier_grace") == [f"What you earned is no longer enough for Silver: it ends on {as_day(ends)}."]
    diary.go_to(5, 20)
    ada.credit(120, "may")
    diary.note(2_40)

    diary.go_to(6, 1)
    diary.note(-1_000_00)
    assert ada.told("points_expire") == [*warned, expire(100, ada.day(5, 31), 7)]
    diary.has_points(spendable=0, counting=820, tier="silver")
    diary.go_to(6, 5)
    diary.has_points(spendable=0, counting=820, tier="bronze")
    assert ada.told("tier_down") == ["You are no longer Silver, but Bronze."]


def summer(house: House, ada: Ada, bo: Member, rent: StandingOrder) -> None:
    """She is stopped for two days, made Gold for two months, and owes points for what she had spent and sent back."""
    diary = ada.diary
    diary.go_to(6, 10)
    members.suspend(member=ada.member, by=house.ann, reason="a call from her bank")
    with pytest.raises(MemberSuspended):
        ada.send(10_00, "@bodo", "stopped")
    by = Actor.of(bo.user)
    transfers.send(sender=bo, payee=ada.member, amount=cny(40_00), reference="back", by=by)
    diary.note(40_00)
    diary.go_to(6, 12)
    members.resume(member=ada.member, by=house.ann, reason="it was she")

    diary.go_to(7, 1)
    diary.note(-1_000_00)
    diary.go_to(7, 10)
    house.give_tier(ada.member, "gold", until=diary.moment(9, 10))
    diary.go_to(7, 15)
    house.sell(ada.member, cny(200_00), 4)
    diary.note(-200_00)
    diary.has_points(spendable=0, pending=300, counting=1_020, tier="gold")
    diary.go_to(8, 1)
    diary.note(-1_000_00)
    diary.has_points(spendable=300, counting=1_020, tier="gold")
    diary.go_to(8, 10)
    ada.credit(250, "august")
    diary.note(5_00)
    diary.go_to(8, 20)
    taken = house.refund(ada.member, cny(200_00), 4)
    assert (taken.taken.minor, taken.owed.minor, taken.forgiven.minor) == (300, 250, 0)
    diary.note(200_00)
    diary.has_points(spendable=0, owed=250, counting=820, tier="gold")
    assert fates(rent) == ["paid", "paid", "refused", "paid", "paid", "paid", "paid"]


def autumn_and_winter(house: House, ada: Ada, rent: StandingOrder) -> None:
    """What was given ends where she has earned more than she had; the debt is repaid, and Gold is bought."""
    diary = ada.diary
    diary.go_to(9, 1)
    diary.note(-1_000_00)
    house.sell(ada.member, cny(400_00), 5)
    diary.note(-400_00)
    diary.has_points(spendable=0, pending=600, owed=250, counting=1_220, tier="gold")
    diary.go_to(9, 10, 11)
    diary.has_points(spendable=0, pending=600, owed=250, counting=1_220, tier="silver")
    diary.go_to(9, 15, 11)
    diary.has_points(spendable=350, counting=1_220, tier="silver")
    diary.go_to(10, 1)
    diary.note(-1_000_00)
    rent.refresh_from_db()
    assert (rent.state, fates(rent)) == ("ended", ["paid"] * 2 + ["refused"] + ["paid"] * 6)
    diary.go_to(10, 20)
    upgrades.buy(member=ada.member, tier=tier("gold"), reference="gold", by=ada.by, pin=PIN)
    diary.has_points(spendable=50, counting=1_220, tier="gold")
    diary.go_to(12, 20)
    assert ada.told("points_expire")[4:] == [expire(50, ada.day(11, 30), 30), expire(50, ada.day(11, 30), 7)]
    diary.has_points(spendable=0, counting=1_220, tier="gold")
    house.sell(ada.member, cny(50_00), 6)
    diary.note(-50_00)
    diary.go_to(13, 5)
    house.sell(ada.member, cny(30_00), 7)
    diary.note(-30_00)
    diary.go_to(13, 10)


def the_books_of_the_year(house: House, ada: Ada) -> None:
    """All that she wrote down is what the site says, in every form, and the proof finds nothing."""
    diary = ada.diary
    diary.has_points(spendable=75, pending=45, counting=1_300, tier="gold")
    assert ada.told("tier_up") == ["You are Silver now.", "You are Gold now.", "You are Gold now."]
    assert ada.told("tier_down") == ["You are no longer Silver, but Bronze.", "You are no longer Gold, but Silver."]
    spent, lapsed = (books.standing(ledger.house(code, "PTS")).posted.minor for code in ("rewards", "breakage"))
    assert (spent, lapsed) == (200 + 150 + 120 + 250 + 300, 270 + 100 + 50)
    issued = books.standing(ledger.house("points", "PTS")).posted.minor
    assert issued == -(75 + 45 + spent + lapsed)

    assert (diary.sum("CNY"), diary.sum("USD")) == (673_00, 68_69)
    for currency in ("CNY", "USD"):
        diary.holds(currency)
        diary.months_add_up(currency)
    assert books.standing(house.shop).posted == cny(620_00 + 400_00 + 100_00 - 300_00 + 400_00 + 50_00 + 30_00)
    assert books.standing(ledger.house("fees", "CNY")).posted == cny(90)

    march = [1_703_50 + 1_000_00, -1_000_00, 3_00, -500_00, -90, -400_00, -300_12, -90, 300_12, 90, 805_60]
    in_csv, in_excel, in_pdf = exported(ada.purse, diary.year, 3)
    assert (in_csv, in_excel, in_pdf[:5]) == (march, march, b"%PDF-")
    assert verification.discover().run().findings == []
    call_command("verify", stdout=StringIO())
