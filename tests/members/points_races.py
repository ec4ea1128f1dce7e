"""Races for points. Each counts who got what, and is run against a planted bug beside."""

from collections.abc import Callable
from typing import Any

from members.models import EarnBudget, Earning, Referral
from members.services import points
from members.services.points import maturing, referrals
from paymentsite.core import clock, verification
from paymentsite.ledger.models import Journal
from tests.members.factories import member
from tests.members.pointing import budget, house, pay, refund, rule, standing

Together = Callable[[int, Callable[[int], Any]], list[Any]]
CHECKS = (
    "members.campaign_budget_kept",
    "members.earning_is_posted",
    "members.earning_is_given",
    "members.points_went_back",
)


def raised(told: list[Any]) -> list[Any]:
    return [each for each in told if isinstance(each, Exception)]


def assert_sound() -> None:
    assert verification.discover().run(only=[*CHECKS, "members.points_pending_adds_up"]).findings == []


def last_of_a_campaign(together: Together, count: int) -> None:
    """Points for a little less than half of those who buy at once: whole, then what is left, then none."""
    total = 10 * (count // 2) - 3
    code = f"campaign{Earning.objects.count()}"
    rule(code, budget=budget(total, code), scope="merchant", scope_key=code)
    people = [member() for _ in range(count)]

    told = together(
        count, lambda number: pay(people[number], 10_00, source=f"{code}:{number}", merchant=code).points.minor
    )

    assert raised(told) == []
    assert sorted(told, reverse=True) == [10] * (count // 2 - 1) + [7] + [0] * (count - count // 2)
    assert EarnBudget.objects.get(code=code).left == 0
    assert_sound()


def maturing_at_once(together: Together, count: int) -> None:
    """However many jobs run at once, what is due is given once."""
    code = f"waiting{Earning.objects.count()}"
    rule(code, pending="final", scope="merchant", scope_key=code)
    people = [member() for _ in range(4)]
    for number, each in enumerate(people):
        pay(each, 10_00, source=f"{code}:{number}", merchant=code)
        points.final(source=f"{code}:{number}", now=clock.now())
    due = list(Earning.objects.due(clock.now()).values_list("pk", flat=True))

    told = together(count, lambda _number: [maturing._mature(pk, clock.now()) for pk in due])

    assert raised(told) == []
    assert sum(map(sum, told)) == len(due) == 4
    assert [standing(each) for each in people] == [(10, 0, 0, 0)] * 4
    assert Journal.objects.posted().filter(source__in=[f"earning:{pk}" for pk in due]).count() == 4
    assert_sound()


def refund_while_maturing(together: Together, count: int) -> None:
    """Whichever comes first: after the refund nothing of it is left anywhere."""
    before = house("points")
    code = f"crossing{Earning.objects.count()}"
    rule(code, pending="final", take_back="debt", scope="merchant", scope_key=code)
    people = [member() for _ in range(count // 2)]
    for number, each in enumerate(people):
        pay(each, 10_00, source=f"{code}:{number}", merchant=code)
        points.final(source=f"{code}:{number}", now=clock.now())
    due = list(Earning.objects.due(clock.now()).order_by("pk").values_list("pk", flat=True))

    def work(number: int) -> Any:
        if number % 2:
            return refund(f"{code}:{number // 2}", cause=f"{code}:{number}").taken.minor
        return maturing._mature(due[number // 2], clock.now())

    told = together(count, work)

    assert raised(told) == []
    assert told[1::2] == [10] * (count // 2)
    assert [standing(each) for each in people] == [(0, 0, 0, 0)] * (count // 2)
    assert house("points") == before
    assert_sound()


def final_while_rewarding(together: Together, count: int) -> None:
    """The next purchase is final just when it is found that what a referral was earned by is refunded: none is lost."""
    code = f"bring{Referral.objects.count()}"
    rule(code, kind="referral", points=50)
    bringers, brought = [member() for _ in range(count // 2)], [member() for _ in range(count // 2)]
    for number, (bringer, new) in enumerate(zip(bringers, brought, strict=True)):
        points.refer(member=new, referrer=bringer, now=clock.now())
        pay(new, 10_00, source=f"{code}:{number}")
        points.final(source=f"{code}:{number}", now=clock.now())
        refund(f"{code}:{number}", cause=f"{code}:{number}")
        pay(new, 10_00, source=f"{code}:{number} again")

    def work(number: int) -> Any:
        if number % 2:
            return points.final(source=f"{code}:{number // 2} again", now=clock.now())
        return referrals._reward(brought[number // 2].pk, clock.now())

    told = together(count, work)
    late = points.reward_due(now=clock.now())

    assert raised(told) == []
    assert sum(told[::2]) + late == count // 2
    assert [standing(each) for each in bringers] == [(50, 0, 0, 0)] * (count // 2)
    assert_sound()
