"""Verifying bank accounts by the name of their holder, and what that shares with ``small_deposits``."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_noop

from members.models import KycCase, Member
from members.services import members
from paymentsite.core import clock
from paymentsite.core.actors import Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.errors import Conflict, Invalid, Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.services import audit
from paymentsite.core.vault import Secret
from wallets import names
from wallets.models import AccountProof, BankAccount, Instrument, ProofDeposit
from wallets.services.instruments import InstrumentRemoved

State = AccountProof.State
Means = AccountProof.Means

# How often amounts may be named for one pair of deposits.
TRIES: Final = 3
# Each attempt costs us money and gives three guesses of some five thousand.
STARTS_MAX: Final = 3
# Those that came to nothing count for themselves: gateways charge for payouts that fail, too.
STARTS_IN_ALL: Final = 10
STARTS_WITHIN: Final = timedelta(days=30)


class NoBankAccount(Invalid):
    code = "no_bank_account"
    sentence = gettext_noop("Only bank accounts are verified.")


class TooManyProofs(Refused):
    code = "too_many_proofs"
    sentence = gettext_noop("{most} attempts in thirty days were made already. Try again later, or ask us.")


class IdentityNotVerified(Refused):
    code = "account_identity_not_verified"
    sentence = gettext_noop("Verify your identity first: the account is compared with your name in law.")


class NoDoubt(Conflict):
    code = "account_not_in_doubt"
    sentence = gettext_noop("There is nothing to decide about this account.")


class NamesChanged(Conflict):
    code = "account_names_changed"
    sentence = gettext_noop("The names are not those any more that were compared. Have them compared again.")


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
    account = locked(instrument)
    if account.verified_at:
        return AccountProof.objects.filter(account=account, state=State.PASSED).latest("pk")
    now = clock.now()
    fail_waiting(account, now)
    check_starts(account, now, means=Means.NAME)

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
        verify(account, BankAccount.Means.NAME, now, by=by)
    return proof


@act
def decide(*, proof: AccountProof, passed: bool, by: Actor, reason: str) -> AccountProof:
    """Staff say whether a doubtful name is the member's. At most once, whoever else decides, and never the member.

    Passed only while the holder and the name in law are as alike as they were when the doubt arose.
    """
    check_not_own(by, proof.account.member_id)
    account = locked(proof.account.instrument)
    now = clock.now()
    state = State.PASSED if passed else State.FAILED
    doubtful = AccountProof.objects.filter(pk=proof.pk, state=State.DOUBTFUL)
    if doubtful.update(state=state, decided_at=now) != 1:
        raise NoDoubt
    audit.record(by=by, act="account.doubt_decided", subject=account.instrument, after=state, reason=reason)
    if passed:
        _check_as_compared(account, proof)
        verify(account, BankAccount.Means.STAFF, now, by=by)
    return AccountProof.objects.get(pk=proof.pk)


def _check_as_compared(account: BankAccount, proof: AccountProof) -> None:
    legal_name = _legal_name(account.instrument)
    if legal_name is None or account.holder is None:
        raise NamesChanged
    if names.likeness(account.holder.decrypt().reveal(), legal_name.reveal()) != proof.likeness:
        raise NamesChanged


def locked(instrument: Instrument) -> BankAccount:
    member = Member.objects.lock(instrument.member_id)
    members.check_active(member)
    account = BankAccount.objects.select_related("instrument").filter(instrument=instrument.pk).first()
    if account is None:
        raise NoBankAccount
    if account.instrument.state == Instrument.State.REMOVED:
        raise InstrumentRemoved
    return account


def check_starts(account: BankAccount, now: datetime, *, means: AccountProof.Means) -> None:
    """Raise when the member has begun as many proofs as may be. Decide while the member is locked."""
    # By member, not by account: removing one and saving it again gives no new tries.
    started = AccountProof.objects.filter(account__member=account.member_id, started_at__gt=now - STARTS_WITHIN)
    # Deposits that passed are money of ours, too: for more of them they count, or they could be had without end.
    free = Q(state=State.PASSED) if means == Means.NAME else Q(state=State.PASSED, means=Means.NAME)
    begun = started.exclude(free)
    if begun.exclude(_nothing_came_of_it()).count() >= STARTS_MAX:
        raise TooManyProofs(most=STARTS_MAX)
    if begun.count() >= STARTS_IN_ALL:
        raise TooManyProofs(most=STARTS_IN_ALL)


def _nothing_came_of_it() -> Q:
    """Both deposits failed or came back, and nobody had guessed at them: a guess counts, whatever becomes of them."""
    sent = ProofDeposit.objects.filter(proof=OuterRef("pk"))
    stands = sent.exclude(state__in=[ProofDeposit.State.FAILED, ProofDeposit.State.RETURNED])
    return Q(Exists(sent), ~Exists(stands), means=Means.DEPOSITS, state=State.FAILED, tries_left=TRIES)


def fail_waiting(account: BankAccount, now: datetime) -> None:
    """What waited for this account fails: another proof takes its place, or it was of another holder."""
    waiting = AccountProof.objects.filter(account=account, state__in=[State.WAITING, State.DOUBTFUL])
    waiting.update(state=State.FAILED, decided_at=now)


def verify(account: BankAccount, means: BankAccount.Means, now: datetime, *, by: Actor) -> None:
    account.verified_at, account.verified_by = now, means
    account.save(update_fields=["verified_at", "verified_by"])
    audit.record(by=by, act="account.verified", subject=account.instrument, after=means)
