"""Two people of the staff, what waits for them, and whether the books are clean after it."""

from members.models import User
from paymentsite.core import verification
from paymentsite.core.actors import Actor
from paymentsite.core.models import Approval, OpenItem
from paymentsite.core.services import approvals


def staff() -> Actor:
    number = User.objects.count()
    return Actor.of(User.objects.create_superuser(f"root{number}@example.com"))


def decide(proposal: Approval) -> None:
    """Somebody else approves it, as it was shown."""
    approvals.approve(approval=proposal, by=staff(), shown=proposal.shown)


def items() -> set[str]:
    return set(OpenItem.objects.open().values_list("kind", flat=True))


def clean() -> bool:
    return not verification.discover().run(only=["wallets", "ledger"]).findings
