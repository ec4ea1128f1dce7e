"""Two people of the staff, what waits for them, and whether the books are clean after it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import Model
from django.db.models.signals import post_save

from members.models import Notice, User
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


@contextmanager
def untold(subject: str) -> Iterator[None]:
    """Nobody can be told of ``subject``, so that what its members must hear of fails."""

    def fail(instance: Notice, **_signal: object) -> None:
        if instance.subject == subject:
            raise RuntimeError("this member cannot be told")

    post_save.connect(fail, sender=Notice)
    try:
        yield
    finally:
        post_save.disconnect(fail, sender=Notice)


@contextmanager
def unsaved(row: Model) -> Iterator[None]:
    """The row cannot be written, so that whatever has to fails."""

    def fail(instance: Model, **_signal: object) -> None:
        if instance.pk == row.pk:
            raise RuntimeError("this row cannot be written")

    post_save.connect(fail, sender=type(row))
    try:
        yield
    finally:
        post_save.disconnect(fail, sender=type(row))


def items() -> set[str]:
    return set(OpenItem.objects.open().values_list("kind", flat=True))


def clean() -> bool:
    return not verification.discover().run(only=["wallets", "ledger"]).findings
