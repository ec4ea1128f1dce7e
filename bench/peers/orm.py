"""The ORM-style reference: lock both rows, check, write the entries, save both rows."""

import random
from collections.abc import Callable

from django.db import transaction

from bench.peers.models import Account, Entry, Journal
from bench.work.references import references

_PLENTY = 10**12


def open_accounts(*, count: int) -> None:
    Account.objects.bulk_create(Account(balance_minor=_PLENTY) for _ in range(count))


def transfers(seed: int) -> Callable[[], object]:
    """One transfer a call, between two accounts by chance."""
    ids = list(Account.objects.values_list("pk", flat=True))
    chance, reference = random.Random(seed), references()
    return lambda: transfer(*chance.sample(ids, 2), amount_minor=1, reference=next(reference))


@transaction.atomic
def transfer(source_id: int, target_id: int, *, amount_minor: int, reference: str) -> None:
    """Move ``amount_minor``, once per ``reference`` and never below zero."""
    locked = {
        account.pk: account
        for account in Account.objects.select_for_update().filter(pk__in=(source_id, target_id)).order_by("pk")
    }
    source, target = locked[source_id], locked[target_id]
    if source.balance_minor < amount_minor:
        raise ValueError("insufficient funds")
    source.balance_minor -= amount_minor
    target.balance_minor += amount_minor

    journal = Journal.objects.create(reference=reference)
    Entry.objects.bulk_create(
        [
            Entry(journal=journal, account=source, amount_minor=-amount_minor, balance_minor=source.balance_minor),
            Entry(journal=journal, account=target, amount_minor=amount_minor, balance_minor=target.balance_minor),
        ]
    )
    source.save(update_fields=["balance_minor"])
    target.save(update_fields=["balance_minor"])
