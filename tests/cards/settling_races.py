"""What is told, decided and taken at the same moment about strays, debts and monthly fees, and what must come of it."""

from collections.abc import Callable
from datetime import date
from typing import Any

from cards.models import CardFee, CardMessage
from cards.services import debts, losses, monthly_fees, settling, stray_losses
from paymentsite.core import verification
from paymentsite.core.models import OpenItem
from paymentsite.core.services import approvals
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from tests import tables
from tests.cards.factories import card, debit
from tests.cards.using import STRANGER, debt, spending, tell
from tests.factories import cny, fund
from tests.wallets.deciding import staff
from tests.wallets.factories import holds, wallet

Together = Callable[[int, Callable[[int], Any]], list[Any]]


def clean() -> bool:
    return verification.discover().run(only=["cards", "ledger"]).findings == []


def standing(code: str) -> int:
    return books.standing(ledger.house(code, "CNY")).posted.minor


def one_stray(together: Together, count: int) -> None:
    """A message about a card of nobody's, told by many at once: it moves what it says once."""
    tables.empty()
    nobodys = spending(0)

    results = together(count, lambda _number: tell("capture", nobodys, 20_00, number=STRANGER, **_SAME))

    assert not [each for each in results if isinstance(each, Exception)]
    assert sum(each.replayed for each in results) == count - 1
    assert (standing("suspense"), CardMessage.objects.count(), clean()) == (-20_00, 1, True)


_SAME = {"message_id": "m", "reference": "r"}


def lost_once(together: Together, count: int) -> None:
    """As many proposals to write the same stray off, approved at once: it is lost once."""
    tables.empty()
    tell("capture", spending(0), 20_00, number=STRANGER, message_id="m")
    message = CardMessage.objects.get()
    proposals = [stray_losses.write_off(message=message, by=staff(), reason="nobody's") for _ in range(count)]
    others = [staff() for _ in range(count)]

    results = together(
        count, lambda n: approvals.approve(approval=proposals[n], by=others[n], shown=proposals[n].shown)
    )

    assert sum(not isinstance(each, Exception) for each in results) == 1
    assert {type(each) for each in results if isinstance(each, Exception)} <= {stray_losses.StrayNotOpen}
    assert (standing("suspense"), standing(losses.LOSSES), clean()) == (0, -20_00, True)


def placed_or_taken_back(together: Together, count: int) -> None:
    """A refund of a stranger's card, put on a wallet while its merchant takes it back: it comes out of suspense, or,
    too late for that, what was taken is before a person."""
    tables.empty()
    about = {"number": STRANGER, "reference": "r"}
    nobodys, purse = spending(0), wallet(0)
    tell("refund", nobodys, 20_00, **about)
    message, decider = CardMessage.objects.get(), staff()
    proposal = settling.place_refund(message=message, member=purse.member, by=staff(), reason="theirs")

    def work(number: int) -> object:
        if number % 2:
            return tell("reverse_refund", nobodys, 20_00, **about, message_id="back")
        return approvals.approve(approval=proposal, by=decider, shown=proposal.shown)

    results = together(count, work)

    assert {type(each) for each in results if isinstance(each, Exception)} <= {
        settling.RefundNotAside,
        approvals.AlreadyDecided,
    }
    placed = holds(purse).minor
    waits = OpenItem.objects.open().count()
    assert (placed, standing("suspense"), waits) in {(0, 0, 0), (20_00, -20_00, 1)}
    assert clean()


def forgiven_and_paid(together: Together, count: int) -> None:
    """A debt that is paid in part while what is left of it is written off: what two people read is lost once, or what
    they read is no longer so and nothing is."""
    tables.empty()
    found = spending(0)
    tell("capture", found, 30_00, reference="owed", final=True)
    fund(found.account, 20_00)
    deciders = [staff() for _ in range(count)]
    proposals = [
        settling.write_off_debt(member=found.member, currency="CNY", by=deciders[-1 - n], reason="cannot be had")
        for n in range(0, count, 2)
    ]

    def work(number: int) -> Any:
        if number % 2:
            return debts.repay_all()
        proposal = proposals[number // 2]
        return approvals.approve(approval=proposal, by=deciders[number], shown=proposal.shown)

    results = together(count, work)

    expected = settling.NothingOwed | approvals.EffectChanged
    strange = [each for each in results if isinstance(each, Exception) and not isinstance(each, expected)]
    assert not strange, strange
    lost = -standing(losses.LOSSES)
    assert lost in {0, 10_00}, lost
    assert (debt(found), books.standing(found.account).posted) == (10_00 - lost, cny(0))
    assert clean()


def one_month(together: Together, count: int) -> None:
    """A month's fee that many take at once is taken once."""
    tables.empty()
    purse = wallet(100_00)
    found = card(purse.member, debit(monthly_fee_minor=2_00, validity=2, validity_unit="years"))
    due = found.next_fee_on
    assert isinstance(due, date)

    results = together(count, lambda _number: monthly_fees.take(card=found, today=due))

    assert not [each for each in results if isinstance(each, Exception)]
    assert sum(results) == 1
    assert (CardFee.objects.count(), holds(purse), clean()) == (1, cny(98_00), True)
