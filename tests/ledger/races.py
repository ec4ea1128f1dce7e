"""The races, each with what must be true after it. ``run(count, racer, **facts)`` lets the racers start together.

The same functions are run by threads, by processes, for many rounds, and against planted bugs.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection

from paymentsite.ledger import services as ledger
from paymentsite.ledger.models import Account, AccountEvent, Balance, Block, Journal, Leaf
from tests import threads
from tests.factories import hot, purse
from tests.ledger import racers
from tests.ledger.racers import Told
from tests.ledger.soundness import assert_sound

Run = Callable[..., list[Any]]


def words(told: Iterable[Told]) -> Counter[str]:
    return Counter(each.word for each in told)


def flat(lists: Iterable[list[Told]]) -> list[Told]:
    return [told for some in lists for told in some]


def on(account: Account) -> int:
    return Balance.objects.get(pk=account.pk).posted_minor


def only(told: Iterable[Told]) -> int:
    """How many succeeded, when whatever did not was refused for want of funds."""
    counted = words(told)
    assert counted.keys() <= {"posted", "insufficient_funds"}, counted
    return counted["posted"]


def last_money(run: Run, count: int, *, hot_target: bool) -> None:
    """Money for half of those that want it: exactly they get it."""
    enough = max(1, count // 2)
    source, target = purse(10 * enough), hot() if hot_target else purse()

    told = run(count, racers.spend, source=source.pk, target=target.pk, minor=10, reference=f"{source.pk} {{number}}")

    assert only(told) == enough
    assert on(source) == 0
    assert Journal.objects.posted().filter(scope="race", reference__startswith=f"{source.pk} ").count() == enough
    assert_sound()


def one_reference(run: Run, count: int) -> None:
    """However often it is asked for at once, it is done once and everybody hears the same."""
    source, target = purse(10 * count), purse()
    reference = f"once {source.pk}"

    told = run(count, racers.spend, source=source.pk, target=target.pk, minor=10, reference=reference)

    assert words(told) == {"posted": count}
    assert len({(each.journal, each.facts) for each in told}) == 1
    assert sum(each.fresh for each in told) == 1
    assert on(target) == 10
    assert_sound()


def one_reference_of_many_meanings(run: Run, count: int) -> None:
    source, target = purse(1_000), purse()

    told = run(count, racers.spend_otherwise, source=source.pk, target=target.pk, reference=f"which {source.pk}")

    assert words(told) == {"posted": 1, "reference_conflict": count - 1}
    assert on(target) == next(number + 1 for number, each in enumerate(told) if each.word == "posted")
    assert_sound()


def one_refusal(run: Run, count: int) -> None:
    """A refusal is an answer like any other: though money comes in meanwhile, all who ask hear the first one."""
    world, source, target = hot(), purse(10), purse()
    reference = f"refused {source.pk}"

    told = run(count, racers.trickle_or_ask, world=world.pk, source=source.pk, target=target.pk, reference=reference)

    asked = told[1::2]
    assert words(asked) == {"insufficient_funds": count // 2}
    assert len({each.facts for each in asked}) == 1
    assert words(told[::2]) == {"posted": count - count // 2}
    assert Journal.objects.refused().filter(reference=reference).count() == 1
    assert_sound()


def shuttles(run: Run, count: int, *, accounts: int, acts: int, ways: tuple[str, ...]) -> None:
    """There and back and round in rings: nobody waits for each other for ever, and nothing is lost on the way."""
    circle = [purse(10_000) for _ in range(accounts)]
    before = deadlocks()

    told = flat(
        run(
            count,
            racers.shuttle,
            accounts=[account.pk for account in circle],
            reference=f"shuttle {circle[0].pk}",
            acts=acts,
            ways=ways,
        )
    )

    assert words(told) == {"posted": count * acts}
    assert sum(map(on, circle)) == 10_000 * accounts
    assert deadlocks() == before
    assert_sound()


def opening(run: Run, count: int) -> None:
    """However many open it at once, it is one account, opened once."""
    owner = f"test:opened {time.monotonic_ns()}"

    told = run(count, racers.open_purse, owner=owner)

    [account], opened = Account.objects.filter(owner=owner)[:1], Account.objects.filter(owner=owner).count()
    assert opened == 1
    assert set(told) == {Told("done", facts=f"[{account.pk}]")}
    assert (Balance.objects.filter(account=account).count(), AccountEvent.objects.filter(account=account).count()) == (
        1,
        1,
    )


def freeze(run: Run, count: int) -> None:
    """Nothing is posted after the freeze, and each who comes later hears of it."""
    source, target = purse(100_000), purse()

    frozen, *spent = run(
        count,
        racers.spend_until_refused,
        source=source.pk,
        target=target.pk,
        reference=f"freeze {source.pk}",
        change="freeze",
        after=2 * count,
    )

    assert words(frozen) == {"done": 1}
    assert {each[-1].word for each in spent} == {"account_not_open"}
    balance = Balance.objects.get(pk=source.pk)
    assert AccountEvent.objects.get(account=source, kind="status").seq == balance.seq >= 2 * count
    assert words(flat(spent)) == {"posted": balance.seq - 1, "account_not_open": count - 1}
    assert_sound()


def floor(run: Run, count: int) -> None:
    """Spending stops at the floor that is set while it goes on."""
    plenty = 400 * count
    source, target = purse(plenty), purse()

    changed, *spent = run(
        count,
        racers.spend_until_refused,
        source=source.pk,
        target=target.pk,
        reference=f"floor {source.pk}",
        change="floor",
        after=2 * count,
    )

    assert words(changed) == {"done": 1}
    assert {each[-1].word for each in spent} == {"insufficient_funds"}
    balance = Balance.objects.get(pk=source.pk)
    assert balance.posted_minor == balance.floor_minor == plenty - words(flat(spent))["posted"]
    assert balance.floor_minor > 0
    assert_sound()


def batches(run: Run, count: int) -> None:
    """Batches that share references and accounts: each reference is done once, whoever had it first."""
    circle = [purse(10_000) for _ in range(6)]
    reference, pool, drafts = f"batch {circle[0].pk}", 30, 20

    told = flat(
        run(
            count,
            racers.batch,
            accounts=[account.pk for account in circle],
            reference=reference,
            pool=pool,
            drafts=drafts,
        )
    )

    assert len(told) == count * drafts
    assert words(told).keys() <= {"posted", "reference_conflict"}, words(told)
    journals = Journal.objects.filter(reference__startswith=f"{reference} ")
    assert sum(each.fresh for each in told) == journals.count() >= drafts
    assert len({each.journal for each in told if each.word == "posted"}) == journals.count()
    assert words(told)["posted"] > journals.count()
    assert sum(map(on, circle)) == 60_000
    assert_sound()


def crossing_acts(run: Run, count: int, *, acts: int) -> None:
    """Acts that lock account after account, each in its own order, meet in deadlocks; no caller hears of one."""
    circle = [purse(10_000) for _ in range(4)]
    before = deadlocks()

    told = flat(
        run(
            count,
            racers.run_errands,
            accounts=[account.pk for account in circle],
            reference=f"errands {circle[0].pk}",
            acts=acts,
        )
    )

    assert words(told) == {"posted": count * acts}, words(told)
    assert deadlocks() > before
    assert sum(map(on, circle)) == 40_000
    assert Journal.objects.filter(reference__startswith=f"errands {circle[0].pk} ").count() == count * acts * 3
    assert_sound()


def sealing(run: Run, count: int, *, acts: int) -> None:
    """Whoever seals while others post: each journal is in one block, and in its hot account's balance, once."""
    source, target = purse(10_000), hot()

    told = flat(
        run(count, racers.spend_or_seal, source=source.pk, target=target.pk, reference=f"seal {source.pk}", acts=acts)
    )
    sealed_meanwhile = Leaf.objects.count()
    ledger.close_blocks()

    spent = count // 2 * acts
    assert words(told) == {"posted": spent, "done": count * acts - spent}
    assert sealed_meanwhile > 0
    assert Leaf.objects.count() == Journal.objects.count()
    assert on(target) == spent
    blocks = list(Block.objects.order_by("height"))
    assert [block.height for block in blocks] == list(range(1, len(blocks) + 1))
    assert [bytes(block.previous) for block in blocks[1:]] == [bytes(block.digest) for block in blocks[:-1]]
    assert_sound()


def deadlocks() -> int:
    """How many the server has broken in this database, once the racers' connections have told it what they saw."""
    threads.dismiss()
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            if not cursor.fetchone()[0]:
                break
            assert time.monotonic() < deadline, "someone is still connected"
            time.sleep(0.01)
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
