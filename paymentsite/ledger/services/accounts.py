"""Opening accounts, and what may be done on them."""

from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Conflict, Invalid, Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Unit
from paymentsite.core.services import audit
from paymentsite.ledger.book import BALANCE_MAX
from paymentsite.ledger.models import Account, AccountEvent, Balance

HOUSE: Final = "house:paymentsite"
OPENED: Final = "ledger.open_account"
STATUS_SET: Final = "ledger.set_status"
FLOOR_SET: Final = "ledger.set_floor"
OPENING: Final = "opened"
_OWNER_MAX, _CODE_MAX, _REASON_MAX = 80, 60, 255


class Part(TextChoices):
    OWNER = "owner", _("account holder")
    CODE = "code", _("code")
    KIND = "kind", _("kind")
    MODE = "mode", _("mode")
    LOTS = "lots", _("keeping of lots")
    FLOOR = "floor", _("floor")


class Fault(TextChoices):
    """Why an account, or a change of one, can never be."""

    TEXT = "text", _("its {part} must have 1 to {most} printable characters")
    KIND = "kind", _("there is no such kind or mode")
    LOTS = "lots", _("only a strict account keeps lots")
    FIRST_FLOOR = "first_floor", _("it opens empty, so its floor is from {least} to 0")
    FLOOR = "floor", _("a floor is from {least} to {most}")
    REASON = "reason", _("a change needs a reason of 1 to {most} printable characters")
    STATUS = "status", _("there is no such status")


class InvalidAccount(Invalid, why=Fault, part=Part):
    code = "invalid_account"
    sentence = gettext_noop("The account cannot be: {why}.")


class AccountDiffers(Conflict, fields=Part):
    code = "account_differs"
    sentence = gettext_noop("That account was opened before, as another one. What differs: {fields}.")


class AccountClosed(Refused):
    code = "account_closed"
    sentence = gettext_noop("A closed account stays as it is.")


class AccountNotEmpty(Refused):
    code = "account_not_empty"
    sentence = gettext_noop("Only an empty account can be closed: {posted} are on it, {held} held.")


class FloorNotMet(Refused):
    code = "floor_not_met"
    sentence = gettext_noop("The account stands below that floor.")


class DeferredHasNoFloor(Refused):
    code = "deferred_has_no_floor"
    sentence = gettext_noop("A deferred account can have no floor.")


def open_account(
    *,
    owner: str,
    code: str,
    unit: str,
    kind: Account.Kind,
    mode: Account.Mode = Account.Mode.STRICT,
    floor_minor: int | None = 0,
    lots: bool = False,
    by: Actor = SYSTEM,
) -> Account:
    """The owner's account ``code`` in ``unit``, opened when there is none yet; told to be another, it refuses.

    Of its floor, the one that it was opened with is compared: where it was moved since, it stays.
    """
    if mode == Account.Mode.DEFERRED:
        floor_minor = None
    asked = {"kind": kind, "mode": mode, "lots": lots}
    _check(owner=owner, code=code, kind=kind, mode=mode, lots=lots, floor_minor=floor_minor)
    # Nearly always it is there, so that nothing is begun for a look.
    if first := Account.objects.filter(owner=owner, code=code, unit=unit).first():
        return _same(first, asked, floor_minor)
    return _opened({"owner": owner, "code": code, "unit": Unit.of(unit).code}, asked, floor_minor, by)


@act
def _opened(key: dict[str, str], asked: dict[str, Any], floor_minor: int | None, by: Actor) -> Account:
    now = clock.now()
    try:
        with transaction.atomic():
            account = Account.objects.create(public_id=uuid7(now), **key, opened_at=now, **asked)
    except IntegrityError:
        if first := Account.objects.filter(**key).first():
            return _same(first, asked, floor_minor)
        raise
    Balance.objects.create(account=account, floor_minor=floor_minor)
    event = _tell(account, AccountEvent.Kind.OPENED, Balance.Status.OPEN, floor_minor, 0, by, OPENING)
    what = {**identity(account), "floor_minor": floor_minor}
    audit.record(by=by, act=OPENED, subject=account, after=what, at=event.at)
    return account


def identity(account: Account) -> dict[str, Any]:
    """What an account is for ever: kept on the sealed audit trail, so that a change of it is seen."""
    return {
        "public_id": str(account.public_id),
        "unit": account.unit,
        "kind": str(account.kind),
        "owner": account.owner,
        "code": account.code,
        "mode": str(account.mode),
        "lots": account.lots,
        "opened_at": account.opened_at.isoformat(),
    }


def change(event: AccountEvent) -> dict[str, Any]:
    """What a change made of an account, and from which posting on: on the trail, so that the two can be compared."""
    return {"status": str(event.status), "floor_minor": event.floor_minor, "seq": event.seq}


