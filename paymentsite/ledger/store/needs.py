"""Which rows a run of acts must know."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from paymentsite.ledger.entries import (
    Capture,
    Draft,
    Entry,
    Expire,
    Extend,
    Increase,
    Lapse,
    Move,
    Place,
    Release,
    Terms,
    Undo,
)
from paymentsite.ledger.models import Account, Hold, Journal, Posting


@dataclass(slots=True)
class Needs:
    """Which rows a run of acts must know."""

    accounts: dict[int, Account] = field(default_factory=dict)
    holds: set[UUID] = field(default_factory=set)
    postings: dict[int, Posting] = field(default_factory=dict)
    terms: list[tuple[int, Terms]] = field(default_factory=list)
    placing: bool = False

    @property
    def plain(self) -> bool:
        """Whether balances, journals and postings are all that is read and written."""
        return not (self.holds or self.postings or self.placing or any(a.lots for a in self.accounts.values()))

    @classmethod
    def of(cls, drafts: Iterable[Draft]) -> "Needs":
        needs = cls()
        for draft in drafts:
            for entry in draft.entries:
                needs.add(entry)
        return needs

    def add(self, entry: Entry) -> None:
        match entry:
            case Move(_, source, target, terms):
                self._know(source, target, terms=terms)
            case Undo(posting, _):
                self.postings[posting.pk] = posting
                self._know(posting.source, posting.target)
            case Lapse(source, target, _):
                self._know(source, target)
            case Place(_, account, _):
                self.placing = True
                self._know(account)
            case Capture(_, hold, target, _, _, terms):
                self.holds.add(hold.pk)
                self._know(hold.account, target, terms=terms)
            case Increase(hold=hold) | Extend(hold=hold) | Release(hold=hold) | Expire(hold=hold):
                self.holds.add(hold.pk)
                self._know(hold.account)

    def _know(self, *accounts: Account, terms: Terms | None = None) -> None:
        for account in accounts:
            self.accounts[account.id] = account
        if terms is not None:
            self.terms.append((accounts[-1].pk, terms))


def all_there(draft: Draft) -> bool:
    """Whether all that the draft names is in the database."""
    needs = Needs.of([draft])
    named: list[tuple[type[Model], set[Any]]] = [
        (Account, set(needs.accounts)),
        (Hold, needs.holds),
        (Posting, set(needs.postings)),
        (Journal, set() if draft.parent is None else {draft.parent}),
    ]
    return all(not keys or QuerySet(model).filter(pk__in=keys).count() == len(keys) for model, keys in named)
