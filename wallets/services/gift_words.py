"""How gifts are told: to the giver and to the taker, in notices and on statements."""

from collections.abc import Collection, Mapping

from django.utils.translation import gettext, gettext_noop

from members.models import Member
from members.services import notices
from wallets.models import Gift
from wallets.services.transfers import called
from wallets.telling import Told, teller

CLAIMED = notices.kind("gift_claimed", gettext_noop("{whom} took your gift of {amount}."))
CAME = notices.kind("gift_came", gettext_noop("{whom} gave you {amount}."))
RETURNED = notices.kind("gift_returned", gettext_noop("Nobody took your gift of {amount}: it is yours again."))


@teller("gift")
def tell(ids: Collection[str], member: Member) -> Mapping[str, Told]:
    """To the giver and to the taker."""
    found = Gift.objects.filter(public_id__in=ids).select_related("sender", "claimed_by")
    return {str(gift.public_id): _told(gift, member) for gift in found}


def _told(gift: Gift, member: Member) -> Told:
    if gift.sender_id == member.pk:
        other = called(gift.claimed_by) if gift.claimed_by else ""
        words = gettext("Gift taken by %(whom)s") % {"whom": other}
    else:
        other = called(gift.sender)
        words = gettext("Gift from %(whom)s") % {"whom": other}
    return Told(f"{words}: {gift.note}" if gift.note else words, other, gift.source)
