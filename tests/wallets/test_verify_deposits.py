"""Whatever is done to small deposits behind their services' back, verify finds it and names the row."""

from collections.abc import Callable

import pytest
from django.db import connection

from paymentsite.core import verification
from paymentsite.ledger import services as ledger
from tests.members.factories import member
from tests.wallets.deposits import account, sent, start
from tests.wallets.gateways import eur, let_time_pass, wallet
from wallets.models import AccountProof, ProofDeposit
from wallets.services import bookings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]


def found(check: str) -> set[str]:
    return {each.subject for each in verification.discover().run(only=[check]).findings}


def named(order: ProofDeposit) -> str:
    return f"proof_deposit {order.public_id}"


def other(minor: int) -> int:
    return 1 + (minor + 1) % 99


def amount_edited(proof: AccountProof) -> tuple[str, str]:
    order = sent(proof)[0]
    ProofDeposit.objects.filter(pk=order.pk).update(amount_minor=other(order.amount_minor))
    return "wallets.order_moved_amount", named(order)


def asked_amount_edited(proof: AccountProof) -> tuple[str, str]:
    AccountProof.objects.filter(pk=proof.pk).update(first_minor=proof.second_minor)
    return "wallets.deposits_are_their_proofs", f"proof {proof.pk}"


def deposit_of_another_proof(proof: AccountProof) -> tuple[str, str]:
    start(account(20))
    ProofDeposit.objects.filter(pk=sent(proof)[0].pk).update(proof=AccountProof.objects.exclude(pk=proof.pk).get())
    return "wallets.deposits_are_their_proofs", f"proof {proof.pk}"


def deposit_of_another_member(proof: AccountProof) -> tuple[str, str]:
    ProofDeposit.objects.filter(pk=sent(proof)[1].pk).update(member=member())
    return "wallets.deposits_are_their_proofs", f"proof {proof.pk}"


def proof_that_waits_in_vain(proof: AccountProof) -> tuple[str, str]:
    failed = start(account(1))
    AccountProof.objects.filter(pk=failed.pk).update(state="waiting", decided_at=None)
    return "wallets.deposits_are_their_proofs", f"proof {failed.pk}"


def deposit_paid_by_a_member(proof: AccountProof) -> tuple[str, str]:
    order, purse = sent(proof)[0], wallet(1_000)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_posting SET source_id = %s WHERE journal_id = %s",
            [purse.account_id, _key(order.journal_id)],
        )
    return "wallets.deposits_are_ours", named(order)


def return_that_went_elsewhere(proof: AccountProof) -> tuple[str, str]:
    start(account(12))
    let_time_pass()
    order = ProofDeposit.objects.filter(state="returned").first()
    assert order is not None
    suspense = bookings.suspense("EUR")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_posting SET target_id = %s WHERE journal_id = %s",
            [suspense.pk, _key(order.return_journal_id)],
        )
    return "wallets.deposits_are_ours", named(order)


def second_journal(proof: AccountProof) -> tuple[str, str]:
    order = sent(proof)[0]
    ledger.post(
        ledger.Move(eur(1), ledger.house("account_proofs", "EUR"), bookings.clearing("sandbox", "EUR")),
        scope=bookings.PROOF_DEPOSIT,
        reference="again",
        source=order.source,
    )
    return "wallets.order_booked_once", named(order)


def state_edited(proof: AccountProof) -> tuple[str, str]:
    start(account(16))
    order = ProofDeposit.objects.filter(state="unknown").first()
    assert order is not None
    ProofDeposit.objects.filter(pk=order.pk).update(state="failed")
    return "wallets.order_is_its_events", named(order)


def nobody_asks(proof: AccountProof) -> tuple[str, str]:
    start(account(16))
    order = ProofDeposit.objects.filter(state="unknown").first()
    assert order is not None
    ProofDeposit.objects.filter(pk=order.pk).update(next_query_at=None)
    return "wallets.order_not_forgotten", named(order)


def _key(value: object) -> object:
    """An id as the database keeps it."""
    return getattr(value, "hex", value) if connection.vendor == "sqlite" else value


PLANTS = [
    amount_edited,
    asked_amount_edited,
    deposit_of_another_proof,
    deposit_of_another_member,
    proof_that_waits_in_vain,
    deposit_paid_by_a_member,
    return_that_went_elsewhere,
    second_journal,
    state_edited,
    nobody_asks,
]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_corruption_is_found_and_named(unprotected, plant: Callable[[AccountProof], tuple[str, str]]):
    proof = start(account())
    assert verification.discover().run(only=["wallets"]).findings == []

    with unprotected():
        check, subject = plant(proof)

    assert subject in found(check)
