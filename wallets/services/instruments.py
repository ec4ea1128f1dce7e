"""Instruments: finding, choosing, naming and removing what a member pays with."""

from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from members.models import Member
from members.services import members
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.disclosure import clear
from paymentsite.core.errors import Conflict, Invalid, Missing, Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.services import audit
from wallets.models import AccountProof, Instrument, Wallet
from wallets.purposes import Purpose

Kind = Instrument.Kind
State = Instrument.State

LABEL_MAX: Final = 60
# A member's saved cards and accounts: enough for anybody, too few to try stolen numbers by the hundred.
SAVED_MAX: Final = 20
_SAVED: Final = frozenset({Kind.CARD, Kind.BANK_ACCOUNT})


class NoSuchInstrument(Missing):
    code = "no_such_instrument"
    sentence = gettext_noop("There is no such card, account or wallet to pay with.")


class InstrumentRemoved(Refused):
    code = "instrument_removed"
    sentence = gettext_noop("This has been removed and cannot be used any more.")


class InstrumentNotRemovable(Refused):
    code = "instrument_not_removable"
    sentence = gettext_noop("Only saved cards and bank accounts can be removed.")


class InstrumentTaken(Conflict):
    code = "instrument_taken"
    sentence = gettext_noop("That card is another member's.")


class LabelWrong(Invalid):
    code = "instrument_label_wrong"
    sentence = gettext_noop("A label has at most {most} printable characters.")


class TooManyInstruments(Refused):
    code = "too_many_instruments"
    sentence = gettext_noop("At most {most} cards and bank accounts can be saved. Remove one first.")


def get(*, member: Member, public_id: UUID) -> Instrument:
    """The member's active instrument; somebody else's or a removed one is ``NoSuchInstrument``."""
    found = Instrument.objects.of(member).active().with_details().filter(public_id=public_id).first()
    if found is None:
        raise NoSuchInstrument
    return found


def usable(*, member: Member, purpose: Purpose, currency: str) -> list[Instrument]:
    """What the member may choose for ``purpose`` in ``currency``, the default of each kind first.

    A courtesy for pages: whoever moves money checks again with the rows locked.
    """
    found = Instrument.objects.of(member).active().with_details().filter(_fit(purpose, currency))
    return list(found.order_by("-default", "pk"))


def _fit(purpose: Purpose, currency: str) -> Q:
    wallet = Q(kind=Kind.WALLET, wallet__currency=currency, wallet__state=Wallet.State.OPEN)
    card = Q(kind=Kind.CARD, card__expires_on__gte=clock.today())
    account = Q(kind=Kind.BANK_ACCOUNT, bank_account__currency=currency, bank_account__verified_at__isnull=False)
    match purpose:
        case Purpose.PAY:
            return wallet | Q(kind=Kind.OWN_CARD) | card
        case Purpose.TOP_UP:
            return card | account
        case Purpose.WITHDRAW:
            return account


@act
def register(*, member: Member, kind: Instrument.Kind, source: str, by: Actor, label: str = "") -> Instrument:
    """A higher app's row (``card:…``) is one of the member's instruments; registered again, the same one."""
    member = Member.objects.lock(member.pk)
    if first := Instrument.objects.filter(source=source).first():
        if first.member_id != member.pk:
            raise InstrumentTaken
        return first
    members.check_active(member)
    return created(member, kind, by=by, label=label, source=source)


@act
def unregister(*, source: str, by: Actor) -> None:
    """What a higher app registered is not offered any more; done again, nothing changes."""
    found = Instrument.objects.filter(source=source).first()
    if found is None:
        raise NoSuchInstrument
    Member.objects.lock(found.member_id)
    retire(Instrument.objects.get(pk=found.pk), by=by)


@act
def rename(*, instrument: Instrument, label: str, by: Actor) -> Instrument:
    """Its member calls it ``label``."""
    found = locked(instrument)
    found.label = labelled(label)
    found.save(update_fields=["label"])
    audit.record(by=by, act="instrument.renamed", subject=found)
    return found


@act
def set_default(*, instrument: Instrument, by: Actor) -> Instrument:
    """It is the one of its kind that is offered first; the one before is not any more."""
    found = locked(instrument)
    if found.default:
        return found
    _others(found).filter(default=True).update(default=False)
    found.default = True
    found.save(update_fields=["default"])
    audit.record(by=by, act="instrument.made_default", subject=found)
    return found


@act
def remove(*, instrument: Instrument, by: Actor) -> Instrument:
    """Gone from the member's list, its number and holder from the database; what was paid with it can still be told.

    The digest goes too: docs/decisions/170. Removed again, nothing changes. A suspended member may still remove.
    """
    Member.objects.lock(instrument.member_id)
    found = Instrument.objects.with_details().get(pk=instrument.pk)
    if found.kind not in _SAVED:
        raise InstrumentNotRemovable
    if found.state == State.ACTIVE:
        _wipe(found)
        retire(found, by=by)
    return found


def retire(found: Instrument, *, by: Actor) -> None:
    """No longer offered; the eldest other of its kind takes its place as default. The member is locked."""
    if found.state == State.REMOVED:
        return
    was_default, found.default = found.default, False
    found.state, found.removed_at = State.REMOVED, clock.now()
    found.save(update_fields=["state", "default", "removed_at"])
    heir = _others(found).order_by("pk").first() if was_default else None
    if heir:
        heir.default = True
        heir.save(update_fields=["default"])
    audit.record(by=by, act="instrument.removed", subject=found, before={"shown": found.unlabelled})


def created(
    member: Member, kind: Instrument.Kind, *, by: Actor, label: str = "", source: str = "", wallet: Wallet | None = None
) -> Instrument:
    """A new instrument, the default when it is the first of its kind. The member is locked."""
    now = clock.now()
    saved = Instrument.objects.of(member).active()
    if kind in _SAVED and saved.filter(kind__in=_SAVED).count() >= SAVED_MAX:
        raise TooManyInstruments(most=SAVED_MAX)
    made = Instrument.objects.create(
        public_id=uuid7(now),
        member=member,
        kind=kind,
        label=labelled(label),
        default=not saved.filter(kind=kind).exists(),
        wallet=wallet,
        source=source,
        added_at=now,
    )
    audit.record(by=by, act="instrument.added", subject=made, after={"kind": kind, "source": source})
    return made


def locked(instrument: Instrument) -> Instrument:
    """The instrument, active and of an active member, whom nobody else changes until this transaction ends."""
    member = Member.objects.lock(instrument.member_id)
    members.check_active(member)
    found = Instrument.objects.with_details().get(pk=instrument.pk)
    if found.state == State.REMOVED:
        raise InstrumentRemoved
    return found


def labelled(label: str) -> str:
    text = " ".join(label.split())
    if len(text) > LABEL_MAX or not text.isprintable():
        raise LabelWrong(most=LABEL_MAX)
    return clear(text)


def _others(found: Instrument) -> QuerySet[Instrument, Instrument]:
    return Instrument.objects.filter(member_id=found.member_id, kind=found.kind, state=State.ACTIVE).exclude(
        pk=found.pk
    )


def _wipe(found: Instrument) -> None:
    details: Any = found.card if found.kind == Kind.CARD else found.bank_account
    details.number, details.number_digest, details.holder = None, None, None
    details.save(update_fields=["number", "number_digest", "holder"])
    if found.kind == Kind.BANK_ACCOUNT:
        waiting = AccountProof.objects.filter(account=details, state__in=["waiting", "doubtful"])
        waiting.update(state=AccountProof.State.FAILED, decided_at=clock.now())
