"""Reversals: back the way it came, whole or in parts, and never more than came."""

from datetime import date, timedelta

import pytest

from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.ledger import queries
from paymentsite.ledger import services as ledger
from paymentsite.ledger.entries import Entry
from paymentsite.ledger.models import Account, Journal, Posting
from paymentsite.ledger.refusals import InsufficientFunds, ReversalExceeds
from paymentsite.ledger.services import Capture, Move, Terms, Undo
from tests.factories import cny, fund, hold, hot, points, postings_of, pts, purse

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _at_noon():
    """One moment for all of a test, so that no midnight comes in between."""
    with clock.standing(clock.now().replace(hour=4)):
        yield


def post(*entries: Entry) -> ledger.Posted:
    return ledger.post(*entries, reference=f"{Journal.objects.count()}")


def journal(posted: ledger.Posted) -> Journal:
    return Journal.objects.get(pk=posted.journal_id)


def reverse(posted: ledger.Posted, **fields: object) -> ledger.Posted:
    return ledger.reverse(journal=journal(posted), reference=f"{Journal.objects.count()}", **fields)


def only(posted: ledger.Posted) -> Posting:
    return postings_of(posted)[0]


def stands(*accounts: Account) -> list[int]:
    return [queries.standing(account).posted.minor for account in accounts]


def left(account: Account) -> dict[str, int]:
    return {lot.origin: lot.left_minor for lot in account.lot_rows.all()}


def terms(origin: str, last: int = 9) -> Terms:
    return Terms(origin, date.min, clock.today() + last * DAY)


def test_whole_journal_goes_back_last_leg_first():
    payer, merchant, fees = purse(100), purse(), hot()
    paid = post(Move(cny(50), payer, merchant), Move(cny(2), merchant, fees))

    back = reverse(paid, by=Actor("staff", "1"), source="refund:1")

    assert stands(payer, merchant, fees) == [100, 0, 0]
    first, second = postings_of(paid)
    assert [(p.source_id, p.target_id, p.amount_minor, p.reverses_id) for p in postings_of(back)] == [
        (fees.pk, merchant.pk, 2, second.pk),
        (merchant.pk, payer.pk, 50, first.pk),
    ]
    written = journal(back)
    assert (written.kind, written.parent_id, written.actor, written.source) == (
        "reversal",
        paid.journal_id,
        "staff:1",
        "refund:1",
    )


def test_parts_go_back_until_nothing_is_left():
    payer, merchant, fees = purse(100), purse(), hot()
    paid = post(Move(cny(50), payer, merchant), Move(cny(2), merchant, fees))

    reverse(paid, amounts={1: cny(20)})
    assert stands(payer, merchant, fees) == [70, 28, 2]
    reverse(paid, amounts={1: cny(10), 2: cny(1)})
    assert stands(payer, merchant, fees) == [80, 19, 1]
    with pytest.raises(ReversalExceeds) as refusal:
        reverse(paid, amounts={1: cny(21)})
    assert refusal.value.facts == {"left": cny(20).to_wire(), "asked": cny(21).to_wire()}
    reverse(paid)

    assert stands(payer, merchant, fees) == [100, 0, 0]
    with pytest.raises(ReversalExceeds):
        reverse(paid)


def test_rest_goes_back_when_nothing_is_left_of_some_of_it():
    payer, merchant, fees, tips = purse(100), purse(), hot(), purse()
    paid = post(Move(cny(50), payer, merchant), Move(cny(2), merchant, fees), Move(cny(3), payer, tips))
    reverse(paid, amounts={1: cny(20), 3: cny(3)})

    back = ledger.reverse(journal=journal(paid), reference="rest")

    assert stands(payer, merchant, fees, tips) == [100, 0, 0, 0]
    assert [(p.position, p.amount) for p in postings_of(back)] == [(2, cny(2)), (3, cny(30))]
    again = ledger.reverse(journal=journal(paid), reference="rest")
    assert (again, again.replayed) == (back, True)
    with pytest.raises(ReversalExceeds) as refusal:
        reverse(paid)
    assert refusal.value.facts == {"left": cny(0).to_wire(), "asked": cny(3).to_wire()}


