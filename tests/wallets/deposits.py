"""Small deposits to arrange tests with."""

import secrets

import pytest

from members.models import Member
from paymentsite.core.actors import SYSTEM
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from tests.members.factories import member, reachable
from tests.wallets.saved import bank_account
from wallets.gateways.base import Answer, Outcome
from wallets.models import AccountProof, Instrument, ProofDeposit
from wallets.services import outcomes, small_deposits


def account(ending: int = 0, *, of: Member | None = None, currency: str = "EUR") -> Instrument:
    """A bank account of somebody who can be reached, to which the sandbox pays small deposits as that outcome says."""
    of = of or member()
    can_be_reached(of)
    number = f"62220202001122300{ending:02}"
    return bank_account(of=of, number=number, country="CN", bank_code="102100099996", currency=currency)


def draw(monkeypatch: pytest.MonkeyPatch, first: int, second: int) -> None:
    """The amounts that are drawn next are these."""
    drawn, others = {99: first - 1, 98: (second - 1 - first) % 99}, secrets.randbelow
    monkeypatch.setattr(secrets, "randbelow", lambda most: drawn[most] if most in drawn else others(most))


def can_be_reached(who: Member) -> None:
    if Member.objects.get(pk=who.pk).kyc_level == 0:
        reachable(who)


def start(saved: Instrument) -> AccountProof:
    """By a member who has proven how they are reached, or does so before."""
    can_be_reached(saved.member)
    return small_deposits.start(instrument=saved, by=SYSTEM)


def confirm(saved: Instrument, a: int, b: int) -> Instrument:
    return small_deposits.confirm(instrument=saved, a=a, b=b, by=SYSTEM)


def wrong(started: AccountProof) -> tuple[int, int]:
    return started.first_minor, started.first_minor


def sent(proof: AccountProof | None = None) -> list[ProofDeposit]:
    found = ProofDeposit.objects.order_by("pk")
    return list(found.filter(proof=proof) if proof else found)


def states(proof: AccountProof | None = None) -> list[str]:
    return [each.state for each in sent(proof)]


def end(order: ProofDeposit, outcome: Outcome) -> ProofDeposit:
    """Its gateway, asked, says so."""
    answer = Answer(outcome=outcome)
    return outcomes.settle(order=order, answer=answer, origin="query", gateway=order.gateway)


def spent(currency: str = "EUR") -> int:
    """What all of them cost us."""
    return -books.standing(ledger.house("account_proofs", currency)).posted.minor
