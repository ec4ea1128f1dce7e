"""Giving out account numbers, and what leads from them to the member's own bank account."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cards.models import AccountRange, VirtualAccount
from cards.services import account_life, account_numbers
from cards.services.account_life import Channel
from cards.services.issuing import checked_label
from members.models import Member
from members.services import members
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Conflict, Invalid, Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret
from wallets.models import Instrument, Wallet, Withdrawal
from wallets.services import payees, wallets, withdrawals
from wallets.services.wording import checked_amount, checked_reference, differing

Kind = VirtualAccount.Kind
Over = VirtualAccount.Over
Purpose = VirtualAccount.Purpose
State = VirtualAccount.State

PAYER_MAX: Final = 140


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to be paid to an account number: how much, by the end of which day, by whom, and what of more becomes.

    Who is to pay is for people to read: banks write names as they like.
    """

    amount: Money
    expires_on: date | None = None
    over: VirtualAccount.Over = Over.KEEP
    payer: Secret | None = None


class Part(TextChoices):
    WALLET = "wallet", _("wallet")
    NUMBERS = "numbers", _("range")
    KIND = "kind", _("kind")
    EXPECTED = "expected_minor", _("expected amount")
    EXPIRES = "expires_on", _("last day")
    OVER = "over", _("what becomes of more")


class RangeNotOffered(Refused):
    code = "account_range_not_offered"
    sentence = gettext_noop("There are no such account numbers to be had for this wallet.")


class TooManyVirtualAccounts(Refused):
    code = "too_many_virtual_accounts"
    sentence = gettext_noop("You have {most} account numbers already; close one before you take another.")


class PermanentHeld(Refused):
    code = "virtual_account_permanent_held"
    sentence = gettext_noop("This wallet has such an account number for good already, ending in {last_four}.")


class LastDayOver(Invalid):
    code = "virtual_account_last_day_over"
    sentence = gettext_noop("The last day is over already.")


class PayerTooLong(Invalid):
    code = "virtual_account_payer_too_long"
    sentence = gettext_noop("A payer's name has at most {most} characters.")


class VirtualAccountReferenceTaken(Conflict, fields=Part):
    code = "virtual_account_reference_taken"
    sentence = gettext_noop("Reference {reference} was used before, for another number. What differs: {fields}.")


class NotLinked(Refused):
    code = "virtual_account_not_linked"
    sentence = gettext_noop("This account number is linked to no bank account of yours.")


@act
def open_permanent(
    *,
    wallet: Wallet,
    numbers: AccountRange,
    reference: str,
    by: Actor,
    channel: Channel,
    linked: Instrument | None = None,
    label: str = "",
) -> VirtualAccount:
    """The wallet has a number of the range for good; one at a time.

    Repeating a reference returns the first account; for another one it is a conflict that names the fields.
    """
    asked = {"kind": Kind.PERMANENT, "expected_minor": None, "expires_on": None, "over": Over.KEEP}
    return _open(wallet, numbers, asked, reference=reference, by=by, channel=channel, linked=linked, label=label)


@act
def open_for_purpose(
    *,
    wallet: Wallet,
    numbers: AccountRange,
    expected: Expected,
    reference: str,
    by: Actor,
    channel: Channel,
    linked: Instrument | None = None,
    label: str = "",
) -> VirtualAccount:
    """A number of the range leads into the wallet, for what is expected to be paid to.

    Less is put on the wallet, too. What is more is kept or set aside, as was chosen; what comes later is set aside.
    Repeated, as ``open_permanent``.
    """
    checked_amount(expected.amount)
    if expected.amount.unit != wallet.currency:
        raise RangeNotOffered
    asked = {
        "kind": Kind.PURPOSE,
        "expected_minor": expected.amount.minor,
        "expires_on": expected.expires_on,
        "over": expected.over,
    }
    more = {"purpose": Purpose.OPEN, "payer": _checked_payer(expected.payer)}
    return _open(
        wallet, numbers, asked, reference=reference, by=by, channel=channel, linked=linked, label=label, **more
    )


