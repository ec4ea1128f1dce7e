"""Uses of limits that were told belong to messages that asked nothing; any other one verify names."""

import pytest

from cards.models import CardMessage
from members.models import LimitUse
from paymentsite.core import verification
from tests.cards.using import ask, spending, tell

pytestmark = pytest.mark.django_db

CHECK = "cards.told_use_is_a_message"


def named() -> list[str]:
    return [finding.subject for finding in verification.discover().run(only=[CHECK]).findings]


@pytest.fixture
def uses() -> list[LimitUse]:
    """One that was asked for, one that was told."""
    spends = spending(500_00)
    ask(spends, 50_00, reference="asked")
    tell("capture", spends, 30_00, reference="told", final=True)
    return list(LimitUse.objects.filter(kind="card").order_by("pk"))


def test_uses_as_messages_made_them_are_clean(uses):
    assert [use.told for use in uses] == [False, True]
    assert named() == []


def test_use_that_was_asked_for_is_none_that_was_told(uses, unprotected):
    with unprotected():
        LimitUse.objects.filter(pk=uses[0].pk).update(told=True, judged=[])

    assert named() == [f"use of limits {uses[0].pk}"]


def test_use_that_no_message_told_is_named(uses, unprotected):
    with unprotected():
        LimitUse.objects.filter(pk=uses[1].pk).update(source="transfer:1")

    assert named() == [f"use of limits {uses[1].pk}"]


def test_use_that_a_question_is_said_to_have_told_is_named(uses, unprotected):
    asked = CardMessage.objects.get(kind="authorisation")
    with unprotected():
        LimitUse.objects.filter(pk=uses[0].pk).update(source="transfer:1")
        LimitUse.objects.filter(pk=uses[1].pk).update(source=f"card_message:{asked.pk}")

    assert named() == [f"use of limits {uses[1].pk}"]
