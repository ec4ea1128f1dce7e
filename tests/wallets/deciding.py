"""Two people of the staff, what waits for them, and whether the books are clean after it."""

from members.models import User
from members.services import rights
from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import Approval, OpenItem
from paymentsite.core.services import approvals


def staff() -> Actor:
    """One more who may decide everything, and whose rights are on record."""
    user = User.objects.create_user(f"root{User.objects.count()}@example.com")
    return Actor.of(rights.appoint(user=user, superuser=True, by=SYSTEM, reason="test"))


def decide(proposal: Approval) -> None:
    """Somebody else approves it, as it was shown."""
    approvals.approve(approval=proposal, by=staff(), shown=proposal.shown)


def items() -> set[str]:
    return set(OpenItem.objects.open().values_list("kind", flat=True))


def clean() -> bool:
    return not verification.discover().run(only=["wallets", "ledger"]).findings
