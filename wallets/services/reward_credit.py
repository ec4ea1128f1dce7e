"""Rewards that are money: their points are spent and it is in the member's wallet, in one journal."""

from collections.abc import Collection, Mapping
from typing import Final

from django.utils.translation import gettext

from members.models import Member, Redemption, Reward
from members.services import members, points, rewards
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account
from wallets.services import room, wallets
from wallets.telling import Told, teller

_NOUN: Final = "redemption"


def redeem(*, member: Member, reward: Reward, reference: str, by: Actor) -> Redemption:
    """The member has the reward, whatever kind it is of; where it is money, it is in their wallet of its currency.

    Repeating a reference returns the first redemption.
    """
    known = Redemption.objects.filter(member=member, reference=reference).exists()
    if known or reward.credit is None or reward.kind != Reward.Kind.WALLET_CREDIT:
        return rewards.redeem(member=member, reward=reward, reference=reference, by=by)
    _make_ready(member, reward.credit, by)
    return _redeem(member=member, reward=reward, credit=reward.credit, reference=reference, by=by)


@act
def _make_ready(member: Member, credit: Money, by: Actor) -> None:
    """The accounts stand before, so that the ledger can remember a refusal that names them."""
    wallets.open(member=member, currency=credit.unit, by=by)
    points.spent(member=member, points=Money(1, "PTS"))  # only proposed: opens the accounts on both sides
    _cost(credit.unit)


@act
def _redeem(*, member: Member, reward: Reward, credit: Money, reference: str, by: Actor) -> Redemption:
    member = Member.objects.lock(member.pk)
    if Redemption.objects.filter(member=member, reference=reference).exists():
        return rewards.redeem(member=member, reward=reward, reference=reference, by=by)
    members.check_active(member)
    wallet = wallets.open(member=member, currency=credit.unit, by=by)
    room.check(member=member, wallet=wallet, amount=credit)
    into = ledger.Move(credit, _cost(credit.unit), wallet.account)
    return rewards.redeem(member=member, reward=reward, reference=reference, by=by, entries=[into])


def _cost(currency: str) -> Account:
    """What rewards cost us in money: an expense."""
    return ledger.house("rewards", currency)


@teller(_NOUN)
def tell(ids: Collection[str], member: Member) -> Mapping[str, Told]:
    """How it is told on the wallet's statement and on that of the points."""
    found = Redemption.objects.filter(member=member, public_id__in=ids).select_related("reward")
    return {
        str(each.public_id): Told(
            gettext("Reward: {reward}").format(reward=each.reward.name), subject=f"{_NOUN}:{each.public_id}"
        )
        for each in found
    }
