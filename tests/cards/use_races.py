"""What merchants and time do with a card at the same moment, and what must come of it."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cards.models import Card, CardAuthorisation, CardMessage, DecisionReceipt
from cards.services import card_pins, controls, lapsing
from cards.services.life import Channel
from paymentsite.core import clock, verification
from paymentsite.core.actors import Actor
from paymentsite.core.vault import Secret
from tests import tables
from tests.cards.factories import card, debit
from tests.cards.using import DINER, SHOP, ask, loaded, spending, stands, tell, use
from tests.wallets.factories import wallet

Together = Callable[[int, Callable[[int], Any]], list[Any]]


def codes(results: list[Any]) -> Counter[str]:
    return Counter(str(getattr(each, "code", type(each).__name__)) for each in results)


def clean() -> bool:
    return verification.discover().run(only=["cards", "ledger", "members"]).findings == []


def one_use(together: Together, count: int) -> None:
    """A card for one use, asked for at once: one is approved."""
    tables.empty()
    found = loaded(500_00, use=Card.Use.SINGLE)

    results = together(count, lambda _number: ask(found, 1_00))

    assert codes(results) == Counter({"approved": 1}) + Counter({"card_closed": count - 1})
    assert (stands(found), clean()) == ((1_00, 1_00), True)


def so_many_uses(together: Together, count: int) -> None:
    """A card for three uses: three are approved."""
    tables.empty()
    found = card(wallet(500_00).member, debit(), use=Card.Use.TIMES, times=3)

    results = together(count, lambda _number: ask(found, 1_00))

    good = min(3, count)
    assert codes(results) == Counter({"approved": good}) + Counter({"used_up": count - good})
    assert (stands(found)[1], clean()) == (good * 1_00, True)


def daily_limit(together: Together, count: int) -> None:
    """What a card may spend a day is spent to the last bit, and no further."""
    tables.empty()
    found = spending(500_00)
    terms = {"caps": [{"measure": "amount", "span": "day", "most": 5_00}]}
    controls.set_for(subject=found, terms=terms, by=Actor.of(found.member.user), channel=Channel.WEB)

    results = together(count, lambda _number: ask(found, 1_00))

    good = min(5, count)
    assert codes(results) == Counter({"approved": good}) + Counter({"card_limit": count - good})
    assert (stands(found)[1], clean()) == (good * 1_00, True)


def limit_of_all_cards(together: Together, count: int) -> None:
    """The same of all cards of a member's, asked for on two of them."""
    tables.empty()
    first = spending(500_00)
    second = card(first.member, debit(), reference="second")
    terms = {"caps": [{"measure": "count", "span": "last_day", "most": 5}]}
    controls.set_for(subject=first.member, terms=terms, by=Actor.of(first.member.user), channel=Channel.WEB)

    results = together(count, lambda number: ask((first, second)[number % 2], 1_00))

    good = min(5, count)
    assert codes(results) == Counter({"approved": good}) + Counter({"card_limit": count - good})
    assert (stands(first)[1], clean()) == (good * 1_00, True)


def last_of_the_balance(together: Together, count: int) -> None:
    """Money for three, asked for by many."""
    tables.empty()
    found = spending(3_50)

    results = together(count, lambda _number: ask(found, 1_00))

    good = min(3, count)
    assert codes(results) == Counter({"approved": good}) + Counter({"insufficient_funds": count - good})
    assert (stands(found), clean()) == ((3_50, good * 1_00), True)


def one_message(together: Together, count: int) -> None:
    """The same question said at once is one question, with one answer."""
    tables.empty()
    found = spending(500_00)

    results = together(count, lambda _number: ask(found, 1_00, message_id="m", reference="r"))

    assert not [each for each in results if isinstance(each, Exception)]
    assert {each.receipt for each in results} == {DecisionReceipt.objects.get().pk}
    assert sum(each.replayed for each in results) == count - 1
    assert (stands(found), clean()) == ((500_00, 1_00), True)


def taken_cancelled_and_lapsed(together: Together, count: int) -> None:
    """A use that is captured, cancelled and too old at the same moment: captured once, and nothing stays set aside."""
    tables.empty()
    found = spending(500_00)
    ask(found, 10_00, reference="r")
    late = clock.now() + timedelta(days=8)
    about = {"reference": "r"}

    def work(number: int) -> Any:
        match number % 4:
            case 0:
                return tell("capture", found, 10_00, message_id="capture", final=True, **about)
            case 1:
                return tell("reverse", found, None, message_id="reverse", **about)
            case 2:
                return lapsing.lapse_due(now=late)
        return tell("refund", found, 4_00, message_id="refund", **about)

    results = together(count, work)

    assert not [each for each in results if isinstance(each, Exception)]
    given = 4_00 if count > 3 else 0
    assert stands(found) == (490_00 + given, 0)
    assert use("r").state == ("part_refunded" if given else "captured")
    said = CardMessage.objects.filter(use__reference="r").exclude(kind="expiry").count()
    assert said == 1 + min(count, 2) + (1 if count > 3 else 0)
    assert clean()


def guesses_at_a_pin(together: Together, count: int) -> None:
    """A PIN guessed at by many at once: three guesses are looked at."""
    tables.empty()
    found = spending(500_00)
    by = Actor.of(found.member.user)
    card_pins.set_pin(card=found, new=Secret("4071"), by=by, channel=Channel.WEB, signed_in=timedelta(0))

    results = together(count, lambda number: ask(found, 1_00, pin=Secret(f"90{number:02}")))

    looked = min(3, count)
    assert codes(results) == Counter({"wrong_pin": looked}) + Counter({"pin_locked": count - looked})
    assert clean()


def first_merchant(together: Together, count: int) -> None:
    """A card for one merchant, asked for by two at once: it is the first one's."""
    tables.empty()
    found = card(wallet(500_00).member, debit(), use=Card.Use.MERCHANT)

    results = together(count, lambda number: ask(found, 1_00, merchant=(SHOP, DINER)[number % 2]))

    found.refresh_from_db()
    merchants = set(CardAuthorisation.objects.filter(state="open").values_list("merchant", flat=True))
    assert merchants == {found.merchant}
    assert codes(results) == Counter({"approved": count // 2, "other_merchant": count // 2})
    assert clean()