def test_account_of_which_nothing_is_left_to_come_back_need_not_be_open():
    payer, merchant, tips = purse(100), purse(), purse()
    paid = post(Move(cny(50), payer, merchant), Move(cny(3), payer, tips))
    reverse(paid, amounts={2: cny(3)})
    ledger.set_status(account=tips, status="closed", by=SYSTEM, reason="test")

    reverse(paid)

    assert stands(payer, merchant) == [100, 0]


def test_rest_that_cannot_come_back_is_refused_whole():
    payer, merchant, fees = purse(100), purse(), purse()
    paid = post(Move(cny(50), payer, merchant), Move(cny(2), merchant, fees))
    reverse(paid, amounts={2: cny(2)})
    post(Move(cny(10), merchant, hot()))

    with pytest.raises(InsufficientFunds):
        reverse(paid)

    assert stands(payer, merchant, fees) == [50, 40, 0]


def test_amount_that_is_named_is_never_passed_over():
    payer, merchant, fees = purse(100), purse(), hot()
    paid = post(Move(cny(50), payer, merchant), Move(cny(2), merchant, fees))
    reverse(paid, amounts={2: cny(2)})

    with pytest.raises(ReversalExceeds):
        reverse(paid, amounts={1: cny(50), 2: cny(1)})
    assert stands(payer, merchant, fees) == [50, 50, 0]


def test_nothing_is_passed_over_for_what_is_left_of_another_journal_nor_twice_in_one_act():
    payer, merchant = purse(100), purse()
    one, other = (only(post(Move(cny(20), payer, merchant))) for _ in range(2))
    post(Undo(one))

    for entries in ([Undo(one), Undo(other)], [Undo(other), Undo(other)]):
        with pytest.raises(ReversalExceeds):
            post(*entries)
    assert stands(payer, merchant) == [80, 20]


def test_rest_of_points_goes_back_past_those_that_came_back():
    account, other, shop = points(), points(), hot(unit="PTS")
    fund(account, 5, terms("x"))
    fund(other, 5, terms("y"))
    spent = post(Move(pts(5), account, shop), Move(pts(5), other, shop))
    reverse(spent, amounts={2: pts(5)})

    reverse(spent)

    assert (left(account), left(other)) == ({"x": 5}, {"y": 5})


def test_reversal_repeated_is_the_first_one_though_nothing_is_left():
    payer, merchant = purse(100), purse()
    paid = post(Move(cny(50), payer, merchant))

    first = ledger.reverse(journal=journal(paid), reference="back")
    again = ledger.reverse(journal=journal(paid), reference="back")

    assert again == first
    assert again.replayed
    assert stands(payer, merchant) == [100, 0]


def test_reversal_of_a_reversal_restores_and_can_itself_be_reversed():
    payer, merchant = purse(100), purse()
    paid = post(Move(cny(50), payer, merchant))
    back = reverse(paid)
    forth = reverse(back)
    assert stands(payer, merchant) == [50, 50]

    with pytest.raises(ReversalExceeds):
        reverse(paid)
    with pytest.raises(ReversalExceeds):
        reverse(back)
    reverse(forth)

    assert stands(payer, merchant) == [100, 0]


def test_both_units_of_an_exchange_go_back():
    yuan, euros, short, long = purse(1000), purse(unit="EUR"), hot(unit="EUR"), hot()
    exchanged = post(Move(cny(780), yuan, long), Move(Money(100, "EUR"), short, euros))

    reverse(exchanged)

    assert stands(yuan, euros, short, long) == [1000, 0, 0, 0]


def test_capture_goes_back_to_the_account_and_not_into_its_hold():
    payer, merchant = purse(100), purse()
    held = hold(payer, 50)
    captured = post(Capture(cny(30), held, merchant))

    reverse(captured)

    held.refresh_from_db()
    assert (held.captured_minor, held.state, held.left) == (30, "open", cny(20))
    assert stands(payer, merchant) == [100, 0]


def test_reversal_may_be_one_entry_among_others():
    payer, merchant, fees = purse(100), purse(), hot()
    paid = only(post(Move(cny(50), payer, merchant)))

    post(Undo(paid, cny(30)), Move(cny(1), payer, fees))

    assert stands(payer, merchant, fees) == [79, 20, 1]


