"""In whatever order a bank tells of what came, and however often: the same books, which a plain sum says, too."""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cards.models import BankCredit, VirtualAccount
from cards.services import account_life, bank_credits, purposes
from cards.services.life import Channel
from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM
from paymentsite.core.money import Money
from tests.cards.banking import NOWHERE, at_bank, bank, came, days, permanent, purpose, set_aside
from tests.examples import some
from tests.wallets.factories import holds, wallet

pytestmark = pytest.mark.django_db

EXAMPLES = 25
EXPECTED = 100
PLACES = ("good", "keep", "aside", "suspended", "closed", "nobody")
TAKEN = ("good", "keep", "aside")


class Told(NamedTuple):
    """``to`` where so much came, ``late`` after the last day or not, in yuan or in dollars."""

    to: str
    minor: int
    late: bool
    currency: str


told = st.builds(
    Told,
    st.sampled_from([*PLACES, "keep", "aside"]),
    st.integers(1, 150),
    st.sampled_from([False, False, False, True]),
    st.sampled_from(["CNY", "CNY", "CNY", "CNY", "USD"]),
)


@st.composite
def months(draw: st.DrawFn) -> tuple[list[Told], list[int]]:
    """What came, and in which order, how often, it is told."""
    all_of_it = draw(st.lists(told, min_size=1, max_size=10))
    again = draw(st.lists(st.integers(0, len(all_of_it) - 1), max_size=6))
    return all_of_it, draw(st.permutations([*range(len(all_of_it)), *again]))


def served(paid: int) -> str:
    if paid > EXPECTED:
        return "overpaid"
    return {0: "open", EXPECTED: "paid"}.get(paid, "part_paid")


def plainly(all_of_it: list[Told]) -> dict[str, Any]:
    """What the books must be: sums alone."""
    came_to = Counter[str]()
    for each in all_of_it:
        late = each.late and each.to in {"keep", "aside"}
        if each.to in TAKEN and each.currency == "CNY" and not late:
            came_to[each.to] += each.minor
    kept = {**{place: came_to[place] for place in TAKEN}, "aside": min(came_to["aside"], EXPECTED)}
    all_in = {unit: sum(each.minor for each in all_of_it if each.currency == unit) for unit in ("CNY", "USD")}
    return {
        "wallet": sum(kept.values()),
        "suspense": {"CNY": all_in["CNY"] - sum(kept.values()), "USD": all_in["USD"]},
        "bank": {unit: -total for unit, total in all_in.items()},
        "keep": (kept["keep"], served(kept["keep"])),
        "aside": (kept["aside"], served(kept["aside"])),
        "credits": len(all_of_it),
    }


def in_the_books(all_of_it: list[Told], order: list[int]) -> dict[str, Any]:
    purse = wallet()
    accounts = {
        "good": permanent(purse),
        "keep": purpose(purse, EXPECTED, reference="keep", expires_on=days(5)),
        "aside": purpose(purse, EXPECTED, reference="aside", expires_on=days(5), over="aside"),
        "suspended": purpose(purse, EXPECTED, reference="suspended"),
        "closed": purpose(purse, EXPECTED, reference="closed"),
    }
    account_life.suspend(account=accounts["suspended"], by=SYSTEM, reason="doubt")
    account_life.close(account=accounts["closed"], by=SYSTEM, channel=Channel.ADMIN, reason="over")
    numbers = {place: account.number for place, account in accounts.items()} | {"nobody": NOWHERE}

    for number in order:
        each = all_of_it[number]
        day, amount = days(6 if each.late else 5), Money(each.minor, each.currency)
        came(numbers[each.to], reference=f"b{number}", amount=amount, value_date=day, bank=bank())

    found = VirtualAccount.objects.in_bulk([account.pk for account in accounts.values()])
    states = {place: found[accounts[place].pk] for place in ("keep", "aside")}
    return {
        "wallet": holds(purse).minor,
        "suspense": {unit: set_aside(unit).minor for unit in ("CNY", "USD")},
        "bank": {unit: at_bank(unit).minor for unit in ("CNY", "USD")},
        **{place: (account.paid_minor, account.purpose) for place, account in states.items()},
        "credits": BankCredit.objects.count(),
    }


def tell(month: tuple[list[Told], list[int]]) -> None:
    with transaction.atomic():
        assert in_the_books(*month) == plainly(month[0])
        assert verification.discover().run(only=["cards", "ledger"]).findings == []
        transaction.set_rollback(True)


def examples(work: Callable[..., None], count: int, **options: Any) -> None:
    """Try so many months."""
    check = list(HealthCheck)
    run = settings(max_examples=count, deadline=None, database=None, suppress_health_check=check, **options)
    run(given(months())(work))()


def test_order_and_repetition_of_what_is_told_change_nothing():
    examples(tell, some(EXAMPLES))


def each_credit_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fits is judged as if nothing had come before."""
    monkeypatch.setattr(purposes, "fits", lambda account, amount: min(amount, account.expected or amount))


def told_again_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a bank tells again is taken for something else."""
    receive, count = bank_credits.receive, iter(range(1_000_000))

    def anew(*, bank: Any, advice: Any, by: Any) -> BankCredit:
        fields = {name: getattr(advice, name) for name in ("number", "amount", "value_date")}
        another = bank_credits.Advice(reference=f"{advice.reference} {next(count)}", **fields)
        return receive(bank=bank, advice=another, by=by)

    monkeypatch.setattr(bank_credits, "receive", anew)


def late_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes is late when it is told after something that was."""
    seen: list[bool] = []

    def late(account: VirtualAccount, day: Any) -> bool:
        seen.append(account.expires_on is not None and day > account.expires_on)
        return any(seen)

    monkeypatch.setattr(VirtualAccount, "late", late)


@pytest.mark.once
@pytest.mark.parametrize("bug", [each_credit_alone, told_again_is_another, late_by_the_clock])
def test_bug_that_order_or_repetition_would_show_is_shown(monkeypatch, bug):
    bug(monkeypatch)

    with pytest.raises(AssertionError):
        examples(tell, 300, phases=[Phase.generate])
