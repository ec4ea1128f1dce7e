"""One document, one decision, one draft; and each race turns red with the bug that it is there to find."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from members.models import KycCase
from members.models.members import MemberQuerySet
from members.services import kyc
from tests.members import kyc_races as races

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROUNDS = 50


@pytest.mark.parametrize("race", [races.one_document, races.one_decision, races.one_draft])
def test_one_of_many_wins(together, race):
    race(together, 16)


def turns_red(race: Callable[..., None], together: races.Together) -> None:
    """The race fails by what it asserts, at the latest in the last of several rounds."""

    def rounds() -> None:
        for _ in range(ROUNDS):
            race(together, 8)

    with pytest.raises(AssertionError):
        rounds()


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members are read as they stand, and nobody is kept from reading them at the same time."""
    monkeypatch.setattr(MemberQuerySet, "lock", lambda members, pk: members.get(pk=pk))


@pytest.fixture
def moved_whatever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A case's state is written whatever it was, and decided on as it was read before."""
    move = kyc._move

    def careless(case: KycCase, old: tuple[str, ...], new: str, **how: Any) -> KycCase:
        return move(case, tuple(KycCase.State), new, **how)

    monkeypatch.setattr(kyc, "_move", careless)


@pytest.fixture
def documents_serve_many(unprotected: Any) -> Iterator[None]:
    """The database does not mind whose a document is; that nobody else has it was looked up before."""
    [once] = [each for each in KycCase._meta.constraints if each.name == "members_kyccase_document_once"]
    with connection.schema_editor() as editor:
        editor.remove_constraint(KycCase, once)
    yield
    with unprotected(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE members_kyccase CASCADE")
    with connection.schema_editor() as editor:
        editor.add_constraint(KycCase, once)


@pytest.mark.usefixtures("documents_serve_many")
def test_document_that_is_looked_up_before_serves_many(together):
    turns_red(races.one_document, together)


@pytest.mark.usefixtures("unlocked", "moved_whatever_it_is")
def test_case_without_lock_and_condition_is_decided_again(together):
    turns_red(races.one_decision, together)


@pytest.mark.usefixtures("unlocked")
def test_draft_without_a_lock_is_fought_for(together):
    turns_red(races.one_draft, together)
