"""Verifying bank accounts: whoever can name two small deposits reads its statements; or its holder has their name."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_noop

from members.models import KycCase, Member
from members.services import members
from paymentsite.core import clock
from paymentsite.core.actors import Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.errors import Conflict, Invalid, Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret
from wallets import names
from wallets.models import AccountProof, BankAccount, Instrument
from wallets.services.instruments import InstrumentRemoved

State = AccountProof.State
Means = AccountProof.Means

TRIES: Final = 3
LASTS: Final = timedelta(days=14)
# Each attempt costs us money and gives three guesses of some five thousand.
STARTS_MAX: Final = 3
STARTS_WITHIN: Final = timedelta(days=30)


class NoBankAccount(Invalid):
    code = "no_bank_account"
    sentence = gettext_noop("Only bank accounts are verified.")


class TooManyProofs(Refused):
    code = "too_many_proofs"
    sentence = gettext_noop("{most} attempts in thirty days were made already. Try again later, or ask us.")


class NoDepositsWaiting(Refused):
    code = "no_deposits_waiting"
    sentence = gettext_noop("There are no small deposits to confirm. They may have been guessed wrong or be too old.")


class DepositsWrong(Refused):
    code = "deposits_wrong"
    sentence = gettext_noop("Those are not the two amounts. Tries left: {left}.")


class IdentityNotVerified(Refused):
    code = "account_identity_not_verified"
    sentence = gettext_noop("Verify your identity first: the account is compared with your name in law.")


class NoDoubt(Conflict):
    code = "account_not_in_doubt"
    sentence = gettext_noop("There is nothing to decide about this account.")


class NamesChanged(Conflict):
    code = "account_names_changed"
    sentence = gettext_noop("The names are not those any more that were compared. Have them compared again.")


@dataclass(frozen=True, slots=True)
class Deposits:
    """What to send to the account, under which reference; asked again, the same."""

    first: Money
    second: Money
    reference: str


@act
def start_deposits(*, instrument: Instrument, by: Actor) -> Deposits:
    """Two amounts are chosen for whoever sends them. While they wait to be named, asking again gives the same two."""
    account = _locked(instrument)
    now = clock.now()
    waiting = AccountProof.objects.filter(account=account, state=State.WAITING).first()
    if waiting and waiting.expires_at and waiting.expires_at > now:
        return _deposits(waiting, account)
    fail_waiting(account, now)

    _check_starts(account, now)
    first = 1 + secrets.randbelow(99)
    second = 1 + (first + secrets.randbelow(98)) % 99
    proof = AccountProof.objects.create(
        public_id=uuid7(now),
        account=account,
        means=Means.DEPOSITS,
        state=State.WAITING,
        first_minor=first,
        second_minor=second,
        tries_left=TRIES,
        started_at=now,
        expires_at=now + LASTS,
    )
    audit.record(by=by, act="account.deposits_started", subject=instrument)
    return _deposits(proof, account)


def confirm_deposits(*, instrument: Instrument, a: int, b: int, by: Actor) -> Instrument:
    """The account is verified when ``a`` and ``b`` are the two amounts, in minor units and either order.

    Every answer costs one of three tries, counted for good before anything else; after the last there are new deposits.
    """
    left = _answered(instrument, a, b, by=by)
    if left is None:
        raise NoDepositsWaiting
    if left >= 0:
        raise DepositsWrong(left=left)
    return Instrument.objects.with_details().get(pk=instrument.pk)


_RIGHT: Final = -1


@transaction.atomic(durable=True)
def _answered(instrument: Instrument, a: int, b: int, *, by: Actor) -> int | None:
    """``_RIGHT``, or how many tries are left, or None where nothing waits. A transaction of its own: a refusal that
    is raised afterwards must not give the try back."""
    account = _locked(instrument)
    now = clock.now()
    waiting = AccountProof.objects.filter(account=account, state=State.WAITING, expires_at__gt=now, tries_left__gt=0)
    if waiting.update(tries_left=F("tries_left") - 1) != 1:
        return None
    proof = AccountProof.objects.get(account=account, state=State.WAITING)

    if sorted((a, b)) == sorted((proof.first_minor or 0, proof.second_minor or 0)):
        _settle(proof, State.PASSED, now)
        _verify(account, BankAccount.Means.DEPOSITS, now, by=by)
        return _RIGHT
    if not proof.tries_left:
        _settle(proof, State.FAILED, now)
    audit.record(by=by, act="account.deposits_wrong", subject=instrument, after={"tries left": proof.tries_left})
    return proof.tries_left


def match_identity(*, instrument: Instrument, by: Actor) -> AccountProof:
    """``match_name`` with the name in law that the member's identity was verified by; refused where there is none."""
    legal_name = _legal_name(instrument)
    if legal_name is None:
        raise IdentityNotVerified
    return match_name(instrument=instrument, legal_name=legal_name, by=by)


