"""No more in a wallet than may be held, wherever it comes from, with all that is under way counted."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from members.models import PointValue
from members.services import points
from members.services.limits import BalanceLimitExceeded
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.errors import DomainError
from paymentsite.core.money import Money
from paymentsite.ledger import services as ledger
from tests import terms
from tests.factories import fund
from tests.members.catalogue import goods
from tests.members.factories import member
from tests.members.limiting import cap
from tests.wallets import factories as cny_wallets
from tests.wallets.deciding import decide, staff
from tests.wallets.factories import claimed, given, holds, sent
from tests.wallets.gateways import CURRENCY, eur, let_time_pass, top_up, wallet
from tests.wallets.rates import told
from wallets.models import Wallet
from wallets.services import conflicts, exchanges, points_credit, reward_credit
from wallets.services.transfers import PayeeCannotReceive

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]

CAP = 1_000
COMING = 902  # pending, and then it comes


def received(purse: Wallet, minor: int) -> None:
    sent(minor, sender=wallet(minor), to=purse.member)


def taken_as_gift(purse: Wallet, minor: int) -> None:
    claimed(given(minor, wallet(minor)), purse.member)


def bought(purse: Wallet, minor: int) -> None:
    told("CNY", CURRENCY, "1")
    with_margin = minor + 1
    yuan = cny_wallets.wallet(with_margin, of=purse.member)
    quote = exchanges.quote(member=purse.member, sell=Money(with_margin, "CNY"), buy_currency=CURRENCY, now=clock.now())
    assert quote.bought == eur(minor)
    exchanges.accept(quote=quote, reference="r", by=Actor.of(yuan.member.user))


def turned_into_money(purse: Wallet, minor: int) -> None:
    since = clock.now() - timedelta(days=1)
    terms.told(PointValue.objects.create(currency=CURRENCY, points=1, value_minor=1, starts_at=since))
    fund(points.of(purse.member).points, minor, ledger.Terms("test"))
    points_credit.credit(member=purse.member, count=minor, reference="r", by=Actor.of(purse.member.user))


def taken_as_reward(purse: Wallet, minor: int) -> None:
    reward = goods(kind="wallet_credit", credit_minor=minor, currency=CURRENCY)
    fund(points.of(purse.member).points, reward.points, ledger.Terms("test"))
    reward_credit.redeem(member=purse.member, reward=reward, reference="r", by=Actor.of(purse.member.user))


WAYS: list[tuple[Callable[[Wallet, int], None], type[DomainError]]] = [
    (received, PayeeCannotReceive),
    (taken_as_gift, BalanceLimitExceeded),
    (bought, BalanceLimitExceeded),
    (turned_into_money, BalanceLimitExceeded),
    (taken_as_reward, BalanceLimitExceeded),
    (lambda purse, minor: top_up(purse, minor, reference="another"), BalanceLimitExceeded),
]
NAMES = ["transfer", "gift", "exchange", "points", "reward", "top-up"]


def someone() -> Wallet:
    """With a wallet in euros, a home in euros, and a cap on it."""
    purse = wallet(of=member(home_currency=CURRENCY))
    cap(CAP, measure="balance", period="always", currency=CURRENCY, member=purse.member)
    return purse


@pytest.mark.parametrize(("come", "refusal"), WAYS, ids=NAMES)
def test_what_is_under_way_takes_its_room_from_whatever_comes(come, refusal):
    purse = someone()
    assert top_up(purse, COMING).state == "pending"

    with pytest.raises(refusal):
        come(purse, CAP - COMING + 1)

    let_time_pass()
    assert holds(purse) == eur(COMING)


@pytest.mark.parametrize(("come", "_refusal"), WAYS, ids=NAMES)
def test_what_fits_beside_it_comes(come, _refusal):
    purse = someone()
    top_up(purse, COMING)

    come(purse, CAP - COMING)

    let_time_pass()
    assert holds(purse) == eur(CAP)


def test_what_staff_may_still_accept_takes_its_room():
    purse = someone()
    order = top_up(purse, 910)
    assert order.state == "conflict"

    with pytest.raises(PayeeCannotReceive):
        received(purse, CAP - 908)
    # What came is a smallest part less than was asked for.
    received(purse, CAP - 909)

    assert holds(purse) == eur(CAP - 909)


@pytest.mark.parametrize(("kept", "given_back"), [(909, False), (0, True)], ids=["may stay after all", "gone"])
def test_what_is_being_given_back_takes_its_room_until_it_is_gone(kept, given_back):
    purse = someone()
    order = top_up(purse, 910)
    decide(conflicts.give_back(order=order, by_hand=False, by=staff(), reason="not ours"))
    if given_back:
        decide(conflicts.give_back(order=order, by_hand=True, by=staff(), reason="by transfer"))

    with pytest.raises(PayeeCannotReceive):
        received(purse, CAP - kept + 1)
    received(purse, CAP - kept)

    assert holds(purse) == eur(CAP - kept)
