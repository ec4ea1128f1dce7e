"""A process that dies: at a commit, just before or just after it, or while a gateway is being called.

Nothing of ours is replaced. What dies is the driver's own COMMIT, or the call at the edge; the server then has done all
of a transaction or none of it, which is all that a kill can leave behind.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from tests.wallets.gateways import Remembering
from wallets.gateways.base import NOT_REACHED, Answer, Order, Outcome
from wallets.gateways.sandbox import Sandbox


class Killed(BaseException):
    """No handler of ours may catch it: there is no process any more."""


class Fate:
    """Counts commits and calls as they come, and kills at those that ``deaths`` names: ("commit", 3, "before")."""

    def __init__(self, *deaths: tuple[str, int, str]) -> None:
        self.deaths = set(deaths)
        self.counted = {"commit": 0, "call": 0}
        self.died = 0

    def meet(self, what: str, work: Callable[[], Any], undo: Callable[[], Any] = lambda: None) -> Any:
        self.counted[what] += 1
        number = self.counted[what]
        if (what, number, "before") in self.deaths:
            undo()
            self._die()
        done = work()
        if (what, number, "after") in self.deaths:
            self._die()
        return done

    def _die(self) -> None:
        self.died += 1
        raise Killed


_fate: list[Fate] = []


@contextmanager
def fated(fate: Fate) -> Iterator[Fate]:
    """Every commit of this connection and every call to a ``Mortal`` gateway meets ``fate``."""
    commit = connection._commit

    def commit_or_die() -> None:
        fate.meet("commit", commit, undo=connection._rollback)

    connection._commit = commit_or_die
    _fate.append(fate)
    try:
        yield fate
    finally:
        _fate.pop()
        del connection._commit


class Mortal(Remembering):
    """The sandbox, whose caller may die before a call arrives or before its answer does."""

    def _asked(self, order: Order) -> Answer:
        return _met(lambda: super(Mortal, self)._asked(order))

    def query(self, *args: Any, **more: Any) -> Answer:
        return _met(lambda: super(Mortal, self).query(*args, **more))

    def cancel(self, order: Order) -> Answer:
        return _met(lambda: super(Mortal, self).cancel(order))


def _met(call: Callable[[], Answer]) -> Answer:
    answer = _fate[-1].meet("call", call) if _fate else call()
    assert isinstance(answer, Answer)
    return answer


class Unreachable(Sandbox):
    """The sandbox, whom no payout reaches any more once one was lost on its way."""

    def _asked(self, order: Order) -> Answer:
        if self.query(order.reference, order.kind).outcome == Outcome.ABSENT and order.reference in _asked_for:
            return Answer(outcome=Outcome.FAILED, reason=NOT_REACHED)
        _asked_for.add(order.reference)
        return super()._asked(order)


_asked_for: set[str] = set()
