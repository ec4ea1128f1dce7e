"""Fees are set by two people and never edited; the back office proposes them."""

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client

from members.models import User
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.models import Approval
from paymentsite.core.services import approvals
from tests.factories import cny
from tests.members.factories import member
from tests.members.limiting import NOON, tier
from tests.terms import fee
from wallets.models import FeeRule
from wallets.services import fee_rules, fees
from wallets.services.fee_rules import InvalidFeeRule

pytestmark = pytest.mark.django_db

LIST = "/admin/wallets/feerule/"


def staff(name: str) -> Actor:
    user = User.objects.create_user(f"{name}@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["set_fees", "approve_fees", "view_feerule"]))
    return Actor.of(user)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "gift"},
        {"currency": "PTS"},
        {"percent_bp": -1},
        {"percent_bp": 10_001},
        {"fixed_minor": -1},
        {"minimum_minor": 5, "maximum_minor": 4},
        {"ends_at": NOON},
    ],
)
def test_fee_that_cannot_be_is_not_even_proposed(wrong):
    asked = {"kind": "withdrawal", "currency": "CNY", "by": staff("ann"), "reason": "asked", **wrong}
    with clock.standing(NOON), pytest.raises(InvalidFeeRule):
        fee_rules.propose(**asked)
    assert not Approval.objects.exists()


@pytest.mark.attack
def test_nobody_sets_or_ends_a_fee_alone():
    ann, bob, ada = staff("ann"), staff("bob"), member()

    def price() -> int:
        now = clock.now()
        return fees.quote(member=ada, kind=fees.Kind.WITHDRAWAL, amount=cny(100), now=now).fee.minor

    proposal = fee_rules.propose(kind="withdrawal", currency="CNY", fixed_minor=7, by=ann, reason="asked")
    with pytest.raises(approvals.OwnProposal):
        approvals.approve(approval=proposal, by=ann, shown=proposal.shown)
    assert price() == 0
    approvals.approve(approval=proposal, by=bob, shown=proposal.shown)
    assert price() == 7

    ending = fee_rules.end(rule=FeeRule.objects.get(), by=ann, reason="over")
    assert price() == 7
    approvals.approve(approval=ending, by=bob, shown=ending.shown)
    assert price() == 0


def test_whoever_decides_that_a_fee_ends_reads_what_is_asked_then():
    ann, silver = staff("ann"), tier("silver", rank=1)
    of_silver = fee(kind="withdrawal", fixed_minor=50, tier=silver)
    assert fee_rules.end(rule=of_silver, by=ann, reason="over").effect["then"] == "nothing"

    everybodys = fee(kind="withdrawal", fixed_minor=70)
    fee(kind="transfer", fixed_minor=90)

    then = fee_rules.end(rule=of_silver, by=ann, reason="over").effect["then"]
    assert (then["fixed_minor"], then["tier"]) == ({"amount": 70, "currency": "CNY"}, None)
    assert fee_rules.end(rule=everybodys, by=ann, reason="over").effect["then"] == "nothing"


def test_back_office_proposes_and_replaces_in_whole_units():
    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.com"))
    bob = staff("bob")
    price = {"percent_bp": "0.1 %", "fixed": "1.5", "minimum": "", "maximum": "25", "reason": "asked"}
    dates = {"ends_at_0": "", "ends_at_1": ""}

    asked = {"kind": "withdrawal", "currency": "CNY", "tier": "", **price, **dates}
    assert client.post(f"{LIST}propose/", asked).status_code == 302
    proposal = Approval.objects.get()
    approvals.approve(approval=proposal, by=bob, shown=proposal.shown)

    rule = FeeRule.objects.get()
    assert (rule.percent_bp, rule.fixed_minor, rule.minimum_minor, rule.maximum_minor) == (10, 150, 0, 2_500)
    page = client.get(f"{LIST}{rule.pk}/replace/")
    assert page.context["form"].initial["fixed"] == "1.50"
    assert client.post(f"{LIST}{rule.pk}/replace/", {**price, **dates, "fixed": "2"}).status_code == 302
    assert [client.get(f"/admin/wallets/{name}/").status_code for name in ("feerule", "feeuse")] == [200, 200]


def test_fees_to_begin_with_are_set_once():
    assert (fee_rules.set_defaults(), fee_rules.set_defaults()) == (8, 0)


def test_new_site_has_fees_to_begin_with_and_keeps_what_operators_set(capsys):
    ann, bob = staff("ann"), staff("bob")
    proposal = fee_rules.propose(kind="withdrawal", currency="EUR", fixed_minor=7, by=ann, reason="asked")
    approvals.approve(approval=proposal, by=bob, shown=proposal.shown)

    call_command("default_fees")
    call_command("default_fees")

    assert capsys.readouterr().out == "7 fees set.\nNothing to do: fees are set for each kind and currency.\n"
    assert [rule.fixed_minor for rule in FeeRule.objects.filter(kind="withdrawal", currency="EUR")] == [7]
    ada, now = member(), clock.now()
    assert fees.quote(member=ada, kind=fees.Kind.WITHDRAWAL, amount=cny(100_000), now=now).fee == cny(100)
