"""What members and we do with cards at the same moment, and what must come of it."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cards.models import Card, CardEvent, NumberRange
from cards.services import codes, ending, issuing, life, loading, reveals
from cards.services.issuing import TooManyCards
from cards.services.life import Channel
from cards.services.numbers import NumbersExhausted
from members.services import tiers
from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.ledger import queries as books
from tests import tables
from tests.cards.factories import card, issued, numbers, product
from tests.factories import cny
from tests.members.factories import member
from tests.wallets.factories import holds, wallet

Together = Callable[[int, Callable[[int], Any]], list[Any]]


def kinds(results: list[Any]) -> Counter[str]:
    return Counter(type(each).__name__ for each in results)


def clean() -> bool:
    return verification.discover().run(only=["cards", "ledger"]).findings == []


def no_more_than_may_be_held(together: Together, count: int) -> None:
    """One card of a product may be held: one of those asked for at once is issued."""
    tables.empty()
    holder, one = wallet().member, product("one", held_max=1)
    # What the first of all makes for everybody would keep the others waiting for it.
    codes.current_key(by=SYSTEM)
    tiers.base()

    results = together(count, lambda number: issued(holder, one, reference=f"r{number}"))

    assert kinds(results) == {"Card": 1, TooManyCards.__name__: count - 1}
    assert (Card.objects.count(), clean()) == (1, True)


def one_reference(together: Together, count: int) -> None:
    """The same card asked for at once is one card, for everybody who asked."""
    tables.empty()
    holder, dear = member(), product("dear", issue_fee_minor=5_00)
    purse = wallet(100_00, of=holder)

    results = together(count, lambda _number: issued(holder, dear))

    assert {each.pk for each in results} == {Card.objects.get().pk}
    assert (holds(purse), clean()) == (cny(95_00), True)


def last_numbers(together: Together, count: int) -> None:
    """Ten numbers, wanted by many members at once: ten get one each, and no two the same."""
    tables.empty()
    tiny = product("tiny", numbers=numbers("40000012345", 13))
    members = [member() for _ in range(count)]

    results = together(count, lambda number: issued(members[number], tiny))

    most = min(count, 10)
    assert kinds(results) == Counter({"Card": most} | ({NumbersExhausted.__name__: count - 10} if count > 10 else {}))
    assert len({each.number.decrypt().reveal() for each in Card.objects.all()}) == most
    assert (NumberRange.objects.get().issued, clean()) == (most, True)


def one_look(together: Together, count: int) -> None:
    """A token shown to many pages at once shows the number once."""
    tables.empty()
    found = card()
    by = Actor.of(found.member.user)
    token = reveals.permit(card=found, by=by, channel=Channel.WEB, signed_in=timedelta(0)).token

    results = together(count, lambda _number: reveals.show(token=token, by=by))

    assert kinds(results) == Counter({"Shown": 1} | ({"RevealGone": count - 1} if count > 1 else {}))
    assert clean()


def loaded_while_it_ends(together: Together, count: int) -> None:
    """Loads, unloads and the end of a card at once: nothing is lost, and nothing stays on what is over."""
    tables.empty()
    purse = wallet(100_00)
    found = card(purse.member)
    by = Actor.of(purse.member.user)
    loading.load(card=found, amount=cny(10_00), reference="first", by=by)

    def work(number: int) -> Any:
        if number == 0:
            return ending.close(card=found, by=by, channel=Channel.WEB)
        act = loading.load if number % 2 else loading.unload
        return act(card=found, amount=cny(1_00), reference=f"r{number}", by=by)

    results = together(count, work)

    assert kinds(results)["Card"] == 1
    assert books.standing(found.account).posted + holds(purse) == cny(100_00)
    assert (holds(purse), clean()) == (cny(100_00), True)


def one_state(together: Together, count: int) -> None:
    """Frozen, blocked, closed and expired at once: each change begins where the one before ended."""
    tables.empty()
    found = card()
    by = Actor.of(found.member.user)
    acts: list[Callable[[], Any]] = [
        lambda: life.freeze(card=found, by=by, channel=Channel.WEB),
        lambda: life.unfreeze(card=found, by=by, channel=Channel.WEB),
        lambda: life.block(card=found, by=SYSTEM, reason="doubt"),
        lambda: life.unblock(card=found, by=SYSTEM, reason="clear"),
        lambda: ending.close(card=found, by=by, channel=Channel.WEB),
        lambda: ending.expire(card=found, today=found.expires_on + timedelta(days=1)),
        lambda: issuing.replace(card=found, why=issuing.Why.LOST, reference="n", by=by, channel=Channel.WEB),
    ]

    results = together(count, lambda number: acts[number % len(acts)]())

    assert not [each for each in results if isinstance(each, Exception) and not hasattr(each, "code")], results
    found.refresh_from_db()
    if count >= len(acts):
        assert found.ended
        assert CardEvent.objects.filter(card=found, after__in=["closed", "expired"]).count() == 1
    assert clean()