def test_what_comes_in_with_a_reversal_pays_for_it():
    payer, merchant, backer = purse(100), purse(), purse(50)
    paid = only(post(Move(cny(50), payer, merchant)))
    post(Move(cny(50), merchant, hot()))

    posted = post(Undo(paid), Move(cny(50), backer, merchant))

    assert posted.balances == {payer.pk: 100, merchant.pk: 0, backer.pk: 0}


def test_refund_gives_back_the_same_lots_the_longest_lived_first():
    account, shop = points(), hot(unit="PTS")
    fund(account, 5, terms("soon", last=1))
    fund(account, 5, terms("late"))
    spent = post(Move(pts(8), account, shop))
    assert left(account) == {"soon": 0, "late": 2}

    reverse(spent, amounts={1: pts(4)})
    assert left(account) == {"soon": 1, "late": 5}
    reverse(spent)

    assert left(account) == {"soon": 5, "late": 5}


def test_refund_to_a_lot_that_died_meanwhile_is_not_spendable():
    account, shop = points(), hot(unit="PTS")
    fund(account, 5, terms("x", last=0))
    spent = post(Move(pts(5), account, shop))

    with clock.standing(clock.now() + DAY):
        reverse(spent)
        assert left(account) == {"x": 5}
        with pytest.raises(InsufficientFunds):
            ledger.post(Move(pts(1), account, shop), reference="r")


def test_refund_of_captured_points_gives_back_their_lots():
    account, shop = points(), hot(unit="PTS")
    fund(account, 5, terms("soon", last=1))
    fund(account, 5, terms("late"))
    held = hold(account, 8)
    captured = post(Capture(pts(6), held, shop, final=True))

    reverse(captured)

    assert left(account) == {"soon": 5, "late": 5}


def test_reversal_of_an_issue_withdraws_what_it_issued():
    account = points()
    fund(account, 5, terms("other", last=1))
    issued = fund(account, 10, terms("purchase"))

    reverse(issued, amounts={1: pts(4)})
    assert left(account) == {"other": 5, "purchase": 6}
    reverse(issued)

    assert left(account) == {"other": 5, "purchase": 0}


def test_reversal_of_an_issue_takes_nothing_from_other_lots():
    account, shop = points(), hot(unit="PTS")
    issued = fund(account, 10, terms("purchase", last=1))
    fund(account, 10, terms("other"))
    post(Move(pts(4), account, shop))

    with pytest.raises(InsufficientFunds) as refusal:
        reverse(issued)

    assert refusal.value.facts["available"] == pts(6).to_wire()
    reverse(issued, amounts={1: pts(6)})
    assert left(account) == {"purchase": 0, "other": 10}


def test_reversal_of_an_issue_leaves_what_is_held():
    account = points()
    issued = fund(account, 10, terms("purchase"))
    hold(account, 7)

    with pytest.raises(InsufficientFunds):
        reverse(issued, amounts={1: pts(4)})
    assert reverse(issued, amounts={1: pts(3)}).balances == {account.pk: 7}


def test_reversals_of_a_reversed_issue_put_it_back_and_take_it_again():
    account = points()
    issued = fund(account, 10, terms("purchase"))
    withdrawn = reverse(issued)
    again = reverse(withdrawn, amounts={1: pts(6)})
    assert left(account) == {"purchase": 6}

    reverse(again)

    assert left(account) == {"purchase": 0}
    assert {use.kind for use in account.lot_rows.get().uses.all()} == {"issued", "withdrawn", "returned"}


def test_reversal_of_a_gift_moves_through_the_lots_of_both():
    giver, taker = points(), points()
    fund(giver, 10, terms("purchase"))
    given = post(Move(pts(6), giver, taker, terms("gift")))

    reverse(given, amounts={1: pts(2)})

    assert (left(giver), left(taker)) == ({"purchase": 6}, {"gift": 4})
    reverse(given)
    assert (left(giver), left(taker)) == ({"purchase": 10}, {"gift": 0})


def test_two_reversals_of_one_issue_in_one_act_share_what_is_left_of_its_lot():
    account = points()
    issued = only(fund(account, 10, terms("purchase")))

    post(Undo(issued, pts(3)), Undo(issued))

    assert left(account) == {"purchase": 0}
