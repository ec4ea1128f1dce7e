"""What machines wrote down the back office tells in words, and people by what they sign in as, in both languages."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import translation

from members.models import KycEvent, LimitUse, MemberEvent, TierChange, TierProgramme, User
from members.services import members, tiers
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from tests.members.factories import approved, member, superuser
from tests.members.limiting import cap, someone, take
from tests.members.tiering import earn, levels

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    call_command("messages", "compile")


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(superuser("operator@example.com"))
    return client


def shown(operator: Client, row: Model, language: str = "en") -> str:
    page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return operator.get(page, headers={"Accept-Language": language}).content.decode()


def test_figures_of_a_change_of_tier(operator):
    levels(measure="spend", window="year")
    ada = member()
    earn(ada, 0, clock.now() - timedelta(days=1), spend=60_00)
    tiers.of(ada, clock.now())
    change = TierChange.objects.filter(member=ada).latest("pk")
    assert change.figures["have"] == {"amount": 60_00, "currency": "CNY"}

    page = shown(operator, change)
    assert "60.00" in page
    assert '<dd class="mb-1 ml-4">spend</dd>' in page
    assert '<dt class="font-medium">have</dt>' not in page
    with translation.override("zh-hans"):
        spend = str(TierProgramme.Measure.SPEND.label)
    assert spend != "spend"
    assert f'<dd class="mb-1 ml-4">{spend}</dd>' in shown(operator, change, "zh-hans")


def test_limits_that_judged_a_use(operator):
    ada = someone()
    cap(100_00, kind="transfer")
    cap(50_00, period="act")
    take(ada, 10_00)
    use = LimitUse.objects.get()

    page = shown(operator, use)
    assert "transfer, amount, a day: 100.00 CNY, since" in page
    assert "all together, amount, each time: 50.00 CNY" in page
    assert "[[" not in page
    assert "转账" in shown(operator, use, "zh-hans")


def test_people_behind_what_happened_to_members_and_their_identity(operator):
    ann, ada = superuser("ann@example.com"), member()
    members.suspend(member=ada, by=Actor.of(ann), reason="asked")
    event = MemberEvent.objects.latest("pk")

    page = shown(operator, event)
    assert "ann@example.com" in page
    assert str(Actor.of(ann)) not in page


def test_people_behind_an_identity_case(operator):
    ada = member()
    approved(ada, 2)
    event = KycEvent.objects.filter(case__member=ada).latest("pk")
    person = User.objects.get(pk=event.actor.partition(":")[2])

    page = shown(operator, event.case)
    assert person.email in page
    assert event.actor not in page
