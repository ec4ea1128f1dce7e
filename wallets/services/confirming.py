"""When money that goes to others takes the payment PIN: above an amount, be it one transfer or small ones together."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from members.models import Member
from members.services import pins
from paymentsite.core import clock
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from wallets.models import Unconfirmed

DAY: Final = timedelta(days=1)


def needs_pin(member: Member, amount: Money, now: datetime) -> bool:
    """Whether sending ``amount`` takes the PIN; in a currency without a threshold any amount does.

    What went without it since it was last given counts too, for a day from the first.
    """
    above: int = settings.TRANSFER_PIN_ABOVE.get(amount.unit, 0)
    return amount.minor + _gone(member, amount.unit, now) > above


def check_pin(member: Member, amount: Money, pin: Secret | None) -> None:
    """Raise unless the PIN is right where it is given or needed.

    Not in a transaction: a wrong guess counts whatever comes after.
    """
    if pin is not None or needs_pin(member, amount, clock.now()):
        pins.check(member=member, pin=pin)


def count(member: Member, amount: Money, *, confirmed: bool, now: datetime) -> None:
    """The amount goes: with the PIN counting begins anew, without it the amount counts.

    Called under the member's lock. Raises when others that went at the same time left too little of what may go.
    """
    if not confirmed and needs_pin(member, amount, now):
        raise pins.PinMissing
    gone = _gone(member, amount.unit, now)
    row, _new = Unconfirmed.objects.get_or_create(member=member, currency=amount.unit, defaults={"since": now})
    row.amount_minor = 0 if confirmed else gone + amount.minor
    if not gone:
        row.since = now
    row.save(update_fields=["amount_minor", "since"])


def _gone(member: Member, currency: str, now: datetime) -> int:
    of_the_day = Unconfirmed.objects.filter(member=member, currency=currency, since__gt=now - DAY)
    return of_the_day.values_list("amount_minor", flat=True).first() or 0
