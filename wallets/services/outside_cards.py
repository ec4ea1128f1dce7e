"""Outside cards that members save. There is nowhere to give a security code to: it is never kept."""

import calendar
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext_noop

from members.models import Member
from members.services import members, notices, turns
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Invalid, Refused, as_day
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret
from wallets import numbers
from wallets.models import Instrument, OutsideCard
from wallets.services import instruments

WARNED_BEFORE: Final = timedelta(days=30)
STUCK: Final = "outside_card_expiry_untold"
_YEARS_MAX: Final = 20
_HOLDER_MAX: Final = 80

EXPIRING: Final = notices.kind(
    "card_expiring",
    gettext_noop("Your card {card} can be used until {last_day}. Save its successor in time."),
    last_day=as_day,
)


class CardNumberWrong(Invalid):
    code = "card_number_wrong"
    sentence = gettext_noop("That is no card's number. Look at its digits again.")


class CardExpired(Refused):
    code = "card_expired"
    sentence = gettext_noop("That card has expired.")


class CardExpiryWrong(Invalid):
    code = "card_expiry_wrong"
    sentence = gettext_noop("A card expires in a month from 1 to 12, within {years} years.")


class HolderWrong(Invalid):
    code = "instrument_holder_wrong"
    sentence = gettext_noop("Say whose it is, in 2 to {most} printable characters, as it is written there.")


@act
def save(
    *, member: Member, number: Secret, holder: Secret, year: int, month: int, by: Actor, label: str = ""
) -> Instrument:
    """The card is one of the member's instruments. The same number again is the same instrument, its holder and
    expiry as they were given last: a renewed card often keeps its number.

    Whether somebody else saved it too is told to nobody.
    """
    digits, named, last_day = _digits(number), holder_of(holder), _last_day(year, month)
    member = Member.objects.lock(member.pk)
    members.check_active(member)

    first = OutsideCard.objects.filter(member=member, number_digest=digits).select_related("instrument").first()
    if first:
        return _renew(first, named, last_day, by=by)
    made = instruments.created(member, Instrument.Kind.CARD, by=by, label=label)
    OutsideCard.objects.create(
        instrument=made,
        public_id=made.public_id,
        member=member,
        number=digits,
        holder=named,
        last_four=digits.reveal()[-4:],
        brand=numbers.brand(digits.reveal()),
        expires_on=last_day,
    )
    return made


def _renew(card: OutsideCard, holder: Secret, last_day: date, *, by: Actor) -> Instrument:
    before = card.expires_on
    if (before, card.holder.decrypt()) != (last_day, holder):
        card.expires_on, card.holder = last_day, holder
        card.save(update_fields=["expires_on", "holder"])
        audit.record(by=by, act="instrument.renewed", subject=card.instrument, before=before, after=last_day)
    return card.instrument


def warn_of_expiring(*, now: datetime) -> int:
    """Members know of each card of theirs that expires within thirty days, once for each expiry; how many do."""
    today = clock.day_of(now)
    expiring = OutsideCard.objects.filter(
        instrument__state=Instrument.State.ACTIVE, expires_on__range=(today, today + WARNED_BEFORE)
    ).select_related("instrument", "member")
    return turns.tell(((card.member, _expiring(card)) for card in expiring), kind=EXPIRING, stuck=STUCK)


def _expiring(card: OutsideCard) -> dict[str, Any]:
    return {
        "subject": f"instrument:{card.public_id}:{card.expires_on:%Y-%m}",
        "card": f"{card.brand} ···· {card.last_four}".strip(),
        "last_day": card.expires_on,
    }


def _digits(number: Secret) -> Secret:
    try:
        return Secret(numbers.card(number.reveal()))
    except numbers.WrongNumber:
        raise CardNumberWrong from None


def holder_of(holder: Secret) -> Secret:
    """A holder's name as we keep it; raises ``HolderWrong``."""
    name = " ".join(holder.reveal().split())
    if not 2 <= len(name) <= _HOLDER_MAX or not name.isprintable():  # noqa: PLR2004  the shortest names have two letters
        raise HolderWrong(most=_HOLDER_MAX)
    return Secret(name)


def _last_day(year: int, month: int) -> date:
    today = clock.today()
    if not 1 <= month <= 12 or not 2000 <= year <= today.year + _YEARS_MAX:  # noqa: PLR2004  months; cards in use
        raise CardExpiryWrong(years=_YEARS_MAX)
    last_day = date(year, month, calendar.monthrange(year, month)[1])
    if last_day < today:
        raise CardExpired
    return last_day
