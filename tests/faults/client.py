"""A process that does one act after another and is killed: ``python -m tests.faults.client``; see ``main``.

What it is to do follows from its name and the number of the act alone, so that one that is started again does the act
again that nobody acknowledged. What was acknowledged stands in a file outside the database, on the disk before the
next act begins.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import django
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.backends.signals import connection_created

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paymentsite.settings")
django.setup()

from paymentsite.core.acts import OutcomeUnknown, attempt  # noqa: E402  settings come first
from paymentsite.core.errors import DomainError  # noqa: E402
from paymentsite.core.money import Money  # noqa: E402
from paymentsite.ledger import services as ledger  # noqa: E402
from paymentsite.ledger.models import Account, Balance, Hold, Journal  # noqa: E402
from tests.ledger.soundness import assert_sound  # noqa: E402

FUNDS = 1_000_000
PURSES = 4
KINDS = 5
MANY = 5
# How long the planted bug lets everybody believe in what is not committed.
EARLY_SECONDS = 0.05

Answer = dict[str, Any]


class Books:
    """The accounts of one client, opened and funded once."""

    def __init__(self, name: str) -> None:
        self.name = name
        owner, kind = f"faults:{name}", Account.Kind.LIABILITY
        self.purses = [
            ledger.open_account(owner=owner, code=f"purse {number}", unit="CNY", kind=kind) for number in range(PURSES)
        ]
        for purse in self.purses:
            ledger.post(
                ledger.Move(Money(FUNDS, "CNY"), ledger.house("cash", "CNY"), purse), reference=f"{owner} {purse.code}"
            )
        self.accounts = [*self.purses, ledger.house("fees", "CNY")]

    def drafts(self, number: int, held: str | None) -> list[ledger.Draft]:
        """The act of that number: a transfer, several at once, a hold, its capture, or two posts in one transaction."""
        dice = random.Random(f"{self.name} {number}")
        entries: list[ledger.Entry]
        match number % KINDS:
            case 1:
                entries = [self._move(dice) for _ in range(MANY)]
            case 2:
                entries = [ledger.Place(Money(dice.randint(1, 50), "CNY"), self.purses[0])]
            case 3 if (hold := self._hold(held)) is not None:
                entries = [ledger.Capture(Money(hold.authorised_minor, "CNY"), hold, self.accounts[-1])]
            case 4:
                entries = [self._move(dice), self._move(dice)]
            case _:
                entries = [self._move(dice)]
        return [
            ledger.Draft(entries=(entry,), reference=f"{number}.{place}", scope=f"faults.{self.name}")
            for place, entry in enumerate(entries)
        ]

    def _hold(self, held: str | None) -> Hold | None:
        """The hold that was acknowledged; one that is not there will be missed by ``check``."""
        return None if held is None else Hold.objects.select_related("account").filter(pk=UUID(held)).first()

    def _move(self, dice: random.Random) -> ledger.Move:
        source = dice.choice(self.purses)
        target = dice.choice([account for account in self.accounts if account != source])
        # One in ten asks for more than there can be: a refusal is an answer that must be kept too.
        return ledger.Move(Money(dice.randint(1, 20) if dice.random() < 0.9 else 10 * FUNDS, "CNY"), source, target)


def do(number: int, drafts: list[ledger.Draft]) -> list[Answer]:
    """The act, by the way that its kind takes; an answer for each of its drafts."""
    if number % KINDS == 1:
        return [_told(outcome) for outcome in ledger.post_many(drafts)]
    if number % KINDS == KINDS - 1:
        try:
            return attempt(lambda: [_told(_post(draft)) for draft in drafts])
        except OutcomeUnknown:
            raise
        except DomainError:
            # The refused one ended the act; by itself it now answers as it did, and so does the other one.
            return [_post_or_refuse(draft) for draft in drafts]
    return [_post_or_refuse(draft) for draft in drafts]


def _post(draft: ledger.Draft) -> ledger.Posted:
    return ledger.post(*draft.entries, reference=draft.reference, scope=draft.scope)


def _post_or_refuse(draft: ledger.Draft) -> Answer:
    try:
        return _told(_post(draft))
    except OutcomeUnknown:
        raise
    except DomainError as refusal:
        return _told(refusal)


def _told(outcome: ledger.Posted | DomainError) -> Answer:
    if isinstance(outcome, DomainError):
        return {"refused": outcome.code, "facts": outcome.facts}
    balances = {str(pk): minor for pk, minor in sorted(outcome.balances.items())}
    return {"journal": str(outcome.journal_id), "balances": balances, "holds": [str(pk) for pk in outcome.holds]}


class Acknowledged:
    """The file of acknowledged acts, a line each; what the kill tore off its last line was never acknowledged."""

    def __init__(self, path: Path) -> None:
        whole = path.read_bytes() if path.exists() else b""
        whole = whole[: whole.rfind(b"\n") + 1]
        self.lines: list[list[Answer]] = [json.loads(line) for line in whole.splitlines()]
        self._file = path.open("ab")
        self._file.truncate(len(whole))

    def add(self, answers: list[Answer]) -> None:
        self._file.write(json.dumps(answers).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.lines.append(answers)

    @property
    def held(self) -> str | None:
        """The hold that the last act placed."""
        holds = self.lines[-1][0].get("holds") if self.lines else None
        return holds[0] if holds else None


def run(name: str, path: Path, *, early: bool) -> None:
    """Act after act, until killed; while the database is away, the same one again."""
    acknowledged, books = Acknowledged(path), None
    while True:
        number = len(acknowledged.lines)
        try:
            books = books or Books(name)
            if early:
                with transaction.atomic():
                    acknowledged.add(do(number, books.drafts(number, acknowledged.held)))
                    time.sleep(EARLY_SECONDS)
            else:
                acknowledged.add(do(number, books.drafts(number, acknowledged.held)))
        except (OperationalError, InterfaceError, OutcomeUnknown):
            connection.close()
            time.sleep(0.05)


def check(name: str, path: Path) -> dict[str, int]:
    """Everything acknowledged is there once, as it was acknowledged, and nothing else but the act under way."""
    assert_sound()
    books, acknowledged = Books(name), Acknowledged(path)
    expected = 0
    held = None
    for number, answers in enumerate(acknowledged.lines):
        drafts = books.drafts(number, held)
        stored = [Journal.objects.filter(scope=d.scope, reference=d.reference).count() for d in drafts]
        assert stored == [1] * len(drafts), f"lost: act {number} was acknowledged, {stored} of it are stored"
        assert [_post_or_refuse(draft) for draft in drafts] == answers, f"changed: act {number} answers otherwise"
        expected += len(drafts)
        held = (answers[0].get("holds") or [None])[0]

    unheard = books.drafts(len(acknowledged.lines), held)
    journals = Journal.objects.filter(scope=f"faults.{name}")
    known = journals.filter(reference__in=[draft.reference for draft in unheard]).count()
    assert journals.count() == expected + known, "doubled: there are journals that nobody asked for"
    spent = sum(Balance.objects.get(pk=purse.pk).posted_minor for purse in books.purses)
    assert 0 <= spent <= PURSES * FUNDS
    assert_sound()
    return {"acknowledged": expected, "unheard": known}


def obey(name: str) -> None:
    """One act for each line that comes (how, and the reference), and a line with what became of it."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = local")
        books = Books(name)
        cursor.execute("SET synchronous_commit = on")
    move = ledger.Move(Money(7, "CNY"), books.purses[0], books.purses[1])
    for line in sys.stdin:
        how, _, reference = line.strip().partition(" ")
        draft = ledger.Draft(entries=(move,), reference=reference)
        sys.stdout.write(f"{_obeyed(draft, how)}\n")
        sys.stdout.flush()


