"""What uses of cards do in the books. Each message is one journal at most: its reference is the message's id.

What a network takes from us stands on the processor's clearing account in the currency settled. What a card cannot
bear becomes its member's debt, which stands below zero on an account of their own until something comes in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from cards.models import Card, CardAuthorisation
from cards.queries.deciding import DEBT
from cards.services.charges import Charge
from members.models import Member
from paymentsite.core.actors import Actor
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance, Hold
from wallets.services import bookings, exchanges, fees

SCOPE: Final = "cards.use"
LOSSES: Final = "losses"
# What is paid in another currency is exchanged on the way.
exchanges.earn(SCOPE)


# So much, and to where.
Leg = tuple[Money, Account]


@dataclass(slots=True)
class Journal:
    """What a message moves, put together before it is posted."""

    entries: list[ledger.Entry] = field(default_factory=list)
    debt: int = 0
    placed: bool = False
    # What of it was, or is, our loss and not the member's.
    ours: int = 0


def clearing(processor: str, currency: str) -> Account:
    """What we owe ``processor`` in ``currency``."""
    return ledger.open_account(
        owner=f"processor:{processor}",
        code="clearing",
        unit=currency,
        kind=Account.Kind.LIABILITY,
        mode=Account.Mode.DEFERRED,
    )


def debt_account(member: Member, currency: str) -> Account:
    """What the member owes us in ``currency`` stands below zero on it."""
    return ledger.open_account(
        owner=member.owner, code=DEBT, unit=currency, kind=Account.Kind.LIABILITY, floor_minor=None
    )


def hold_of(use: CardAuthorisation) -> Hold | None:
    """What is set aside for the use, if anything still is."""
    if use.hold_id is None:
        return None
    return Hold.objects.select_related("account").filter(pk=use.hold_id).open().first()


def free(account: Account) -> int:
    """What can be taken from the account now; its balance is locked, so that it stays so."""
    row = Balance.objects.select_for_update().get(pk=account.pk)
    if row.status != Balance.Status.OPEN:
        return 0
    return max(0, row.posted_minor - row.held_minor - (row.floor_minor or 0))


def bring(journal: Journal, use: CardAuthorisation, hold: Hold | None, target: int, spare: int) -> None:
    """``target`` is set aside for the use from now on, as far as there is so much."""
    left = hold.left.minor if hold else 0
    if target < left and hold:
        journal.entries.append(ledger.Release(hold, Money(left - target, use.currency)))
    elif target > left and (more := min(target - left, spare)) > 0:
        amount = Money(more, use.currency)
        journal.entries.append(ledger.Increase(amount, hold) if hold else ledger.Place(amount, use.account))
        journal.placed = hold is None


def take(
    journal: Journal,
    use: CardAuthorisation,
    card: Card,
    charge: Charge,
    hold: Hold | None,
    target: int,
    *,
    suspended: int = 0,
    recovered: int = 0,
) -> None:
    """What was captured is taken: from what is set aside, then from what else there is, and the rest becomes a debt.

    ``target`` stays set aside. What is taken back of a refund comes first out of what of it is ``suspended`` still,
    then out of what it ``recovered`` of our losses.
    """
    account = use.account
    status = Balance.objects.select_for_update().get(pk=account.pk).status
    left = hold.left.minor if hold and status in {Balance.Status.OPEN, Balance.Status.NO_DEBIT} else 0
    held = hold.left.minor if hold else 0
    legs, _ = _out_of(journal, _legs(use, charge), suspended, bookings.suspense(use.currency))
    legs, journal.ours = _out_of(journal, legs, recovered, ledger.house(LOSSES, use.currency))
    used = min(left, sum(amount.minor for amount, _ in legs))
    spare = free(account)
    rest = used
    short: list[Leg] = []
    for amount, target_account in legs:
        part = min(rest, amount.minor)
        rest -= part
        if part and hold:
            journal.entries.append(ledger.Capture(Money(part, amount.unit), hold, target_account))
        if amount.minor > part:
            short.append((Money(amount.minor - part, amount.unit), target_account))
    if hold and held - used > target:
        journal.entries.append(ledger.Release(hold, Money(held - used - target, use.currency)))
        spare += (held - used - target) if status == Balance.Status.OPEN else 0
    _take_short(journal, account, card, short, spare)
    _settle(journal, use, charge)


def _out_of(journal: Journal, legs: Sequence[Leg], most: int, source: Account) -> tuple[list[Leg], int]:
    """What has to come from elsewhere, once at ``most`` so much came from ``source``; and what did."""
    left, rest = [], most
    for amount, target in legs:
        part = min(rest, amount.minor)
        rest -= part
        if part:
            journal.entries.append(ledger.Move(Money(part, amount.unit), source, target))
        if amount.minor > part:
            left.append((Money(amount.minor - part, amount.unit), target))
    return left, most - rest


def _take_short(journal: Journal, account: Account, card: Card, short: Sequence[Leg], spare: int) -> None:
    for amount, target in short:
        own = min(spare, amount.minor)
        spare -= own
        if own:
            journal.entries.append(ledger.Move(Money(own, amount.unit), account, target))
        if owed := amount.minor - own:
            journal.debt += owed
            source = debt_account(card.member, amount.unit)
            journal.entries.append(ledger.Move(Money(owed, amount.unit), source, target))


def give(
    journal: Journal,
    use: CardAuthorisation,
    charge: Charge,
    target: Account,
    debt: tuple[Money, Account] | None,
    lost: Money,
) -> None:
    """What is refunded makes good first what we ``lost`` by the use, and goes to ``target``; where that is nobody's, it
    pays its member's ``debt`` before."""
    rest, network = charge.own, _network(use, charge)
    if (part := min(rest, lost)).minor:
        journal.entries.append(ledger.Move(part, network, ledger.house(LOSSES, use.currency)))
        journal.ours = part.minor
        rest -= part
    if debt and (part := min(rest, debt[0])).minor:
        journal.entries.append(ledger.Move(part, network, debt[1]))
        rest -= part
    if rest.minor:
        journal.entries.append(ledger.Move(rest, network, target))
    if charge.settled.unit != use.currency and charge.settled.minor:
        position = ledger.house(exchanges.POSITION, charge.settled.unit)
        journal.entries.append(ledger.Move(charge.settled, clearing(use.processor, charge.settled.unit), position))


