"""One document, one decision, one draft; and each race turns red with the bug that it is there to find."""

from typing import Any

import pytest

from members.models import KycCase
from members.services import kyc
from tests.members import kyc_races as races
from tests.planting import turns_red

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("race", [races.one_document, races.one_decision, races.one_draft])
def test_one_of_many_wins(together, race):
    race(together, 16)


@pytest.fixture
def moved_whatever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A case's state is written whatever it was, and decided on as it was read before."""
    move = kyc._move

    def careless(case: KycCase, old: tuple[str, ...], new: str, **how: Any) -> KycCase:
        return move(case, tuple(KycCase.State), new, **how)

    monkeypatch.setattr(kyc, "_move", careless)


def test_document_that_is_looked_up_before_serves_many(together, without):
    without(KycCase, "members_kyccase_document_once")
    turns_red(races.one_document, together, 8)


@pytest.mark.usefixtures("unlocked", "moved_whatever_it_is")
def test_case_without_lock_and_condition_is_decided_again(together):
    turns_red(races.one_decision, together, 8)


@pytest.mark.usefixtures("unlocked")
def test_draft_without_a_lock_is_fought_for(together):
    turns_red(races.one_draft, together, 8)
