"""django-hordak, by its own shortcut: it looks at no balance, so nothing stops an overdraft."""

import random
from collections.abc import Callable
from typing import Any

from django.db import transaction
from hordak.models import Account
from moneyed import Money

_UNIT = "EUR"


def open_accounts(*, count: int) -> None:
    with transaction.atomic():
        for number in range(count):
            Account.objects.create(name=f"peer {number}", code=None, type="LI", currencies=[_UNIT])


def transfers(seed: int) -> Callable[[], object]:
    """One transfer a call, between two accounts by chance."""
    accounts = list(Account.objects.all())
    chance, amount = random.Random(seed), Money("0.01", _UNIT)
    return lambda: transfer(*chance.sample(accounts, 2), amount=amount)


@transaction.atomic
def transfer(source: Any, target: Any, *, amount: Any) -> None:
    source.transfer_to(target, amount)
