"""Races for what there is one of. Each counts its winners and says how the others lost."""

from collections.abc import Callable
from typing import Any

from members.models import Coupon, Redemption, Reward, TierChange
from members.services import rewards, upgrades
from members.services.coupons import CouponUsed
from members.services.rewards import RewardGone
from paymentsite.core.actors import SYSTEM
from paymentsite.ledger import queries as books
from tests.members.catalogue import code_of, coupon_reward, goods
from tests.members.factories import member
from tests.members.tiering import fund_points, levels, points_account

Together = Callable[[int, Callable[[int], Any]], list[Any]]


def winners(results: list[Any], *refusals: type[Exception]) -> list[Any]:
    """What succeeded; every other one was refused as it should."""
    lost = [each for each in results if isinstance(each, Exception)]
    assert [each for each in lost if not isinstance(each, refusals)] == []
    return [each for each in results if not isinstance(each, Exception)]


def last_reward(together: Together, count: int) -> None:
    """As many members as threads want the one that is left."""
    reward, people = goods(stock=1), [member() for _ in range(count)]
    for each in people:
        fund_points(each, 100)

    told = together(
        count, lambda number: rewards.redeem(member=people[number], reward=reward, reference="r", by=SYSTEM)
    )

    won = winners(told, RewardGone)
    assert len(won) == 1
    assert list(Redemption.objects.filter(reward=reward)) == won
    assert Reward.objects.get(pk=reward.pk).stock_left == 0
    assert sum(books.standing(points_account(each)).posted.minor for each in people) == 100 * (count - 1)


def one_coupon(together: Together, count: int) -> None:
    """One code is shown at as many tills as there are threads."""
    owner = member()
    fund_points(owner, 100)
    redemption = rewards.redeem(member=owner, reward=coupon_reward(), reference="r", by=SYSTEM)
    code = code_of(redemption)

    told = together(count, lambda number: rewards.use_coupon(code=code, by=SYSTEM, source=f"payment:{number}"))

    won = winners(told, CouponUsed)
    assert len(won) == 1
    assert Coupon.objects.get(redemption=redemption).used_for == won[0].used_for


def one_step_up(together: Together, count: int) -> None:
    """A member with points for every level asks for the next one many times at once, each time as another purchase."""
    made, owner = levels(), member()
    fund_points(owner, 1_000)

    told = together(
        count, lambda number: upgrades.buy(member=owner, tier=made["silver"], reference=f"up {number}", by=SYSTEM)
    )

    assert len(winners(told, upgrades.NotTheNextTier)) == 1
    assert TierChange.objects.filter(member=owner, reason="bought").count() == 1
    assert books.standing(points_account(owner)).posted.minor == 900


def one_reference(together: Together, count: int) -> None:
    """The same redemption is asked for many times at once."""
    reward, owner = goods(stock=count), member()
    fund_points(owner, 100 * count)

    told = together(count, lambda _: rewards.redeem(member=owner, reward=reward, reference="r", by=SYSTEM))

    assert {each.pk for each in winners(told)} == {Redemption.objects.get(member=owner).pk}
    assert Reward.objects.get(pk=reward.pk).stock_left == count - 1
