"""The races of transfers, each with what must be true after it; ``run(count, racer)`` starts the racers together."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction

from members.models import Member
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.errors import DomainError
from paymentsite.core.models import OpenItem
from paymentsite.core.services import audit
from paymentsite.ledger.models import Balance, Hold
from tests.ledger.races import deadlocks
from tests.ledger.soundness import assert_sound
from tests.members.factories import member
from tests.wallets.factories import asked, given, paid, sent, wallet
from wallets.models import Gift, MoneyRequest, StandingOrder, StandingRun, Transfer, Wallet
from wallets.services import gift_links, leaving, standing_runs

HEAD_STARTS = (0, 0.005, 0.01, 0.03)  # seconds
Run = Callable[[int, Callable[[int], Any]], list[Any]]


def word(act: Callable[[], Any]) -> str:
    """How it ended, in a word: what is no refusal of ours is told by its own name, for the test to trip over."""
    try:
        act()
    except DomainError as refusal:
        return refusal.code
    except Exception as error:  # noqa: BLE001  carried to the test's own thread
        return f"{type(error).__name__}: {error}"
    return "done"


def told(run: Run, count: int, racer: Callable[[int], Any]) -> Counter[str]:
    return Counter(run(count, lambda number: word(lambda: racer(number))))


def on(purse: Wallet) -> int:
    return Balance.objects.get(pk=purse.account_id).posted_minor


def money_for_some(run: Run, count: int) -> None:
    """As many transfers out of one wallet as its money is enough for, to the last cent."""
    enough = max(1, count // 2)
    purse, target = wallet(10 * enough + 9), wallet()

    ended = told(run, count, lambda number: sent(10, sender=purse, to=target.member, reference=f"r{number}"))

    expected = {"done": enough, "insufficient_funds": count - enough}
    assert ended == {word: times for word, times in expected.items() if times}
    assert (on(purse), on(target)) == (9, 10 * enough)
    assert Transfer.objects.filter(sender=purse.member).count() == enough
    assert_sound()


def one_reference(run: Run, count: int) -> None:
    """Sent at once by one reference, it is sent once and all hear so."""
    purse, ada = wallet(1_000), member()

    ended = told(run, count, lambda _number: sent(10, sender=purse, to=ada))

    assert ended == {"done": count}
    assert (on(purse), Transfer.objects.filter(sender=purse.member).count()) == (990, 1)
    assert_sound()


def crossing(run: Run, count: int, *, acts: int) -> None:
    """There and back at once: nobody waits for each other for ever, and nobody hears of it."""
    pair = wallet(1_000), wallet(1_000)
    before = deadlocks()

    def racer(number: int) -> None:
        one, other = pair if number % 2 else reversed(pair)
        for step in range(acts):
            sent(1 + number % 3, sender=one, to=other.member, reference=f"r{number} {step}")

    ended = told(run, count, racer)

    assert ended == {"done": count}
    assert sum(map(on, pair)) == 2_000
    assert deadlocks() == before
    assert_sound()


def one_request(run: Run, count: int) -> None:
    """Paid by many tries at once, each with a reference of its own, it is paid once."""
    purse, ada = wallet(100 * count), member()
    request = asked(of=purse.member, by=ada)

    ended = told(run, count, lambda number: paid(request, purse, reference=f"p{number}"))

    assert ended == {"done": 1, "request_not_open": count - 1}
    assert (on(purse), Transfer.objects.filter(receiver=ada).count()) == (100 * count - 100, 1)
    assert MoneyRequest.objects.get(pk=request.pk).transfer
    assert_sound()


def one_gift(run: Run, count: int) -> None:
    """One of many who come with the link at once has it."""
    purse = wallet(100)
    made, takers = given(60, purse), [wallet() for _ in range(count)]
    assert made.token
    token = made.token

    def racer(number: int) -> None:
        taker = takers[number].member
        gift_links.claim(token=token, member=taker, by=SYSTEM)

    ended = told(run, count, racer)

    assert ended == {"done": 1, "gift_not_open": count - 1}
    assert (on(purse), sorted(map(on, takers))[-2:]) == (40, [0, 60])
    assert Gift.objects.get(pk=made.gift.pk).state == "claimed"
    assert_sound()


def gift_or_return(run: Run, count: int) -> None:
    """Claimed, cancelled and returned at once: one of these happens."""
    purse = wallet(100)
    made, takers = given(60, purse), [wallet() for _ in range(count)]
    assert made.token
    token, sender = made.token, purse.member

    def racer(number: int) -> None:
        if number % 2:
            gift_links.claim(token=token, member=takers[number].member, by=SYSTEM)
        else:
            gift_links.cancel(gift=made.gift, sender=sender, by=SYSTEM)

    ended = told(run, count, racer)

    taken = sum(map(on, takers))
    cancels = count - count // 2
    # Who cancels what is cancelled hears that it is.
    assert ended == (
        {"done": 1, "gift_not_open": count - 1} if taken else {"done": cancels, "gift_not_open": count - cancels}
    )
    assert (on(purse) + taken, taken) in {(100, 0), (100, 60)}
    assert Hold.objects.get(pk=made.gift.hold_id).state == ("captured" if taken else "released")
    assert_sound()


def leaving_or_receiving(run: Run, count: int) -> None:
    """Half leave, half send to who leaves: either nothing came and it is over, or money did and it goes on.

    Who leaves asks more before the lock than who sends, so it takes a head start for either to be first at times.
    """
    for head_start in HEAD_STARTS:
        _leaving_or_receiving(run, count, head_start)


def _leaving_or_receiving(run: Run, count: int, head_start: float) -> None:
    purse, target = wallet(10 * count), wallet()
    ada = target.member

    def racer(number: int) -> None:
        if number % 2:
            time.sleep(head_start)
            sent(10, sender=purse, to=ada, reference=f"r{number}")
        else:
            leaving.leave(member=ada, by=SYSTEM, reason="moves away")

    ended = told(run, count, racer)

    sends, leaves = count // 2, count - count // 2
    target.refresh_from_db()
    closed = Member.objects.get(pk=ada.pk).state == "closed"
    assert ended == (
        {"done": leaves, "payee_cannot_receive": sends} if closed else {"done": sends, "leaving_money_left": leaves}
    )
    assert (target.state, on(target)) == (("closed", 0) if closed else ("open", 10 * sends))
    assert on(purse) + on(target) == 10 * count
    assert Wallet.objects.of(ada).count() == 1
    assert_sound()


def one_due_day(run: Run, count: int) -> None:
    """However many workers come, a due day is done once."""
    purse, ada = wallet(100 * count), member()
    order = due_order(purse.member, ada)
    now = clock.now()

    ended = told(run, count, lambda _number: standing_runs.carry_out(now=now))

    assert ended == {"done": count}
    assert (on(purse), StandingRun.objects.filter(order=order).count()) == (100 * count - 10, 1)
    assert StandingOrder.objects.get(pk=order.pk).runs_done == 1
    # None of them failed on the way and left it to a person.
    assert not OpenItem.objects.exists()
    assert_sound()


def due_order(sender: Member, payee: Member) -> StandingOrder:
    """An order of 10 a day whose first day has come, though it was only just set up."""
    now = clock.now()
    today = clock.day_of(now, sender.time_zone)
    with transaction.atomic():
        order = StandingOrder.objects.create(
            public_id=sender.public_id,
            member=sender,
            payee=payee,
            currency="CNY",
            amount_minor=10,
            reference="s",
            every="day",
            starts_on=today,
            next_on=today,
            next_at=now - timedelta(minutes=1),
            made_at=now,
        )
        plan = {"every": "day", "starts_on": today, "ends_on": None, "count": None}
        terms = {"amount": order.amount, "member": sender.pk, "payee": payee.pk, **plan}
        audit.record(by=SYSTEM, act="standing_order.made", subject=order, after=terms)
    return order