def _obeyed(draft: ledger.Draft, how: str) -> str:
    try:
        if how == "local":
            with connection.cursor() as cursor:
                cursor.execute("SET synchronous_commit = local")
        return json.dumps(_told(attempt(lambda: _post(draft)) if how == "act" else _post(draft)))
    except (DomainError, DatabaseError) as error:
        # As at the end of a request: a connection that is no good is not used again.
        connection.close_if_unusable_or_obsolete()
        return type(error).__name__


def fork() -> None:
    """For each line that comes a client, in a process of its own, of which the answer is the id; or how one ended.

    Loading the site anew for each client was most of what a campaign took. When no more lines come, all are gone.
    """
    alive: set[int] = set()
    try:
        for line in sys.stdin:
            match json.loads(line):
                case ["ended", int(asked), bool(patient)]:
                    pid, status = os.waitpid(asked, 0 if patient else os.WNOHANG)
                    alive.discard(pid)
                    answer = os.waitstatus_to_exitcode(status) if pid else None
                case [what, name, path]:
                    answer = os.fork() or _become(what, name, Path(path))
                    alive.add(answer)
            sys.stdout.write(f"{json.dumps(answer)}\n")
            sys.stdout.flush()
    finally:
        for pid in alive:
            os.kill(pid, signal.SIGKILL)


def _become(what: str, name: str, path: Path) -> NoReturn:
    """The client, and nothing of what it was forked from. What it has to say in the end is in a file beside its own."""
    code, said = 1, path.with_name(f"{path.name}.said")
    try:
        sys.stdin.close()
        if what == "check":
            said.write_text(json.dumps(check(name, path)))
        else:
            run(name, path, early=what == "early")
        code = 0
    except BaseException as error:
        said.write_text(json.dumps({"fault": f"{type(error).__name__}: {error}"}))
        raise
    finally:
        os._exit(code)


def main() -> None:
    match sys.argv[1:]:
        case ["fork"]:
            fork()
        case ["obey", name]:
            obey(name)
        case ["deaf", name]:
            connection_created.disconnect(dispatch_uid="core.database")
            obey(name)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