def _legs(use: CardAuthorisation, charge: Charge) -> list[Leg]:
    legs = [
        (charge.own, _network(use, charge)),
        (charge.margin, ledger.house(exchanges.MARGIN, use.currency) if charge.margin.minor else None),
        (charge.fee, ledger.house(fees.HOUSE, use.currency) if charge.fee.minor else None),
    ]
    return [(amount, target) for amount, target in legs if amount.minor and target]


def _network(use: CardAuthorisation, charge: Charge) -> Account:
    """Where what the network takes in the card's currency goes: to the processor, or through our position."""
    if charge.settled.unit == use.currency:
        return clearing(use.processor, use.currency)
    return ledger.house(exchanges.POSITION, use.currency)


def _settle(journal: Journal, use: CardAuthorisation, charge: Charge) -> None:
    """In another currency the processor gets it out of our position in that."""
    if charge.settled.unit != use.currency and charge.settled.minor:
        position = ledger.house(exchanges.POSITION, charge.settled.unit)
        journal.entries.append(ledger.Move(charge.settled, position, clearing(use.processor, charge.settled.unit)))


def post(journal: Journal, use: CardAuthorisation, message: UUID, kind: str, by: Actor, **details: Any) -> UUID | None:
    """Post it, if it moves anything: the journal's id. A hold that it placed is the use's."""
    if not journal.entries:
        return None
    posted = ledger.post(
        *journal.entries,
        kind=f"card_{kind}",
        scope=SCOPE,
        reference=str(message),
        source=use.source,
        by=by,
        details=details or None,
    )
    if posted.holds:
        use.hold_id = posted.holds[0]
    return posted.journal_id
