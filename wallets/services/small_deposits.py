"""Verifying bank accounts by two small deposits that we send: whoever can name both reads the account's statements.

How each deposit goes its way is told in ``payouts`` and ``outcomes``; what its end means for the proof, in
``deposit_outcomes``. The amounts are told to nobody: the account's bank does that.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_noop

from members.services import kyc
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Conflict, Refused
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.core.services import audit
from wallets.models import AccountProof, BankAccount, GatewayRoute, Instrument, ProofDeposit
from wallets.services import account_proofs, orders, payees, payouts, routing
from wallets.services.account_proofs import TRIES
from wallets.services.instruments import InstrumentRemoved

State = AccountProof.State

LASTS: Final = timedelta(days=14)
MOST_MINOR: Final = 99


class AccountVerified(Conflict):
    code = "account_verified_already"
    sentence = gettext_noop("This account is verified already.")


class ContactNotProven(Refused):
    code = "deposits_need_contact"
    sentence = gettext_noop("Reach identity level {level} first: prove your e-mail address and your phone number.")


class NoDepositsRoute(Refused):
    code = "no_deposits_route"
    sentence = gettext_noop("Small deposits in {currency} cannot be sent at present. Verify the account another way.")


class NoDepositsWaiting(Refused):
    code = "no_deposits_waiting"
    sentence = gettext_noop("There are no small deposits to confirm. They may have been guessed wrong or be too old.")


class DepositsWrong(Refused):
    code = "deposits_wrong"
    sentence = gettext_noop("Those are not the two amounts. Tries left: {left}.")


def start(*, instrument: Instrument, by: Actor) -> AccountProof:
    """Two deposits are on their way to the account, paid by us. While they wait to be named, no more are sent.

    They may be named at once: banks show them when they like, and a guess costs a try. Never call it inside a
    transaction.
    """
    proof, deposits = _intend(instrument, by)
    for deposit in deposits:
        payouts.send(deposit)
    proof.refresh_from_db()
    return proof


@act
def _intend(instrument: Instrument, by: Actor) -> tuple[AccountProof, list[ProofDeposit]]:
    account = account_proofs.locked(instrument)
    now = clock.now()
    if account.verified_at:
        raise AccountVerified
    waiting = AccountProof.objects.filter(account=account, state=State.WAITING, expires_at__gt=now).first()
    if waiting:
        return waiting, []
    account_proofs.fail_waiting(account, now)

    # We pay the deposits: not to anybody who can make up an e-mail address, again and again.
    if account.member.kyc_level < kyc.CONTACT:
        raise ContactNotProven(level=kyc.CONTACT)
    account_proofs.check_starts(account, now, means=AccountProof.Means.DEPOSITS)
    gateway = _gateway(account.currency, now)
    first = 1 + secrets.randbelow(MOST_MINOR)
    second = 1 + (first + secrets.randbelow(MOST_MINOR - 1)) % MOST_MINOR
    proof = AccountProof.objects.create(
        public_id=uuid7(now),
        account=account,
        means=AccountProof.Means.DEPOSITS,
        state=State.WAITING,
        first_minor=first,
        second_minor=second,
        tries_left=TRIES,
        started_at=now,
        expires_at=now + LASTS,
    )
    audit.record(by=by, act="account.deposits_started", subject=instrument)
    return proof, [_drafted(proof, minor, number, gateway, by=by) for number, minor in enumerate((first, second), 1)]


def _gateway(currency: str, now: datetime) -> str:
    """One that takes any of the amounts: which gateway it is, or that there is none, then says nothing of them."""
    smallest, largest = (
        routing.candidates(kind=GatewayRoute.Kind.PAYOUT, method=payouts.METHOD, amount=Money(minor, currency), now=now)
        for minor in (1, MOST_MINOR)
    )
    if gateway := next((name for name in smallest if name in largest), None):
        return gateway
    raise NoDepositsRoute(currency=currency)


def _drafted(proof: AccountProof, minor: int, number: int, gateway: str, *, by: Actor) -> ProofDeposit:
    account, instrument = proof.account, proof.account.instrument
    payee = payees.account(instrument)
    if payee is None:
        raise InstrumentRemoved
    now = proof.started_at
    order = ProofDeposit.objects.create(
        public_id=uuid7(now),
        member=account.member,
        proof=proof,
        reference=f"{proof.public_id}:{number}",
        currency=account.currency,
        amount_minor=minor,
        method=payouts.METHOD,
        instrument=str(instrument.public_id),
        destination=instrument.shown,
        payee=payees.written(payee),
        gateway=gateway,
        created_at=now,
        changed_at=now,
        next_query_at=now + orders.ASKED_AFTER[0],
    )
    orders.tell(order, origin=orders.Origin.REQUEST, by=by)
    return order


def confirm(*, instrument: Instrument, a: int, b: int, by: Actor) -> Instrument:
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
    account = account_proofs.locked(instrument)
    now = clock.now()
    waiting = AccountProof.objects.filter(account=account, state=State.WAITING, expires_at__gt=now, tries_left__gt=0)
    if waiting.update(tries_left=F("tries_left") - 1) != 1:
        return None
    proof = AccountProof.objects.get(account=account, state=State.WAITING)

    if sorted((a, b)) == sorted((proof.first_minor or 0, proof.second_minor or 0)):
        _settle(proof, State.PASSED, now)
        account_proofs.verify(account, BankAccount.Means.DEPOSITS, now, by=by)
        return _RIGHT
    if not proof.tries_left:
        _settle(proof, State.FAILED, now)
    audit.record(by=by, act="account.deposits_wrong", subject=instrument, after={"tries left": proof.tries_left})
    return proof.tries_left


def _settle(proof: AccountProof, state: AccountProof.State, now: datetime) -> None:
    proof.state, proof.decided_at = state, now
    proof.save(update_fields=["state", "decided_at"])
