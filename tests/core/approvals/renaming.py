"""An act that takes two people: renaming a user."""

from datetime import UTC, datetime, timedelta
from functools import partial

from django.contrib.auth.models import Permission

from members.models import User
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.effects import Effect, Line
from paymentsite.core.errors import Refused
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.services import approvals, audit

State = Approval.State
RIGHT = "members.change_user"
LATER = datetime(2100, 1, 1, tzinfo=UTC)


class NameTaken(Refused):
    code = "test_name_taken"
    sentence = "{email} is taken."


@approvals.required(
    "test.rename",
    right=RIGHT,
    concerns=approvals.NOBODY,
    title="Rename somebody",
    lines={"from": Line("from"), "to": Line("to")},
    expires=timedelta(days=2),
)
def rename(*, user: User, email: str, note: str = "none", by: Actor, reason: str) -> Effect:
    """Rename a user."""
    if User.objects.filter(email=email).exclude(pk=user.pk).exists():
        taken = NameTaken(email=email)
        taken.keep = partial(_kept, user)
        raise taken
    before = user.email
    User.objects.filter(pk=user.pk).update(email=email)
    audit.record(by=by, act="test.renamed", subject=user, after={"note": note}, reason=reason)
    return {"from": before, "to": email}


def _kept(user: User) -> bool:
    audit.record(by=SYSTEM, act="test.kept", subject=user)
    return True


def staff(name: str, *, right: bool = True) -> Actor:
    user = User.objects.create_user(f"{name}@example.com", is_staff=True)
    if right:
        user.user_permissions.add(Permission.objects.get(codename="change_user"))
    return Actor.of(user)


def runs() -> int:
    return AuditEntry.objects.filter(act="test.renamed").count()


def trail(approval: Approval) -> list[str]:
    return list(AuditEntry.objects.of(approval).order_by("pk").values_list("act", flat=True))


def approve(approval: Approval, by: Actor) -> Approval:
    return approvals.approve(approval=approval, by=by, shown=approval.shown)
