"""Wallets: opening, freezing, closing."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.utils.translation import gettext_noop

from members.models import Member
from members.services import members
from paymentsite.core import clock
from paymentsite.core.actors import MEMBER, Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.errors import Invalid, Missing, Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money, Unit
from paymentsite.core.services import audit
from paymentsite.core.units import OWN_UNITS
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance
from paymentsite.ledger.refusals import AccountNotOpen
from wallets.models import Instrument, TopUp, Wallet
from wallets.services import instruments

State = Wallet.State


class NoSuchWallet(Missing):
    code = "no_such_wallet"
    sentence = gettext_noop("There is no such wallet.")


class NoCurrency(Invalid):
    code = "wallet_needs_currency"
    sentence = gettext_noop("{unit} is no currency, so there is no wallet in it.")


class WalletFrozen(Refused):
    code = "wallet_frozen"
    sentence = gettext_noop("This wallet is frozen: money comes in, none goes out.")


class WalletClosed(Refused):
    code = "wallet_closed"
    sentence = gettext_noop("This wallet is closed.")


class WalletAwaitsMoney(Refused):
    code = "wallet_awaits_money"
    sentence = gettext_noop("A top-up of this wallet has not ended yet. Wait until it has.")


class WalletNotEmpty(Refused):
    code = "wallet_not_empty"
    sentence = gettext_noop("Only an empty wallet can be closed: {posted} is in it, {held} of that on hold.")


Ends = Callable[..., None]
_ends: Final[dict[str, Ends]] = {}


def ends(name: str) -> Callable[[Ends], Ends]:
    """Register what ends with a wallet in a higher app: ``(*, wallet, by, reason)``, in the transaction that closes it,
    the member locked."""

    def register(work: Ends) -> Ends:
        if name in _ends:
            raise TypeError(f"{name} ends with a wallet already")
        _ends[name] = work
        return work

    return register


@act
def open(*, member: Member, currency: str, by: Actor) -> Wallet:  # noqa: A001  read as wallets.open
    """The member's wallet in ``currency``, opened when there is none yet."""
    if Unit.of(currency).code in OWN_UNITS:
        raise NoCurrency(unit=currency)
    if first := Wallet.objects.of(member).open().filter(currency=currency).first():
        return first
    member = Member.objects.lock(member.pk)
    if first := Wallet.objects.of(member).open().filter(currency=currency).first():
        return first
    # What comes in for somebody who is suspended is kept; they themselves open none.
    if member.state == Member.State.CLOSED or by.kind == MEMBER:
        members.check_active(member)

    # A closed account is closed for ever, so a wallet opened after it stands on another one.
    earlier = Wallet.objects.of(member).filter(currency=currency).count()
    now = clock.now()
    account = ledger.open_account(
        owner=member.owner,
        code=f"wallet {earlier + 1}" if earlier else "wallet",
        unit=currency,
        kind=Account.Kind.LIABILITY,
        by=by,
    )
    wallet = Wallet.objects.create(
        public_id=uuid7(now), member=member, currency=currency, account=account, opened_at=now
    )
    audit.record(by=by, act="wallet.opened", subject=wallet, after={"currency": currency})
    instruments.created(member, Instrument.Kind.WALLET, by=by, wallet=wallet)
    return wallet


def check_open(wallet: Wallet) -> None:
    """Raise unless money may leave it, and have paid what is owed before any does. Decide on a row read while the
    member is locked."""
    if wallet.state == State.FROZEN:
        raise WalletFrozen
    if wallet.state == State.CLOSED:
        raise WalletClosed
    for pay in _debts.values():
        pay(member=wallet.member, currency=wallet.currency)


Pays = Callable[..., object]
PaysT = TypeVar("PaysT", bound=Pays)
_debts: Final[dict[str, Pays]] = {}


