"""Points as wallet credit: spent and paid together, by their member, once."""

from datetime import timedelta

import pytest

from members.models import PointValue
from members.services import members, points
from members.services.members import MemberSuspended
from paymentsite.core import clock, verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.ledger import queries as books
from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Journal, Posting
from paymentsite.ledger.refusals import InsufficientFunds
from tests.factories import cny, fund, pts
from tests.members.factories import member
from tests.terms import told
from tests.wallets.factories import holds
from wallets.models import PointsCredit, Wallet
from wallets.queries import statements
from wallets.services import points_credit, wallets
from wallets.services.points_credit import NotYourPoints, PointsWorthNothing
from wallets.services.wording import ReferenceTaken

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    """A member with 1,000 points, of which 7 are worth 10 fen."""
    made = member()
    told(PointValue.objects.create(currency="CNY", points=7, value_minor=10, starts_at=clock.now() - timedelta(days=1)))
    fund(points.of(made).points, 1_000, ledger.Terms("test"))
    return made


def credit(ada, count, reference="r1"):
    return points_credit.credit(member=ada, count=count, reference=reference, by=Actor.of(ada.user))


def left(ada) -> Money:
    return books.standing(points.of(ada).points).posted


def found() -> list[str]:
    report = verification.discover().run(only=["wallets.points_credit_is_posted"])
    return [finding.subject for finding in report.findings]


def test_points_become_money_in_one_journal_rounded_down(ada):
    done = credit(ada, 500)

    purse = wallets.of(member=ada, currency="CNY")
    assert (done.amount, holds(purse), left(ada)) == (cny(714), cny(714), pts(500))
    assert books.standing(ledger.house("points", "CNY")).posted == cny(-714)
    assert [line.words for line in statements.lines(wallet=purse).lines] == ["500 points turned into CN¥7.14"]


def test_same_reference_is_the_same_credit_and_other_content_a_conflict(ada):
    assert credit(ada, 500) == credit(ada, 500)

    with pytest.raises(ReferenceTaken):
        credit(ada, 400)
    assert left(ada) == pts(500)


def test_more_points_than_there_are_is_refused_and_may_be_asked_again_when_there_are_enough(ada):
    with pytest.raises(InsufficientFunds):
        credit(ada, 1_001)
    assert not PointsCredit.objects.exists()
    assert holds(wallets.of(member=ada, currency="CNY")) == cny(0)

    fund(points.of(ada).points, 10, ledger.Terms("test"))
    assert credit(ada, 1_001).points == 1_001


def test_repeated_it_is_the_first_whatever_became_of_the_member_and_opens_no_wallet(ada):
    first = credit(ada, 500)
    members.edit(member=ada, by=Actor.of(ada.user), home_currency="EUR")
    ada.refresh_from_db()
    assert credit(ada, 500) == first
    members.suspend(member=ada, by=SYSTEM, reason="test")
    ada.refresh_from_db()

    assert credit(ada, 500) == first
    assert [purse.currency for purse in Wallet.objects.of(ada)] == ["CNY"]


@pytest.mark.parametrize("count", [0, -5])
def test_nothing_is_turned_into_nothing(ada, count):
    with pytest.raises(PointsWorthNothing):
        credit(ada, count)


def test_where_points_have_no_value_they_buy_nothing():
    bo = member()
    told(PointValue.objects.create(currency="CNY", points=1, value_minor=1, starts_at=clock.now() + timedelta(days=1)))

    with pytest.raises(PointsWorthNothing):
        credit(bo, 100)


def test_points_too_few_for_a_smallest_part_stay(ada):
    told(PointValue.objects.create(currency="CNY", points=100, value_minor=1, starts_at=clock.now()))

    with pytest.raises(PointsWorthNothing):
        credit(ada, 99)
    assert left(ada) == pts(1_000)


def test_points_of_somebody_else_and_of_a_suspended_member_stay(ada):
    for by in (SYSTEM, Actor.of(member().user)):
        with pytest.raises(NotYourPoints):
            points_credit.credit(member=ada, count=7, reference="r1", by=by)
    members.suspend(member=ada, by=Actor("staff", "0"), reason="looked into")
    with pytest.raises(MemberSuspended):
        credit(ada, 7)
    assert left(ada) == pts(1_000)


@pytest.mark.parametrize("what", ["points", "amount", "gone", "elsewhere"])
def test_corruption_is_found_and_named(ada, unprotected, what):
    done = credit(ada, 500)
    assert found() == []

    with unprotected():
        if what == "points":
            PointsCredit.objects.update(points=501)
        elif what == "amount":
            PointsCredit.objects.update(amount_minor=715)
        elif what == "gone":
            PointsCredit.objects.all().delete()
        else:
            Posting.objects.filter(journal=done.journal_id, unit="PTS").update(amount_minor=499)

    journal = Journal.objects.get(scope=points_credit.SCOPE)
    assert set(found()) == {f"journal {journal.pk}" if what == "gone" else f"credit {done.pk}"}


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_many_ask_for_the_same_points_and_as_many_as_there_are_become_money(ada, together):
    def ask(number: int) -> str:
        try:
            credit(ada, 100, f"r{number}")
        except InsufficientFunds as refusal:
            return refusal.code
        return "credited"

    ends = together(32, ask)

    assert sorted(map(str, ends)) == ["credited"] * 10 + ["insufficient_funds"] * 22
    assert (left(ada), holds(wallets.of(member=ada, currency="CNY"))) == (pts(0), cny(10 * 142))
