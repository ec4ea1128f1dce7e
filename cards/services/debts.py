"""What members owe because a card took more than there was: paid first from whatever comes in."""

from functools import partial
from typing import Final

from django.db.models import QuerySet

from cards.models import Card
from cards.queries.deciding import DEBT
from cards.services import use_books
from members.models import Member
from members.services import turns
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.acts import act
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.core.services import open_items
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, Balance
from wallets.models import Wallet
from wallets.services import wallets

OWED: Final = "card_debt"
STUCK: Final = "card_debt_stuck"
SCOPE: Final = "cards.debt"


def owed(member: Member, currency: str) -> Money:
    """What the member owes us in ``currency``."""
    row = Balance.objects.filter(account__owner=member.owner, account__code=DEBT, account__unit=currency)
    posted = row.values_list("posted_minor", flat=True).first() or 0
    return Money(max(0, -posted), currency)


def standing(member: Member, currency: str) -> tuple[Money, Account] | None:
    """What the member owes, and where it stands; None where it is nothing, or can be paid by nothing at present."""
    left = owed(member, currency)
    if not left.minor:
        return None
    account = use_books.debt_account(member, currency)
    return (left, account) if _takes(account) else None


def relieved(member: Member, currency: str) -> None:
    """Nobody has to look after a debt that is no more."""
    if not owed(member, currency).minor:
        open_items.close(kind=OWED, subject=use_books.debt_account(member, currency), note="paid", by=SYSTEM)


def raised(account: Account, amount: Money, why: str) -> None:
    """Somebody looks after a debt: one matter as long as anything is owed."""
    open_items.open(kind=OWED, subject=account, why=f"{amount} more than there was: {why}", by=SYSTEM)


@wallets.owes("cards")
def repay(*, member: Member, currency: str) -> Money:
    """As much as there is of what the member owes is paid; how much was. The member is locked.

    From their wallet first, then from what is on their cards. Refused where the debt's account takes nothing though
    something is there: nobody spends what they owe.
    """
    left = owed(member, currency)
    paid = Money.zero(currency)
    if not left.minor:
        return paid
    debt = use_books.debt_account(member, currency)
    for account in _sources(member, currency):
        part = Money(min(left.minor - paid.minor, use_books.free(account)), currency)
        if part.minor > 0:
            ledger.post(
                ledger.Move(part, account, debt),
                kind="card_debt",
                scope=SCOPE,
                reference=str(uuid7(clock.now())),
                source=f"card_debt:{debt.public_id}",
            )
            paid += part
    if paid == left:
        open_items.close(kind=OWED, subject=debt, note="paid", by=SYSTEM)
    return paid


def collect(*, member: Member, currency: str) -> Money:
    """The same for what must not fail because of it: where the debt's account takes nothing, nothing is paid."""
    if not owed(member, currency).minor:
        return Money.zero(currency)
    if not _takes(use_books.debt_account(member, currency)):
        return Money.zero(currency)
    return repay(member=member, currency=currency)


def _takes(account: Account) -> bool:
    status = Balance.objects.select_for_update().get(account=account).status
    return status in {Balance.Status.OPEN, Balance.Status.NO_DEBIT}


def _sources(member: Member, currency: str) -> list[Account]:
    purses = Wallet.objects.of(member).open().filter(currency=currency).select_related("account")
    cards = Card.objects.of(member).filter(product__currency=currency).select_related("account").order_by("pk")
    found = {wallet.account_id: wallet.account for wallet in purses}
    found |= {card.account_id: card.account for card in cards}
    return list(found.values())


def owing() -> QuerySet[Balance]:
    """What members owe."""
    return Balance.objects.filter(account__code=DEBT, posted_minor__lt=0)


def repay_all() -> int:
    """Whatever came in pays what its member owes; how many members paid. For what no act asked at once."""
    found = list(owing().order_by("account_id").values_list("account__owner", "account__unit"))
    members = {member.owner: member for member in Member.objects.filter(pk__in=[_id(owner) for owner, _ in found])}
    why = "What came in pays what is owed, and that failed"
    done = [
        turns.take(partial(_repaid, members[owner], unit), subject=members[owner], stuck=STUCK, why=why)
        for owner, unit in found
    ]
    left = owing().values_list("account__owner", flat=True)
    turns.settle(stuck=STUCK, due=Member.objects.filter(pk__in=[_id(owner) for owner in left]))
    return sum(map(bool, done))


def _id(owner: str) -> int:
    return int(owner.partition(":")[2])


@act
def _repaid(member: Member, currency: str) -> bool:
    return bool(collect(member=Member.objects.lock(member.pk), currency=currency).minor)