def owes(name: str) -> Callable[[PaysT], PaysT]:
    """Register what a higher app has members owe: ``(*, member, currency)`` pays of it what can be paid, in the
    transaction of an act that is about to spend, the member locked."""

    def register(pay: PaysT) -> PaysT:
        if name in _debts:
            raise TypeError(f"{name} are owed already")
        _debts[name] = pay
        return pay

    return register


@act
def freeze(*, wallet: Wallet, by: Actor, reason: str) -> Wallet:
    """Nothing goes out from now on; what comes in is kept, what is on hold may still be taken."""
    return _change(wallet, State.FROZEN, by=by, reason=reason)


@act
def thaw(*, wallet: Wallet, by: Actor, reason: str) -> Wallet:
    """Money may go out again. Not for the member to say."""
    check_not_own(by, wallet.member_id)
    return _change(wallet, State.OPEN, by=by, reason=reason)


@act
def close(*, wallet: Wallet, by: Actor, reason: str) -> Wallet:
    """The wallet is gone for ever; refused unless it is empty. A frozen one is closed by staff alone, and by none of
    them their own: closed by its member, it would be followed by one that is not frozen."""
    Member.objects.lock(wallet.member_id)
    state = Wallet.objects.get(pk=wallet.pk).state
    if state == State.FROZEN:
        if by.kind == MEMBER:
            raise WalletFrozen
        check_not_own(by, wallet.member_id)
    # Staff may: what comes then is in suspense, before a person.
    if state != State.CLOSED and by.kind == MEMBER and TopUp.objects.filter(wallet=wallet).not_ended().exists():
        raise WalletAwaitsMoney
    return _change(wallet, State.CLOSED, by=by, reason=reason)


def end(*, wallet: Wallet, by: Actor, reason: str) -> Wallet:
    """The same, frozen or not, in the act by which its membership ends: none follows it."""
    return _change(wallet, State.CLOSED, by=by, reason=reason)


_STRICT: Final = (Balance.Status.OPEN, Balance.Status.NO_DEBIT, Balance.Status.FROZEN, Balance.Status.CLOSED)
_STATUSES: Final = {
    State.OPEN: Balance.Status.OPEN,
    State.FROZEN: Balance.Status.NO_DEBIT,
    State.CLOSED: Balance.Status.CLOSED,
}


def _change(wallet: Wallet, state: Wallet.State, *, by: Actor, reason: str) -> Wallet:
    member = Member.objects.lock(wallet.member_id)
    if by.kind == MEMBER and state != State.FROZEN:
        members.check_active(member)
    wallet = Wallet.objects.select_related("account").get(pk=wallet.pk)
    if wallet.state == state:
        return wallet
    if wallet.state == State.CLOSED:
        raise WalletClosed
    standing = books.standing(wallet.account)
    # What the ledger's keepers did to the account is theirs to undo: nothing here makes it looser, or leaves it behind.
    if _STRICT.index(standing.status) > _STRICT.index(_STATUSES[State(wallet.state)]):
        raise AccountNotOpen(account=wallet.account.public_id, status=standing.status)
    if state == State.CLOSED and (standing.posted.minor or standing.held.minor):
        raise WalletNotEmpty(posted=standing.posted, held=standing.held)

    before, wallet.state = wallet.state, state
    wallet.save(update_fields=["state"])
    if state == State.CLOSED:
        instruments.retire(wallet.instrument, by=by)
        for work in _ends.values():
            work(wallet=wallet, by=by, reason=reason)
    ledger.set_status(account=wallet.account, status=_STATUSES[state], by=by, reason=reason)
    audit.record(by=by, act=f"wallet.{state}", subject=wallet, before=before, after=state, reason=reason)
    return wallet


def of(*, member: Member, currency: str) -> Wallet:
    """The member's wallet in ``currency``; raises ``NoSuchWallet``."""
    found = Wallet.objects.of(member).open().filter(currency=currency).select_related("account").first()
    if found is None:
        raise NoSuchWallet
    return found


def available(wallet: Wallet) -> Money:
    """What can be spent of it now."""
    left = books.standing(wallet.account).available
    return left or Money.zero(wallet.currency)
