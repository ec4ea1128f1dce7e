"""What needs a person is said once, taken by somebody, and closed."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from members.models import User
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import AuditEntry, OpenItem
from paymentsite.core.services import open_item_checks, open_items
from paymentsite.core.services.open_items import ItemDone, NoteMissing

pytestmark = pytest.mark.django_db

ANN, BEN = Actor("staff", "1"), Actor("staff", "2")
MOMENT = timedelta(microseconds=1)


def opened(subject: str = "payment:1", **given: Any) -> OpenItem:
    return open_items.open(
        **{
            "kind": "unknown_outcome",
            "subject": subject,
            "why": "The gateway timed out",
            "by": SYSTEM,
            **given,
        }
    )


def trail(item: OpenItem) -> list[str]:
    return list(AuditEntry.objects.of(item).order_by("pk").values_list("act", flat=True))


def test_item_is_open_once_for_its_kind_and_subject() -> None:
    item = opened()

    again = opened(why="Another reason", by=ANN)

    assert again == item
    assert (again.why, again.opened_by) == ("The gateway timed out", "system:paymentsite")
    assert OpenItem.objects.open().count() == 1
    assert trail(item) == ["open_item.opened"]
    assert str(item) == "unknown_outcome payment:1"


def test_items_of_other_kinds_and_subjects_stand_beside() -> None:
    user = User.objects.create_user("ann@example.com")

    assert len({opened().pk, opened("payment:2").pk, opened(kind="unmatched").pk, opened(user).pk}) == 4
    assert OpenItem.objects.about(user).get().subject == f"members.user:{user.pk}"


@pytest.mark.attack
def test_item_keeps_no_card_number() -> None:
    assert "4111" not in opened(why="credit from 4111 1111 1111 1111").why


def test_database_s_refusal_reaches_the_caller() -> None:
    with pytest.raises(IntegrityError):
        opened(kind=None)


def test_closing_what_is_not_open_changes_nothing() -> None:
    opened()

    assert open_items.close(kind="unknown_outcome", subject="payment:2", by=SYSTEM) is None
    assert open_items.close(kind="unmatched", subject="payment:1", by=SYSTEM) is None

    assert OpenItem.objects.open().count() == 1


def test_closed_item_can_be_opened_anew() -> None:
    first = opened()

    closed = open_items.close(kind="unknown_outcome", subject="payment:1", by=SYSTEM, note="The gateway answered")

    assert closed == first
    assert (closed.state, closed.closed_by, closed.note) == (
        "done",
        "system:paymentsite",
        "The gateway answered",
    )
    assert trail(first) == ["open_item.opened", "open_item.closed"]
    assert open_items.close(kind="unknown_outcome", subject="payment:1", by=SYSTEM) is None
    second = opened()
    assert second.pk != first.pk
    assert OpenItem.objects.open().get() == second


def test_item_is_done_once_and_with_a_note() -> None:
    item = opened()
    with pytest.raises(NoteMissing):
        open_items.done(item=item, by=ANN, note=" ")

    done = open_items.done(item=item, by=ANN, note="Called the bank")

    assert (done.state, done.closed_by, done.note) == ("done", "staff:1", "Called the bank")
    with pytest.raises(ItemDone):
        open_items.done(item=item, by=ANN, note="Again")
    assert trail(item) == ["open_item.opened", "open_item.closed"]


def test_item_has_one_owner_or_none() -> None:
    item = opened()

    assert open_items.assign(item=item, owner=ANN, by=ANN).owner == "staff:1"
    assert open_items.assign(item=item, owner=ANN, by=ANN).owner == "staff:1"
    assert open_items.assign(item=item, owner=None, by=ANN).owner == ""

    assert trail(item) == ["open_item.opened", "open_item.assigned", "open_item.assigned"]
    last = AuditEntry.objects.of(item).latest("pk")
    assert (last.before, last.after) == ({"owner": "staff:1"}, {"owner": ""})


def test_item_that_is_done_cannot_be_assigned() -> None:
    item = opened()
    open_items.done(item=item, by=ANN, note="Seen")

    with pytest.raises(ItemDone):
        open_items.assign(item=item, owner=ANN, by=ANN)


@pytest.mark.parametrize("changes", [{"why": "x"}, {"subject": "x"}, {"state": "done"}, {"closed_by": "staff:1"}])
def test_database_refuses_to_change_what_an_item_is_about(changes: dict[str, str]) -> None:
    opened()

    with pytest.raises(IntegrityError), transaction.atomic():
        OpenItem.objects.update(**changes)
    with pytest.raises(IntegrityError), transaction.atomic():
        OpenItem.objects.all().delete()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [2, 8, 32])
def test_items_opened_at_once_are_one(together, count: int) -> None:
    results = together(count, lambda _: opened())

    assert {type(result) for result in results} == {OpenItem}
    assert len({result.pk for result in results}) == 1
    assert trail(results[0]) == ["open_item.opened"]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_the_constraint_items_opened_at_once_are_several(together, without) -> None:
    """The control: it is the database that keeps them one."""
    without(OpenItem, "core_open_item_once")
    together(8, lambda _: opened())

    assert OpenItem.objects.open().count() > 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_item_opened_and_closed_at_once_stays_one_at_a_time(together) -> None:
    def work(number: int) -> Any:
        for _ in range(10):
            if number % 2:
                opened()
            else:
                open_items.close(kind="unknown_outcome", subject="payment:1", by=SYSTEM)
        return "done"

    assert together(8, work) == ["done"] * 8

    assert OpenItem.objects.count() >= 1
    assert OpenItem.objects.open().count() <= 1
    acts = AuditEntry.objects.values_list("act", flat=True)
    assert list(acts).count("open_item.opened") == OpenItem.objects.count()
    assert list(acts).count("open_item.closed") == OpenItem.objects.filter(state="done").count()


def faults() -> set[str]:
    return {detail for _subject, detail in open_item_checks.verify()}


def test_items_are_what_the_trail_tells_of_them(unprotected) -> None:
    item, other = opened(), opened("payment:2")
    open_items.assign(item=item, owner=ANN, by=ANN)
    open_items.done(item=item, by=ANN, note="paid")
    assert faults() == set()

    OpenItem.objects.filter(pk=other.pk).update(state="done", closed_by="staff:1", closed_at=other.since)
    assert faults() == {"is done, and open by the audit trail"}
    OpenItem.objects.filter(pk=other.pk).update(state="open", closed_by="", closed_at=None)
    OpenItem.objects.filter(pk=item.pk).update(note="never mind")
    assert faults() == {"the audit trail tells otherwise of how it was closed"}
    OpenItem.objects.filter(pk=item.pk).update(note="paid")
    with unprotected():
        OpenItem.objects.filter(pk=other.pk).update(why="nothing")
    assert faults() == {"the audit trail tells otherwise of how it was opened"}
    with unprotected():
        OpenItem.objects.filter(pk=other.pk).delete()
    assert faults() == {"was opened by the audit trail, and is gone"}


@pytest.mark.parametrize("column", ["owner", "since", "closed_at"])
def test_nobody_rewrites_whose_an_item_was_nor_when_it_was_opened_and_closed(column: str, unprotected) -> None:
    item = open_items.assign(item=opened(), owner=ANN, by=ANN)
    item = open_items.done(item=open_items.assign(item=item, owner=BEN, by=ANN), by=BEN, note="Called the bank")
    assert faults() == set()
    assert item.closed_at is not None
    moved = {"since": item.since + MOMENT, "closed_at": item.closed_at - MOMENT, "owner": "staff:1"}

    with unprotected():
        OpenItem.objects.filter(pk=item.pk).update(**{column: moved[column]})

    how = {"since": "how it was opened", "closed_at": "how it was closed", "owner": "whose it is"}
    assert faults() == {f"the audit trail tells otherwise of {how[column]}"}


def test_who_was_given_an_item_is_on_the_trail() -> None:
    item = opened()

    OpenItem.objects.filter(pk=item.pk).update(owner="staff:1")

    assert faults() == {"the audit trail tells otherwise of whose it is"}


def test_open_item_has_no_note_of_what_was_done() -> None:
    item = opened()

    OpenItem.objects.filter(pk=item.pk).update(note="Called the bank")

    assert faults() == {"is open, and has a note of what was done about it"}