def _check(*, owner: str, code: str, kind: str, mode: str, lots: bool, floor_minor: int | None) -> None:
    for name, value, most in (("owner", owner, _OWNER_MAX), ("code", code, _CODE_MAX)):
        if not (1 <= len(value) <= most and value.isprintable()):
            raise InvalidAccount(why=Fault.TEXT, part=name, most=most)
    if kind not in Account.Kind.values or mode not in Account.Mode.values:
        raise InvalidAccount(why=Fault.KIND)
    if lots and mode != Account.Mode.STRICT:
        raise InvalidAccount(why=Fault.LOTS)
    if floor_minor is not None and not -BALANCE_MAX <= floor_minor <= 0:
        raise InvalidAccount(why=Fault.FIRST_FLOOR, least=-BALANCE_MAX)


def _check_reason(reason: str) -> None:
    if not (1 <= len(reason) <= _REASON_MAX and reason.isprintable()):
        raise InvalidAccount(why=Fault.REASON, most=_REASON_MAX)


def house(code: str, unit: str) -> Account:
    """An account of ours: hot and without a floor, such as ``position`` or ``breakage`` in ``unit``."""
    return open_account(
        owner=HOUSE,
        code=code,
        unit=unit,
        kind=_HOUSE_KINDS.get(code, Account.Kind.EQUITY),
        mode=Account.Mode.DEFERRED,
    )


_HOUSE_KINDS: Final = {
    "cash": Account.Kind.ASSET,
    "fees": Account.Kind.INCOME,
    "exchange margin": Account.Kind.INCOME,
    "breakage": Account.Kind.INCOME,
    "points": Account.Kind.EXPENSE,
    "account_proofs": Account.Kind.EXPENSE,
    "losses": Account.Kind.EXPENSE,
    "suspense": Account.Kind.LIABILITY,
    "bank suspense": Account.Kind.LIABILITY,
}


@act
def set_status(*, account: Account, status: Balance.Status, by: Actor, reason: str) -> None:
    """From now on the account is ``status``. Closing needs it empty, and is for ever."""
    _check_reason(reason)
    if status not in Balance.Status.values:
        raise InvalidAccount(why=Fault.STATUS)
    balance = Balance.objects.select_for_update().get(account=account)
    if balance.status == status:
        return
    if balance.status == Balance.Status.CLOSED:
        raise AccountClosed(account=account.public_id)
    if status == Balance.Status.CLOSED and (balance.posted_minor or balance.held_minor or not account.strict):
        raise AccountNotEmpty(account=account.public_id, posted=balance.posted, held=balance.held)

    Balance.objects.filter(pk=account.pk).update(status=status)
    event = _tell(account, AccountEvent.Kind.STATUS, status, balance.floor_minor, balance.seq, by, reason)
    before, after = {"status": balance.status}, change(event)
    audit.record(by=by, act=STATUS_SET, subject=account, before=before, after=after, reason=reason, at=event.at)


@act
def set_floor(*, account: Account, floor_minor: int | None, by: Actor, reason: str) -> None:
    """From now on what is available ends at ``floor_minor``; refused when the account stands below it already, or is
    closed."""
    _check_reason(reason)
    if not account.strict:
        raise DeferredHasNoFloor(account=account.public_id)
    if floor_minor is not None and not -BALANCE_MAX <= floor_minor <= BALANCE_MAX:
        raise InvalidAccount(why=Fault.FLOOR, least=-BALANCE_MAX, most=BALANCE_MAX)
    balance = Balance.objects.select_for_update().get(account=account)
    if balance.floor_minor == floor_minor:
        return
    if balance.status == Balance.Status.CLOSED:
        raise AccountClosed(account=account.public_id)
    if floor_minor is not None and balance.posted_minor - balance.held_minor < floor_minor:
        raise FloorNotMet(account=account.public_id)

    Balance.objects.filter(pk=account.pk).update(floor_minor=floor_minor)
    event = _tell(account, AccountEvent.Kind.FLOOR, balance.status, floor_minor, balance.seq, by, reason)
    before, after = {"floor_minor": balance.floor_minor}, change(event)
    audit.record(by=by, act=FLOOR_SET, subject=account, before=before, after=after, reason=reason, at=event.at)


def _same(first: Account, asked: dict[str, object], floor_minor: int | None) -> Account:
    fields = [name for name, value in asked.items() if getattr(first, name) != value]
    # A hot account has no floor, so that one is not looked for.
    if not fields and first.strict:
        opened = first.events.filter(kind=AccountEvent.Kind.OPENED, floor_minor=floor_minor)
        fields = [] if opened.exists() else [Part.FLOOR.value]
    if fields:
        raise AccountDiffers(account=first.public_id, fields=fields)
    return first


def _tell(
    account: Account,
    kind: AccountEvent.Kind,
    status: str,
    floor_minor: int | None,
    seq: int,
    by: Actor,
    reason: str,
) -> AccountEvent:
    return AccountEvent.objects.create(
        account=account,
        kind=kind,
        status=status,
        floor_minor=floor_minor,
        seq=seq,
        actor=str(by),
        reason=reason,
        at=clock.now(),
    )
