"""Room for what comes: no more in a wallet than its member may hold, wherever it comes from."""

from members.models import Member
from members.services import limits
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from wallets.models import TopUp, Wallet


def check(*, member: Member, wallet: Wallet, amount: Money) -> None:
    """Refuse ``amount`` where it would leave more in ``wallet`` than may be held. Decide while the member is locked.

    Top-ups that are under way may all come, and are never refused when they do: each counts as if it were here.
    """
    coming = TopUp.objects.of(member).may_come().coming(wallet.currency)
    limits.check_balance(member=member, after=books.standing(wallet.account).posted + coming + amount)
