"""What may become of a virtual account. Every change is a row that says who, by which way and why."""

from typing import Any, Final

from django.utils.translation import gettext_noop

from cards.models import CardEvent, VirtualAccount, VirtualAccountEvent
from cards.services.life import checked_reason
from members.models import Member
from members.services import members, notices
from paymentsite.core import clock
from paymentsite.core.actors import MEMBER, Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.disclosure import clear
from paymentsite.core.errors import Missing, Refused
from paymentsite.core.services import audit
from wallets.models import Wallet
from wallets.services import wallets

State = VirtualAccount.State
Channel = CardEvent.Channel

_REASON_MAX: Final = 255

OPENED = notices.kind("virtual_account_opened", gettext_noop("You have a new account number, ending in {last_four}."))
_TOLD: Final = {
    State.SUSPENDED: notices.kind(
        "virtual_account_suspended",
        gettext_noop("Your account number ending in {last_four} is suspended: what comes is set aside. Ask us why."),
    ),
    State.OPEN: notices.kind(
        "virtual_account_reopened", gettext_noop("Your account number ending in {last_four} can be used again.")
    ),
    State.CLOSED: notices.kind(
        "virtual_account_closed",
        gettext_noop("Your account number ending in {last_four} is closed: nothing can be paid to it any more."),
    ),
}


class NoSuchVirtualAccount(Missing):
    code = "no_such_virtual_account"
    sentence = gettext_noop("There is no such account number.")


class VirtualAccountClosed(Refused):
    code = "virtual_account_closed"
    sentence = gettext_noop("This account number is closed.")


def of(*, member: Member, public_id: Any) -> VirtualAccount:
    """The member's account; raises ``NoSuchVirtualAccount``."""
    found = VirtualAccount.objects.of(member).select_related("wallet", "numbers").filter(public_id=public_id).first()
    if found is None:
        raise NoSuchVirtualAccount
    return found


@act
def suspend(*, account: VirtualAccount, by: Actor, reason: str) -> VirtualAccount:
    """What comes is set aside from now on, until somebody of us says otherwise. Repeated, nothing changes."""
    found = locked(account)
    return change(found, State.SUSPENDED, by=by, channel=Channel.ADMIN, reason=checked_reason(reason))


@act
def reopen(*, account: VirtualAccount, by: Actor, reason: str) -> VirtualAccount:
    """What comes is put on the wallet again. Not for its member to say, whoever they are here."""
    check_not_own(by, account.member_id)
    found = locked(account)
    return change(found, State.OPEN, by=by, channel=Channel.ADMIN, reason=checked_reason(reason))


@act
def close(*, account: VirtualAccount, by: Actor, channel: Channel, reason: str = "") -> VirtualAccount:
    """Nothing can be paid to it any more, for ever. Repeated, nothing changes."""
    found = locked(account)
    if by.kind == MEMBER:
        members.check_active(found.member)
    else:
        reason = checked_reason(reason)
    return change(found, State.CLOSED, by=by, channel=channel, reason=reason)


@wallets.ends("virtual accounts")
def end_all(*, wallet: Wallet, by: Actor, reason: str) -> None:
    """Every account that leads into the wallet is closed, because the wallet is. The member is locked."""
    accounts = VirtualAccount.objects.living().filter(wallet=wallet).select_related("member", "wallet__account")
    for account in accounts.order_by("pk"):
        change(account, State.CLOSED, by=by, channel=Channel.JOB, reason=reason)


def change(
    account: VirtualAccount, state: VirtualAccount.State, *, by: Actor, channel: Channel, reason: str = ""
) -> VirtualAccount:
    """The account is ``state``, with an event, an entry of the audit trail and a notice. Its member is locked."""
    before = account.state
    if before == state:
        return account
    if before == State.CLOSED:
        raise VirtualAccountClosed
    account.state = state
    if state == State.CLOSED:
        account.closed_at = clock.now()
    account.save(update_fields=["state", "closed_at"])
    write(account, before=before, by=by, channel=channel, reason=reason)
    audit.record(by=by, act=f"virtual_account.{state}", subject=account, before=before, after=state, reason=reason)
    told(account, _TOLD[state])
    return account


def write(account: VirtualAccount, *, before: str, by: Actor, channel: Channel, reason: str = "") -> None:
    """The event that the account is what it is now."""
    VirtualAccountEvent.objects.create(
        account=account,
        before=before,
        after=account.state,
        purpose=account.purpose,
        channel=channel,
        actor=str(by),
        reason=clear(reason)[:_REASON_MAX],
        at=clock.now(),
    )


def told(account: VirtualAccount, kind: notices.Kind, **facts: Any) -> None:
    """Its member is told once of what the last event was."""
    nth = account.events.count()
    subject = f"{account.source}:{nth}"
    notices.tell(member=account.member, kind=kind, subject=subject, last_four=account.last_four, **facts)


def locked(account: VirtualAccount) -> VirtualAccount:
    """The account as it stands, its member locked."""
    Member.objects.lock(account.member_id)
    return VirtualAccount.objects.select_related("member", "wallet__account", "numbers").get(pk=account.pk)
