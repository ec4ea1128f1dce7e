"""What orders to gateways do in the books. Each posting happens once: its reference is the order's public id.

Beside wallets there are two accounts. What a gateway owes us (or, below zero in the books of an asset, we it) stands on
its *clearing* account, in each currency; settling with the gateway moves it on. What came or went and cannot be on the
wallet that it was meant for stands in *suspense* until staff settles it.
"""

from typing import Final
from uuid import UUID

from members.models import Member
from paymentsite.core.actors import SYSTEM
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance, Hold
from wallets.models import GatewayOrder, ProofDeposit, TopUp, Wallet, Withdrawal

BookedTo = GatewayOrder.BookedTo

TOP_UP: Final = "wallets.top_up"
TOP_UP_RETURN: Final = "wallets.top_up.return"
HOLD: Final = "wallets.withdrawal.hold"
WITHDRAWAL: Final = "wallets.withdrawal"
RELEASE: Final = "wallets.withdrawal.release"
WITHDRAWAL_RETURN: Final = "wallets.withdrawal.return"
PROOF_DEPOSIT: Final = "wallets.proof_deposit"
PROOF_DEPOSIT_RETURN: Final = "wallets.proof_deposit.return"


def clearing(gateway: str, currency: str) -> Account:
    """What ``gateway`` owes us in ``currency``."""
    return ledger.open_account(
        owner=f"gateway:{gateway}",
        code="clearing",
        unit=currency,
        kind=Account.Kind.ASSET,
        mode=Account.Mode.DEFERRED,
    )


def suspense(currency: str) -> Account:
    return ledger.house("suspense", currency)


def takes(wallet: Wallet) -> bool:
    """Whether money can be put on the wallet now; locks its balance, so that it stays so. Never for who has left."""
    if wallet.member.state == Member.State.CLOSED:
        return False
    status = Balance.objects.select_for_update().get(pk=wallet.account_id).status
    return wallet.state != Wallet.State.CLOSED and status in {Balance.Status.OPEN, Balance.Status.NO_DEBIT}


def moves(wallet: Wallet) -> bool:
    """Whether what is on hold can be taken now; locks its balance, so that it stays so."""
    return Balance.objects.select_for_update().get(pk=wallet.account_id).status != Balance.Status.FROZEN


def came_in(order: TopUp, *, amount: Money, fee: Money, wallet: Wallet | None) -> UUID:
    """``amount`` came: less ``fee`` on ``wallet``, or all of it in suspense."""
    source = clearing(order.gateway, amount.unit)
    target = wallet.account if wallet else suspense(amount.unit)
    return _post(order, TOP_UP, ledger.Move(amount - fee, source, target), *_fee(fee, source))


def set_aside(order: Withdrawal, wallet: Wallet) -> UUID:
    """Hold what a withdrawal takes, fee and all; the hold's id."""
    posted = ledger.post(
        ledger.Place(order.total, wallet.account),
        kind="withdrawal_hold",
        scope=HOLD,
        reference=str(order.public_id),
        source=order.source,
    )
    return posted.holds[0]


def went_out(order: Withdrawal, *, amount: Money) -> UUID:
    """``amount`` left: from the hold, as far as that reaches in the same currency, with the fee; else from suspense.

    A hold in another currency is taken whole into suspense, for staff to exchange.
    """
    hold = _hold(order)
    target = clearing(order.gateway, amount.unit)
    if hold.state != Hold.State.OPEN:
        return _post(order, WITHDRAWAL, ledger.Move(amount, suspense(amount.unit), target))
    entries: list[ledger.Entry] = []
    if amount.unit == order.currency:
        own = min(amount, order.amount)
        entries.append(ledger.Capture(own, hold, target, final=not order.fee_minor))
        over = amount - own
    else:
        entries.append(ledger.Capture(order.amount, hold, suspense(order.currency), final=not order.fee_minor))
        over = amount
    if order.fee_minor:
        entries.append(ledger.Capture(order.fee, hold, ledger.house("fees", order.currency), final=True))
    if over.minor:
        entries.append(ledger.Move(over, suspense(over.unit), target))
    return _post(order, WITHDRAWAL, *entries)


def let_go(order: Withdrawal) -> None:
    """What was on hold can be spent again. Repeated, nothing changes."""
    hold = _hold(order)
    if hold.state == Hold.State.OPEN:
        _post(order, RELEASE, ledger.Release(hold), kind="withdrawal_release")


def came_back(order: Withdrawal, *, wallet: Wallet | None) -> UUID:
    """What had left is here again, whole: what left, and the fee; on ``wallet``, or in suspense."""
    amount, source = order.moved, clearing(order.gateway, order.moved.unit)
    if order.booked_to == BookedTo.SUSPENSE or amount.unit != order.currency:
        # It had left out of suspense, so there it is missed.
        return _post(order, WITHDRAWAL_RETURN, ledger.Move(amount, source, suspense(amount.unit)), kind=_RETURN)
    target = wallet.account if wallet else suspense(order.currency)
    own = min(amount, order.amount)
    entries = [ledger.Move(own, source, target)]
    if amount != own:
        entries.append(ledger.Move(amount - own, source, suspense(order.currency)))
    if order.fee_minor:
        entries.append(ledger.Move(order.fee, ledger.house("fees", order.currency), target))
    return _post(order, WITHDRAWAL_RETURN, *entries, kind=_RETURN)


def was_taken_back(order: TopUp) -> UUID:
    """The gateway took back what had come: missing in suspense until staff has it from the member."""
    amount = order.moved
    entry = ledger.Move(amount, suspense(amount.unit), clearing(order.gateway, amount.unit))
    return _post(order, TOP_UP_RETURN, entry, kind="charge_back")


def deposited(order: ProofDeposit, *, amount: Money) -> UUID:
    """``amount`` left, at our expense."""
    entry = ledger.Move(amount, _proofs(amount.unit), clearing(order.gateway, amount.unit))
    return _post(order, PROOF_DEPOSIT, entry)


def deposit_came_back(order: ProofDeposit) -> UUID:
    """What had left is ours again, whole."""
    amount = order.moved
    entry = ledger.Move(amount, clearing(order.gateway, amount.unit), _proofs(amount.unit))
    return _post(order, PROOF_DEPOSIT_RETURN, entry, kind="proof_deposit_return")


def _proofs(currency: str) -> Account:
    return ledger.house("account_proofs", currency)


_RETURN: Final = "withdrawal_return"


def _hold(order: Withdrawal) -> Hold:
    return Hold.objects.select_related("account").get(pk=order.hold_id)


def _fee(fee: Money, source: Account) -> list[ledger.Entry]:
    # From what the gateway owes us, not through the wallet: out of a frozen one nothing could be moved.
    return [ledger.Move(fee, source, ledger.house("fees", fee.unit))] if fee.minor else []


def _post(order: GatewayOrder, scope: str, *entries: ledger.Entry, kind: str = "") -> UUID:
    """It has happened: what our books refuse today, because an account is frozen, they take another day."""
    posted = ledger.post(
        *entries,
        kind=kind or order.noun,
        scope=scope,
        reference=str(order.public_id),
        source=order.source,
        by=SYSTEM,
        must=True,
    )
    return posted.journal_id