@act
def link(*, account: VirtualAccount, instrument: Instrument | None, by: Actor) -> VirtualAccount:
    """What is withdrawn from the account goes to that bank account of its member, which is verified; or to none."""
    found = account_life.locked(account)
    members.check_active(found.member)
    if found.state == State.CLOSED:
        raise account_life.VirtualAccountClosed
    before, found.linked = found.linked, _linkable(found.member, instrument, found.currency)
    if before != found.linked:
        found.save(update_fields=["linked"])
        audit.record(by=by, act="account_link.changed", subject=found, before=before, after=found.linked)
    return found


def withdraw(
    *,
    account: VirtualAccount,
    amount: Money,
    reference: str,
    by: Actor,
    pin: Secret | None = None,
    fee: Money | None = None,
) -> Withdrawal:
    """Have ``amount`` of the wallet paid to the bank account that the account is linked to.

    A withdrawal like every other: see ``withdrawals.request``. Never call it inside a transaction.
    """
    found = VirtualAccount.objects.select_related("member", "wallet", "linked").get(pk=account.pk)
    if found.state == State.CLOSED:
        raise account_life.VirtualAccountClosed
    if found.linked is None:
        raise NotLinked
    return withdrawals.request(
        member=found.member,
        wallet=found.wallet,
        amount=amount,
        instrument=found.linked,
        reference=reference,
        by=by,
        pin=pin,
        fee=fee,
    )


def _open(
    wallet: Wallet,
    numbers: AccountRange,
    asked: dict[str, Any],
    *,
    reference: str,
    by: Actor,
    channel: Channel,
    linked: Instrument | None,
    label: str,
    **more: Any,
) -> VirtualAccount:
    reference, label = checked_reference(reference), checked_label(label)
    asked = {"wallet_id": wallet.pk, "numbers_id": numbers.pk, **asked}
    member = Member.objects.lock(wallet.member_id)
    if first := VirtualAccount.objects.of(member).filter(reference=reference).first():
        if fields := differing(first, asked):
            raise VirtualAccountReferenceTaken(reference=reference, fields=fields)
        return first
    members.check_active(member)
    _check_offered(member, Wallet.objects.get(pk=wallet.pk), AccountRange.objects.get(pk=numbers.pk), asked)
    now = clock.now()
    account = VirtualAccount.objects.create(
        public_id=uuid7(now),
        number=account_numbers.draw(numbers),
        member=member,
        currency=wallet.currency,
        linked=_linkable(member, linked, wallet.currency),
        label=label,
        reference=reference,
        opened_at=now,
        **asked,
        **more,
    )
    account_life.write(account, before="", by=by, channel=channel)
    after = {"wallet": wallet, "kind": account.kind, "expected": account.expected, "last_four": account.last_four}
    audit.record(by=by, act="virtual_account.opened", subject=account, after=after)
    account_life.told(account, account_life.OPENED)
    return account


def _check_offered(member: Member, wallet: Wallet, numbers: AccountRange, asked: dict[str, Any]) -> None:
    if wallet.state == Wallet.State.CLOSED:
        raise wallets.WalletClosed
    if numbers.state == AccountRange.State.CLOSED or numbers.currency != wallet.currency:
        raise RangeNotOffered
    if asked["expires_on"] is not None and asked["expires_on"] < clock.today():
        raise LastDayOver
    of_range = VirtualAccount.objects.of(member).living().filter(numbers=numbers)
    held = of_range.filter(kind=Kind.PERMANENT, wallet=wallet).first()
    if held and asked["kind"] == Kind.PERMANENT:
        raise PermanentHeld(last_four=held.last_four)
    if of_range.waiting().count() >= numbers.held_max:
        raise TooManyVirtualAccounts(most=numbers.held_max)


def _linkable(member: Member, instrument: Instrument | None, currency: str) -> Instrument | None:
    if instrument is None:
        return None
    return payees.payable(member=member, public_id=instrument.public_id, currency=currency)


def _checked_payer(payer: Secret | None) -> Secret | None:
    text = " ".join(payer.reveal().split()) if payer else ""
    if len(text) > PAYER_MAX or not text.isprintable():
        raise PayerTooLong(most=PAYER_MAX)
    return Secret(text) if text else None