def _legal_name(instrument: Instrument) -> Secret | None:
    cases = KycCase.objects.filter(member=instrument.member_id, state=KycCase.State.APPROVED, legal_name__isnull=False)
    case = cases.order_by("-level", "-pk").first()
    return case.legal_name.decrypt() if case and case.legal_name else None


@act
def match_name(*, instrument: Instrument, legal_name: Secret, by: Actor) -> AccountProof:
    """Whether the account's holder is called ``legal_name``: verified, in doubt for staff, or failed.

    The name is what an identity check accepted, never what the member says now: ``match_identity`` looks it up.
    """
    account = _locked(instrument)
    if account.verified_at:
        return AccountProof.objects.filter(account=account, state=State.PASSED).latest("pk")
    now = clock.now()
    fail_waiting(account, now)
    _check_starts(account, now)

    alike = names.likeness(account.holder.decrypt().reveal(), legal_name.reveal())
    state = State.PASSED if alike >= names.SAME else State.DOUBTFUL if alike >= names.ALIKE else State.FAILED
    proof = AccountProof.objects.create(
        public_id=uuid7(now),
        account=account,
        means=Means.NAME,
        state=state,
        likeness=alike,
        started_at=now,
        decided_at=None if state == State.DOUBTFUL else now,
    )
    audit.record(by=by, act="account.name_matched", subject=instrument, after={"likeness": alike, "state": state})
    if state == State.PASSED:
        _verify(account, BankAccount.Means.NAME, now, by=by)
    return proof


@act
def decide(*, proof: AccountProof, passed: bool, by: Actor, reason: str) -> AccountProof:
    """Staff say whether a doubtful name is the member's. At most once, whoever else decides, and never the member.

    Passed only while the holder and the name in law are as alike as they were when the doubt arose.
    """
    check_not_own(by, proof.account.member_id)
    account = _locked(proof.account.instrument)
    now = clock.now()
    state = State.PASSED if passed else State.FAILED
    doubtful = AccountProof.objects.filter(pk=proof.pk, state=State.DOUBTFUL)
    if doubtful.update(state=state, decided_at=now) != 1:
        raise NoDoubt
    audit.record(by=by, act="account.doubt_decided", subject=account.instrument, after=state, reason=reason)
    if passed:
        _check_as_compared(account, proof)
        _verify(account, BankAccount.Means.STAFF, now, by=by)
    return AccountProof.objects.get(pk=proof.pk)


def _check_as_compared(account: BankAccount, proof: AccountProof) -> None:
    legal_name = _legal_name(account.instrument)
    if legal_name is None or account.holder is None:
        raise NamesChanged
    if names.likeness(account.holder.decrypt().reveal(), legal_name.reveal()) != proof.likeness:
        raise NamesChanged


def _locked(instrument: Instrument) -> BankAccount:
    member = Member.objects.lock(instrument.member_id)
    members.check_active(member)
    account = BankAccount.objects.select_related("instrument").filter(instrument=instrument.pk).first()
    if account is None:
        raise NoBankAccount
    if account.instrument.state == Instrument.State.REMOVED:
        raise InstrumentRemoved
    return account


def _check_starts(account: BankAccount, now: datetime) -> None:
    # By member, not by account: removing one and saving it again gives no new tries.
    started = AccountProof.objects.filter(account__member=account.member_id, started_at__gt=now - STARTS_WITHIN)
    if started.exclude(state=State.PASSED).count() >= STARTS_MAX:
        raise TooManyProofs(most=STARTS_MAX)


def fail_waiting(account: BankAccount, now: datetime) -> None:
    """What waited for this account fails: another proof takes its place, or it was of another holder."""
    waiting = AccountProof.objects.filter(account=account, state__in=[State.WAITING, State.DOUBTFUL])
    waiting.update(state=State.FAILED, decided_at=now)


def _settle(proof: AccountProof, state: AccountProof.State, now: datetime) -> None:
    proof.state, proof.decided_at = state, now
    proof.save(update_fields=["state", "decided_at"])


def _verify(account: BankAccount, means: BankAccount.Means, now: datetime, *, by: Actor) -> None:
    account.verified_at, account.verified_by = now, means
    account.save(update_fields=["verified_at", "verified_by"])
    audit.record(by=by, act="account.verified", subject=account.instrument, after=means)


def _deposits(proof: AccountProof, account: BankAccount) -> Deposits:
    first, second = (Money(minor or 0, account.currency) for minor in (proof.first_minor, proof.second_minor))
    return Deposits(first, second, f"deposits:{proof.public_id}")
