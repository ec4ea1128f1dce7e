"""Races for levels of identity. Each counts its winners and says how the others lost."""

from collections.abc import Callable
from typing import Any

from members.models import KycCase, KycEvent, Member
from members.services import kyc
from members.services.kyc import CaseMoved, DocumentTaken
from paymentsite.core.actors import Actor
from paymentsite.core.vault import Secret
from tests.members.factories import PAPERS, approved, looked_at, member, reviewer
from tests.members.races import winners

Together = Callable[[int, Callable[[int], Any]], list[Any]]

STAFF = Actor("staff", "900001")


def submitted(number: str) -> KycCase:
    """Somebody asks for the second level with that document."""
    who = approved(member(), 1)
    by = Actor.of(who.user)
    case = kyc.fill(case=kyc.begin(member=who, level=2, by=by), by=by, **{**PAPERS, "number": Secret(number)})
    return kyc.submit(case=case, by=by)


def one_document(together: Together, count: int) -> None:
    """As many members as threads named one document, and all of them are approved at once."""
    number = f"D{KycCase.objects.count():08}"
    cases = [looked_at(submitted(number)) for _ in range(count)]
    by = reviewer()

    told = together(count, lambda each: kyc.approve(case=cases[each], by=by))

    assert len(winners(told, DocumentTaken)) == 1
    people = Member.objects.filter(kyc_cases__in=cases)
    assert sorted(people.values_list("kyc_level", flat=True)) == [1] * (count - 1) + [2]


def one_decision(together: Together, count: int) -> None:
    """Half of the threads approve a case, half reject it."""
    case, by = looked_at(submitted(f"D{KycCase.objects.count():08}")), reviewer()
    decide = (
        lambda: kyc.approve(case=case, by=by),
        lambda: kyc.reject(case=case, reason=KycEvent.Reason.EXPIRED, by=STAFF),
    )

    told = together(count, lambda number: decide[number % 2]())

    won = winners(told, CaseMoved)
    assert len(won) == 1
    assert list(case.events.values_list("state", flat=True)) == ["draft", "submitted", won[0].state]
    assert Member.objects.get(pk=case.member_id).kyc_level == (2 if won[0].state == "approved" else 1)


def one_draft(together: Together, count: int) -> None:
    """A member asks for the next level many times at once: everybody is given the same case."""
    who = approved(member(), 1)

    told = together(count, lambda _: kyc.begin(member=who, level=2, by=Actor.of(who.user)))

    assert {case.pk for case in winners(told)} == {KycCase.objects.get(member=who, level=2).pk}
