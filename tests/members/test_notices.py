"""Telling members what they should know."""

import pytest
from django.utils import translation

from members.models import Notice
from members.services import notices
from paymentsite.core.money import Money
from tests.members.factories import member

pytestmark = pytest.mark.django_db

CAME = notices.Kind("test_came", "{amount} came from {whom}.")


@pytest.fixture(autouse=True)
def declared(monkeypatch):
    monkeypatch.setitem(notices._kinds, "test_came", CAME)


def test_told_twice_is_told_once():
    ada = member()

    first = notices.tell(member=ada, kind=CAME, subject="transfer:1", amount=Money(1250, "CNY"), whom="@bo")
    second = notices.tell(member=ada, kind=CAME, subject="transfer:1", amount=Money(9, "CNY"), whom="@bo")

    assert first == second
    with translation.override("en"):
        assert notices.sentence(Notice.objects.get()) == "12.50 CNY came from @bo."


def test_notice_without_its_facts_is_a_mistake():
    with pytest.raises(TypeError, match="whom"):
        notices.tell(member=member(), kind=CAME, subject="x", amount=1)


def test_kind_is_declared_once():
    with pytest.raises(TypeError, match="already"):
        notices.kind("test_came", "x")


def test_notice_of_somebody_else_cannot_be_read():
    ada, bo = member(), member()
    notice = notices.tell(member=ada, kind=CAME, subject="x", amount=1, whom="y")

    assert not notices.read(member=bo, notice_id=notice.pk)
    assert notices.read(member=ada, notice_id=notice.pk)
    assert not notices.read(member=ada, notice_id=notice.pk)
    assert not Notice.objects.of(ada).unread().exists()


def test_kind_that_is_gone_still_names_itself():
    notice = Notice.objects.create(member=member(), kind="gone", subject="x", at=member().joined_at)

    assert notices.sentence(notice) == "gone"
