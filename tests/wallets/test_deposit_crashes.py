"""Small deposits, cut off at every commit and call: each ends as its gateway knows, and so does their proof."""

from uuid import uuid4

import pytest

from paymentsite.ledger import services as ledger
from tests.wallets.crashing import Fate
from tests.wallets.deposit_histories import DepositHistory, random_deposits
from tests.wallets.test_order_crashes import ENDINGS, cut_everywhere, findings, live, mortal, run_seeds
from wallets.gateways.base import Answer, Outcome
from wallets.services import bookings, payouts

__all__ = ["mortal"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.once
@pytest.mark.parametrize("ending", [7, 12])
def test_deposits_cut_off_anywhere_end_as_their_gateway_knows(ending):
    assert cut_everywhere("proof_deposit", ending, DepositHistory) >= 10


@pytest.mark.long
@pytest.mark.parametrize("ending", ENDINGS)
def test_deposits_of_every_outcome_cut_off_anywhere_end_as_their_gateway_knows(ending):
    assert cut_everywhere("proof_deposit", ending, DepositHistory) >= 6


def test_thirty_messy_histories_of_deposits_end_as_their_gateway_knows():
    assert run_seeds(range(30), random_deposits) >= 30


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(5))
def test_five_hundred_messy_histories_of_deposits_end_as_their_gateway_knows(chunk):
    first = 30 + 100 * chunk
    assert run_seeds(range(first, first + 100), random_deposits) >= 100


def test_absent_taken_for_failed_is_found(monkeypatch):
    """The control: what was cut off on its way is given up, and the first request arrives after all."""
    monkeypatch.setattr(payouts, "send_again", lambda _order: Answer(outcome=Outcome.FAILED))

    assert live(DepositHistory("proof_deposit", 2, fate=Fate(("call", 1, "before")))) != ""


def test_booking_under_another_reference_is_found(monkeypatch):
    """The control: the books are compared, too."""

    def post(order, scope, *entries, kind=""):
        named = {"kind": kind or order.noun, "scope": scope, "source": order.source}
        return ledger.post(*entries, reference=str(uuid4()), **named).journal_id

    monkeypatch.setattr(bookings, "_post", post)
    live(DepositHistory("proof_deposit", 0))

    assert any("wallets.order_booked_once" in found for found in findings())
