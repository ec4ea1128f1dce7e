"""Personal data: everything that is kept about a member told to them, and taken away when they have left.

What a higher app keeps it tells and takes away itself, in its module ``personal``, which is found at the start:

    @privacy.exporter("wallets")
    def exported(member: Member) -> Any: ...

    @privacy.eraser("wallets")
    def erased(member: Member) -> None: ...
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from members.models import Member, MemberEvent
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.effects import Effect, Line
from paymentsite.core.errors import Refused, plain
from paymentsite.core.money import Money
from paymentsite.core.services import approvals, audit

Export = Callable[[Member], Any]
Erase = Callable[[Member], None]
ExportT = TypeVar("ExportT", bound=Export)
EraseT = TypeVar("EraseT", bound=Erase)


class MemberNotClosed(Refused, state=Member.State):
    code = "erasure_needs_closing"
    sentence = gettext_noop("Personal data is erased when the membership is closed; it is {state}.")


class StillStaff(Refused):
    code = "erasure_of_staff"
    sentence = gettext_noop("This person is staff. Withdraw that first.")


_exporters: Final[dict[str, Export]] = {}
_erasers: Final[dict[str, Erase]] = {}


def exporter(name: str) -> Callable[[ExportT], ExportT]:
    """Register what tells, as plain values, everything that is kept about a member under ``name``."""

    def register(export: ExportT) -> ExportT:
        if name in _exporters:
            raise TypeError(f"{name} is exported already")
        _exporters[name] = export
        return export

    return register


def eraser(name: str) -> Callable[[EraseT], EraseT]:
    """Register what takes personal data away, for ever and so that money stays told; done twice, nothing is amiss."""

    def register(erase: EraseT) -> EraseT:
        if name in _erasers:
            raise TypeError(f"{name} is erased already")
        _erasers[name] = erase
        return erase

    return register


@act
def export(*, member: Member, by: Actor) -> dict[str, Any]:
    """Everything that is kept about the member, as JSON has it, amounts as people write them. For their own eyes; on
    the audit trail."""
    member = Member.objects.select_related("user").get(pk=member.pk)
    told = {name: plain(_written(tell(member))) for name, tell in sorted(_exporters.items())}
    audit.record(by=by, act="member.exported", subject=member, after={"parts": sorted(told)})
    return {"at": plain(clock.now()), **told}


def _written(value: Any) -> Any:
    """``value`` with its amounts in whole units: ``12.50 CNY``."""
    match value:
        case Money():
            return str(value)
        case Mapping():
            return {name: _written(each) for name, each in value.items()}
        case list() | tuple():
            return [_written(each) for each in value]
    return value


@approvals.required(
    "members.erase",
    right="members.approve_erasure",
    concerns=("member",),
    title=_("Erase what identifies a member, for ever"),
    lines={"member": Line(_("member")), "erased": Line(_("erased for ever"), gettext)},
)
def erase(*, member: Member, by: Actor, reason: str) -> Effect:
    """Nothing that identifies the member is left here; what was paid stays, under a number. Done twice is done once."""
    locked = Member.objects.lock(member.pk)
    if locked.state != Member.State.CLOSED:
        raise MemberNotClosed(state=locked.state)
    if locked.user.is_staff:
        raise StillStaff
    for take_away in _erasers.values():
        take_away(locked)
    if locked.erased_at is None:
        _mark(locked, by=by, reason=reason)
    return {"member": locked, "erased": sorted(_erasers)}


def _mark(member: Member, *, by: Actor, reason: str) -> None:
    now = clock.now()
    Member.objects.filter(pk=member.pk).update(erased_at=now)
    MemberEvent.objects.create(
        member=member, kind=MemberEvent.Kind.ERASED, state=member.state, actor=str(by), reason=reason[:255], at=now
    )
    audit.record(by=by, act="member.erased", subject=member, reason=reason)
