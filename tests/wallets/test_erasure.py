"""What members wrote, to whom they paid and how they were called goes when they are erased; the money stays told."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from members.models import Member, Notice
from members.services import members, privacy
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.services import approvals
from paymentsite.core.vault import Secret
from tests.factories import cny
from tests.made_once import MadeOnce
from tests.members.factories import approved, member, superuser
from tests.wallets import gateways
from tests.wallets.factories import asked, claimed, emptied, given, holds, paid, sent, wallet
from tests.wallets.saved import bank_account, card
from wallets import personal
from wallets.models import Gift, MoneyRequest, Notification, StandingOrder, Transfer, Wallet, Withdrawal
from wallets.queries import statements
from wallets.services import gift_links, leaving, notifications, requests, sandbox, standing_orders, standing_runs
from wallets.services.standing_orders import Plan

pytestmark = pytest.mark.django_db

HOLDER, NUMBER = "Ada Augusta", "DE89370400440532013000"
NAMED = ("Lovelace", "countess", "augusta", NUMBER, "4111111111111111", "Ada L", "Ada A", "ada@example.com")


class Two:
    """Ada, of whom everything is kept that can be, and Bo, with whom she dealt."""

    def __init__(self) -> None:
        self.ada = approved(member(handle="augusta", display_name="Ada L.", user__email="ada@example.com"), 3)
        self.bo = member(handle="bodo", display_name="Bo")
        self.purse, self.his = wallet(100_00, of=self.ada), wallet(100_00, of=self.bo)
        self.by = Actor.of(self.ada.user)
        sent(1_00, sender=self.purse, to=self.bo, reference="a", note="From your Ada Lovelace")
        sent(1_00, sender=self.his, to=self.ada, reference="a", note="Thank you, Ada Lovelace")
        paid(asked(2_00, of=self.ada, by=self.bo, note="Dear countess", reference="a"), self.purse)
        asked(3_00, of=self.bo, by=self.ada, note="Ada Lovelace asks", reference="b")
        requests.decline(
            request=asked(4_00, of=self.ada, by=self.bo, note="Ada L", reference="c"), payer=self.ada, by=self.by
        )
        claimed(given(5_00, self.purse, "g", note="Yours, Ada Lovelace"), self.bo)
        gift_links.cancel(gift=given(6_00, self.purse, "h", note="Ada Lovelace").gift, sender=self.ada, by=self.by)
        self.order(self.purse, self.bo, "Rent of Ada Lovelace")
        self.order(self.his, self.ada, "For Ada Lovelace")
        standing_runs.carry_out(now=max(StandingOrder.objects.values_list("next_at", flat=True)))
        members.edit(member=self.ada, by=self.by, handle="countess", display_name="Ada Lovelace")
        self.ada.refresh_from_db()
        card(of=self.ada, label="Ada Lovelace's", holder=Secret(HOLDER))
        self.away()

    def order(self, purse: Wallet, to: Member, note: str) -> StandingOrder:
        """So much each day that some of it is refused."""
        gateways.wallet(of=purse.member)
        first = clock.today(purse.member.time_zone) + timedelta(days=1)
        return standing_orders.make(
            member=purse.member,
            payee=to,
            amount=cny(60_00),
            plan=Plan(StandingOrder.Every.DAY, first),
            reference="s",
            by=Actor.of(purse.member.user),
            pin=gateways.PIN,
            note=note,
        )

    def away(self) -> None:
        """A withdrawal and a top-up in euros, of which the gateway told us."""
        account = bank_account(of=self.ada, verified=True, holder=Secret(HOLDER), label="Countess Lovelace")
        euros = gateways.wallet(50_00, of=self.ada)
        gateways.withdraw(euros, 10_00, to=account)
        gateways.top_up(euros, 20_00)
        sandbox.deliver(now=clock.now())


def make_two() -> Two:
    gateways.route("top_up")
    gateways.route("payout")
    return Two()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="module")
def made(made_once: MadeOnce, folder: Path) -> Two:
    with gateways.sandboxes(folder, "sandbox"):
        return made_once(make_two)


@pytest.fixture
def two(made: Two, folder: Path, tmp_path: Path, db: None) -> Iterator[Two]:
    with gateways.sandbox_as_of(folder, tmp_path):
        yield deepcopy(made)


def erased(who: Member) -> None:
    ann, bob = (Actor.of(superuser(f"{name}@example.com")) for name in ("ann", "bob"))
    emptied(who)
    leaving.leave(member=who, by=ann, reason="left")
    proposal = privacy.erase(member=who, by=ann, reason="asked for it")
    approvals.approve(approval=proposal, by=bob, shown=proposal.shown)


def test_export_tells_what_they_wrote_and_were_written(two):
    told = privacy.export(member=two.ada, by=two.by)

    assert [(each.get("to"), each.get("from"), each["note"]) for each in told["transfers"]][:3] == [
        ("@bodo", None, "From your Ada Lovelace"),
        (None, "@bodo", "Thank you, Ada Lovelace"),
        ("@bodo", None, "Dear countess"),
    ]
    assert [each["note"] for each in told["requests to pay"]] == ["Dear countess", "Ada Lovelace asks", "Ada L"]
    assert [(each["taken by"], each["state"]) for each in told["gifts"]] == [("@bodo", "claimed"), (None, "cancelled")]
    [order] = told["standing orders"]
    assert (order["note"], [run["state"] for run in order["days"]]) == ("Rent of Ada Lovelace", ["paid"])
    [withdrawal] = told["top-ups and withdrawals"]["withdrawals"]
    assert (withdrawal["amount"], NUMBER in withdrawal["account"]) == ("10.00 EUR", True)
    of_his = json.dumps(privacy.export(member=two.bo, by=SYSTEM))
    assert "Yours, Ada Lovelace" in of_his
    assert NUMBER not in of_his


def test_no_text_of_any_table_names_who_was_erased(two):
    erased(two.ada)

    rows = [(model.__name__, str(list(model.objects.values()))) for model in apps.get_models()]
    for text in NAMED:
        assert [name for name, told in rows if text in told and name != "Session"] == []
    assert not Withdrawal.objects.filter(payee__isnull=False).exists()
    assert not Notification.objects.filter(body__isnull=False).exists()


def test_money_stays_told_to_the_other_without_a_name(two):
    before = [line.amount for line in statements.lines(wallet=two.his).lines]
    stood = (holds(two.his), Transfer.objects.count(), Gift.objects.count())

    erased(two.ada)

    lines = statements.lines(wallet=two.his).lines
    assert [line.amount for line in lines] == before
    assert {line.counterparty for line in lines if line.kind in {"transfer", "gift"}} == {"**"}
    assert (holds(two.his), Transfer.objects.count(), Gift.objects.count()) == stood
    whom = {notice.facts["whom"] for notice in Notice.objects.of(two.bo) if "whom" in notice.facts}
    assert whom == {"**"}
    assert verification.discover().run().findings == []


def test_what_goes_on_by_itself_ends_without_a_word(two):
    erased(two.ada)

    assert StandingOrder.objects.get(member=two.ada).state == "ended"
    assert set(MoneyRequest.objects.values_list("state", flat=True)) == {"paid", "cancelled", "declined"}
    assert not Notice.objects.of(two.ada).exists()


def test_who_was_erased_is_told_nothing(two):
    euros = Wallet.objects.get(member=two.ada, currency="EUR")
    returned = gateways.withdraw(euros, 10_12, to=euros.member.instruments.get(kind="bank_account"), reference="back")
    erased(two.ada)
    later = clock.now() + timedelta(days=1, minutes=1)

    with clock.standing(later):
        sandbox.deliver(now=later)
        notifications.process_left()

    returned.refresh_from_db()
    assert returned.state == "returned"
    assert not Notice.objects.of(two.ada).exists()
    assert not Notification.objects.filter(body__isnull=False).exists()
    assert verification.discover().run().findings == []


def test_nobody_is_erased_of_whom_something_is_under_way(two):
    waiting = gateways.top_up(Wallet.objects.get(member=two.ada, currency="EUR"), 10_02, reference="waiting")
    members.close(member=two.ada, by=SYSTEM, reason="left")

    with pytest.raises(personal.OrdersUnderWay) as refused:
        privacy.erase(member=two.ada, by=Actor.of(superuser("ann@example.com")), reason="x")

    assert refused.value.facts == {"count": 1, "orders": [waiting.source]}


@pytest.mark.parametrize(
    ("model", "change", "what"),
    [
        ("TopUp", {"action_url": "https://bank.example"}, "has a page to confirm a top-up at"),
        ("Instrument", {"label": "Ada's"}, "has a name for what was saved"),
        ("Transfer", {"note": "Ada"}, "one of its members is erased, and it has a note"),
        ("Gift", {"note": "Ada"}, "one of its members is erased, and it has a note"),
        ("MoneyRequest", {"note": "Ada"}, "one of its members is erased, and it has a note"),
        ("StandingOrder", {"note": "Ada"}, "one of its members is erased, and it has a note"),
    ],
)
def test_verify_names_what_is_left(two, model: str, change: dict[str, Any], what: str):
    erased(two.ada)
    found = apps.get_model("wallets", model).objects.order_by("pk")
    row = found.filter(member=two.ada).first() if model in {"TopUp", "Instrument"} else found.first()
    found.filter(pk=row.pk).update(**change)

    report = verification.discover().run(only=["wallets.erased_hold_nothing"])

    named = f"member {two.ada.pk}" if what.startswith("has") else f"{row._meta.model_name} {row.public_id}"
    assert [(each.subject, each.detail) for each in report.findings] == [(named, what)]


def test_verify_names_what_a_gateway_wrote(two):
    kept = Notification.objects.order_by("pk").first()
    erased(two.ada)
    Notification.objects.filter(pk=kept.pk).update(body=kept.body)

    report = verification.discover().run(only=["wallets.erased_hold_nothing"])

    assert [each.detail for each in report.findings] == ["has what a gateway wrote about them"]


def test_verify_names_a_payee_that_is_left(two):
    kept = Withdrawal.objects.get()
    erased(two.ada)
    Withdrawal.objects.filter(pk=kept.pk).update(payee=kept.payee)

    report = verification.discover().run(only=["wallets.erased_hold_nothing"])

    assert [each.detail for each in report.findings] == ["has a withdrawal that says to whom"]
