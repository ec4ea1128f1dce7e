"""Account numbers for one purpose: what came of what was expected, and when it is too late."""

from datetime import date, datetime
from typing import Final

from django.utils.translation import gettext_noop

from cards.models import VirtualAccount
from cards.services import account_life
from cards.services.account_life import Channel
from members.models import Member
from members.services import notices
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.acts import act
from paymentsite.core.money import Money
from wallets.services import due

Kind = VirtualAccount.Kind
Purpose = VirtualAccount.Purpose

STUCK: Final = "virtual_account_stuck"

COUNTED = notices.kind(
    "virtual_account_counted",
    gettext_noop("{amount} came to your account number ending in {last_four}: {paid} of {expected} is there now."),
)
OVERPAID = notices.kind(
    "virtual_account_overpaid",
    gettext_noop(
        "{amount} came to your account number ending in {last_four}: {paid}, more than the {expected} that you expect."
    ),
)
EXPIRED = notices.kind(
    "virtual_account_expired",
    gettext_noop(
        "The last day of your account number ending in {last_four} is over, and {paid} of {expected} came."
        " What comes later is set aside."
    ),
)


def served(*, expected: int, paid: int, expired: bool) -> VirtualAccount.Purpose:
    """How a purpose is served by what came: what came in time counts also after its last day."""
    if paid > expected:
        return Purpose.OVERPAID
    if paid == expected:
        return Purpose.PAID
    if expired:
        return Purpose.EXPIRED
    return Purpose.PART_PAID if paid else Purpose.OPEN


def fits(account: VirtualAccount, amount: Money) -> Money:
    """How much of ``amount`` is put on the wallet, as far as the purpose says."""
    if account.expected is None or account.over == VirtualAccount.Over.KEEP:
        return amount
    left = Money(max(account.expected.minor - account.paid_minor, 0), amount.unit)
    return min(left, amount)


def count(account: VirtualAccount, amount: Money, *, by: Actor, channel: Channel, subject: str) -> None:
    """``amount`` has come for the purpose of the account, which is told, as ``subject``. Its member is locked."""
    if account.expected is None or not amount.minor:
        return
    before = account.purpose
    account.paid_minor += amount.minor
    account.purpose = served(
        expected=account.expected.minor, paid=account.paid_minor, expired=before == Purpose.EXPIRED
    )
    account.save(update_fields=["paid_minor", "purpose"])
    if account.purpose != before:
        account_life.write(account, before=account.state, by=by, channel=channel)
    notices.tell(
        member=account.member,
        kind=OVERPAID if account.purpose == Purpose.OVERPAID else COUNTED,
        subject=subject,
        amount=amount,
        last_four=account.last_four,
        paid=account.paid,
        expected=account.expected,
    )


@act
def expire(*, account: VirtualAccount, today: date) -> bool:
    """The purpose is not served, and its last day is over. Not before; repeated, nothing changes."""
    Member.objects.lock(account.member_id)
    found = VirtualAccount.objects.due(today).select_related("member").filter(pk=account.pk).first()
    if found is None:
        return False
    found.purpose = Purpose.EXPIRED
    found.save(update_fields=["purpose"])
    account_life.write(found, before=found.state, by=SYSTEM, channel=Channel.JOB, reason="its last day is over")
    if found.state != VirtualAccount.State.CLOSED:
        account_life.told(found, EXPIRED, paid=found.paid, expected=found.expected)
    return True


def expire_due(*, now: datetime) -> int:
    """Expire what has had its last day; how many account numbers."""
    today = clock.day_of(now)
    rows = VirtualAccount.objects.due(today).order_by("expires_on", "pk")
    return due.each(rows, lambda account: expire(account=account, today=today), stuck=STUCK)
