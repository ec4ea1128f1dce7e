"""Going up a level by spending points."""

from typing import Final
from uuid import uuid5

from django.utils.translation import gettext_noop

from members import windows
from members.models import Member, MemberTier, Tier, TierChange, TierProgramme
from members.services import members, pins, points, standings, tier_gifts
from members.services.references import check_reference
from members.tier_rules import Reason
from members.windows import Window
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Conflict, Refused
from paymentsite.core.money import Money
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret
from paymentsite.ledger import services as ledger

SCOPE: Final = "members.upgrade"
KIND: Final = "tier_upgrade"


class NotForSale(Refused):
    code = "tier_not_for_sale"
    sentence = gettext_noop("{tier} cannot be had for points.")


class NotTheNextTier(Refused):
    code = "tier_not_the_next"
    sentence = gettext_noop("Points take a member up one level: from {held} that is not {tier}.")


class UpgradePriceChanged(Conflict):
    code = "upgrade_price_changed"
    sentence = gettext_noop("{tier} costs {amount} now.")


class UpgradeDiffers(Conflict):
    code = "upgrade_differs"
    sentence = gettext_noop("That reference was used before, for {tier}.")


def buy(
    *,
    member: Member,
    tier: Tier,
    reference: str,
    by: Actor,
    pin: Secret | None = None,
    price: Money | None = None,
) -> TierChange:
    """The member has ``tier``, the next above theirs, and paid the ``price`` in points that they were shown: all or
    nothing.

    They keep it until the end of the window that runs; what they keep besides and lasts longer is theirs again after.
    Repeating a reference returns the first purchase.
    A ``pin`` is checked where one is given: whether one is asked for is the caller's to say.
    """
    check_reference(reference)
    if pin is not None:
        pins.check(member=member, pin=pin)
    return _buy(member=member, tier=tier, reference=reference, by=by, shown=price)


@act
def _buy(*, member: Member, tier: Tier, reference: str, by: Actor, shown: Money | None) -> TierChange:
    member = Member.objects.lock(member.pk)
    if first := TierChange.objects.filter(member=member, reference=reference).select_related("after").first():
        if first.after_id != tier.pk:
            raise UpgradeDiffers(tier=str(first.after))
        return first
    members.check_active(member)
    now = clock.now()
    row = standings.settle(member=member, now=now)
    tier = _offered(row, tier)

    # Named after the reference, so that the ledger knows a repeated act, refusals too.
    public_id = uuid5(member.public_id, f"upgrade {reference}")
    price = Money(tier.upgrade_points or 0, "PTS")
    if shown not in {None, price}:
        raise UpgradePriceChanged(tier=str(tier), amount=price)
    posted = ledger.post(
        *points.spent(member=member, points=price),
        kind=KIND,
        scope=SCOPE,
        reference=f"{member.pk}:{reference}",
        source=f"tier:{public_id}",
        by=by,
    )
    before = row.tier
    tier_gifts.keep(
        row,
        tier,
        until=windows.end(Window(TierProgramme.current().window), now),
        why=Reason.BOUGHT,
        by=by,
        now=now,
        public_id=public_id,
        reference=reference,
        points=price.minor,
        journal_id=posted.journal_id,
    )
    audit.record(by=by, act="member.tier_bought", subject=member, before=before.code, after=tier.code)
    return TierChange.objects.get(public_id=public_id)


def _offered(row: MemberTier, wanted: Tier) -> Tier:
    """``wanted`` as it is now, if it is the next level and can be had for points."""
    above = next((tier for tier in standings.ladder() if tier.rank > row.tier.rank), None)
    if above is None or above.pk != wanted.pk:
        raise NotTheNextTier(held=str(row.tier), tier=str(wanted))
    if above.upgrade_points is None:
        raise NotForSale(tier=str(above))
    return above
