"""Bugs to plant, for the controls of races: without what keeps it from happening, the same race must turn red."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from members.models import Member
from members.models.members import MemberQuerySet
from paymentsite.ledger import moves, rules
from paymentsite.ledger.models import Balance
from paymentsite.ledger.store import wording
from tests import tables, threads

ROUNDS = 200


def turns_red(race: Callable[..., None], *arguments: Any, **facts: Any) -> None:
    """The race fails by what it asserts, at the latest in the last of several rounds."""

    def run() -> None:
        for _ in range(ROUNDS):
            race(*arguments, **facts)

    with pytest.raises(AssertionError):
        run()


@pytest.fixture
def reworded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any, str, str, str], None]]:
    """``reworded(module, "_NAME", old, new)``: plant a bug in a text of SQL."""

    def reword(module: Any, name: str, old: str, new: str) -> None:
        text = getattr(module, name)
        assert text.count(old) == 1
        monkeypatch.setattr(module, name, text.replace(old, new))
        wording.statement.cache_clear()

    yield reword
    monkeypatch.undo()
    wording.statement.cache_clear()


@pytest.fixture
def without(transactional_db: None) -> Iterator[Callable[[type[Model], str], None]]:
    """``without(Model, "name")``: drop a constraint. Afterwards all tables are emptied and it is there again."""
    dropped = []

    def drop(model: type[Model], name: str) -> None:
        [constraint] = [each for each in model._meta.constraints if each.name == name]
        with connection.schema_editor() as editor:
            editor.remove_constraint(model, constraint)
        dropped.append((model, constraint))

    yield drop
    tables.empty()
    with connection.schema_editor() as editor:
        for model, constraint in dropped:
            editor.add_constraint(model, constraint)


@pytest.fixture
def floorless(
    reworded: Callable[[Any, str, str, str], None],
    without: Callable[[type[Model], str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An account may be overdrawn: neither the database, nor the statement, nor the rules mind."""
    without(Balance, "ledger_balance_floor")
    reworded(wording, "_ABOVE_FLOOR", "floor_minor IS NULL OR", "true OR")
    monkeypatch.setattr(rules, "_check_balances", lambda _page: None)
    monkeypatch.setattr(moves, "_bears", lambda _account, _state, _change: True)


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members are read as they stand, and nobody is kept from reading them at the same time."""

    def look(members: MemberQuerySet, pk: int) -> Member:
        return members.get(pk=pk)

    def look_at_all(members: MemberQuerySet, pks: Iterable[int]) -> dict[int, Member]:
        return members.in_bulk(set(pks))

    monkeypatch.setattr(MemberQuerySet, "lock", look)
    monkeypatch.setattr(MemberQuerySet, "lock_all", look_at_all)


@pytest.fixture
def quick_to_see_deadlocks(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Each deadlock costs its victims the time after which the server looks for one: a second, unless told."""
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '50ms'")
        threads.dismiss()
        yield
        cursor.execute(f"ALTER DATABASE {name} RESET deadlock_timeout")
        threads.dismiss()
