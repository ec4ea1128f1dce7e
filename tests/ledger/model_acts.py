"""What an act does to the model's books.

Written from what the ledger promises, without looking at its rules: an act is tried on a copy of everything, and the
copy is thrown away when the act is refused.
"""

import pickle
from datetime import date, datetime
from typing import Any
from uuid import UUID

from paymentsite.ledger.entries import Draft, Entry
from paymentsite.ledger.services import Capture, Expire, Extend, Increase, Lapse, Move, Place, Release, Terms, Undo
from tests.ledger.model import Act, Books, Hold, Lot, LotKey, Posting, Refused, Side


def post(books: Books, draft: Draft, now: datetime, today: date) -> Act | Refused:
    """What the act does, done; or why it is refused, with everything as it was."""
    copy: Books = pickle.loads(pickle.dumps(books))  # noqa: S301  our own
    attempt = _Attempt(copy, now, today)
    passed_over = [position for position, entry in enumerate(draft.entries, 1) if _is_back(books, entry, draft)]
    try:
        for position, entry in enumerate(draft.entries, 1):
            if position not in passed_over:
                attempt.do(position, entry)
        attempt.look_at_floors(before=books)
    except Refused as refusal:
        return refusal
    books.__dict__.update(copy.__dict__)
    return attempt.act


def _is_back(books: Books, entry: Entry, draft: Draft) -> bool:
    """Nothing is left of it while something is of its journal, of which all that is left was asked for."""
    if not isinstance(entry, Undo) or entry.amount is not None:
        return False
    journal = [
        e.posting for e in draft.entries if isinstance(e, Undo) and e.posting.journal_id == entry.posting.journal_id
    ]
    left = {posting.pk: books.postings[posting.pk].left for posting in journal}
    return not left[entry.posting.pk] and sum(left.values()) > 0


class _Attempt:
    def __init__(self, books: Books, now: datetime, today: date) -> None:
        self.books, self.now, self.today = books, now, today
        self.act = Act()
        self.touched: dict[int, None] = {}

    def do(self, position: int, entry: Entry) -> None:  # noqa: C901  one case a kind
        self.position = position
        match entry:
            case Move():
                self.move(entry)
            case Undo():
                self.undo(entry)
            case Lapse():
                self.lapse(entry)
            case Place(amount, account, expires_at):
                hold = Hold(account.pk, 0, expires_at)
                self.set_aside(hold, amount.minor)
                self.act.holds.append(hold)
                self.tell("placed", hold, amount.minor, expires_at)
            case Increase(amount, known, expires_at):
                hold = self.open_hold(known.pk)
                self.set_aside(hold, amount.minor)
                hold.expires_at = expires_at or hold.expires_at
                self.tell("increased", hold, amount.minor, hold.expires_at)
            case Extend(known, expires_at):
                hold = self.open_hold(known.pk)
                hold.expires_at = expires_at
                self.tell("extended", hold, 0, expires_at)
            case Capture():
                self.capture(entry)
            case Release(known, given):
                hold = self.open_hold(known.pk, even_when_over=True)
                self.give_back(hold, known.pk, hold.left if given is None else given.minor, "released", "released")
            case Expire(known):
                hold = self.open_hold(known.pk, even_when_over=True)
                if hold.expires_at is None or hold.expires_at > self.now:
                    until = "ever" if hold.expires_at is None else hold.expires_at.isoformat()
                    raise Refused("hold_not_due", hold=str(known.pk), expires_at=until)
                self.give_back(hold, known.pk, hold.left, "expired", "expired")

    def move(self, entry: Move) -> None:
        source, amount = entry.source.pk, entry.amount.minor
        self.want_status(source, "open")
        took = {}
        if self.books.accounts[source].lots:
            took = self.spendable(source, amount)
            for key, part in took.items():
                self.books.lots[key].used += part
                self.use("used", key, part)
        posting = self.write(source, entry.target.pk, amount, took=took)
        self.issue(posting, entry.terms)

    def undo(self, entry: Undo) -> None:
        past = self.books.postings[entry.posting.pk]
        source, target = past.target, past.source  # it goes back
        amount = past.left if entry.amount is None else entry.amount.minor
        if not past.left or amount > past.left:
            asked = past.amount if entry.amount is None else amount
            raise Refused("reversal_exceeds", left=self.money(source, past.left), asked=self.money(source, asked))
        past.left -= amount
        self.want_status(source, "open")
        took, gave = {}, {}
        if self.books.accounts[source].lots:
            took = self.walk_back(source, past.gave, amount, what_is_left=True)
            for key, part in took.items():
                self.books.lots[key].used += part
                self.use("withdrawn", key, part)
        self.want_status(target, "open", "no_debit")
        if self.books.accounts[target].lots:
            gave = self.walk_back(target, past.took, amount, what_is_left=False)
            for key, part in gave.items():
                self.books.lots[key].used -= part
                self.use("returned", key, part)
        self.write(source, target, amount, took=took, gave=gave, reverses=entry.posting.pk)

    def walk_back(
        self, account: int, shares: dict[LotKey, int], amount: int, *, what_is_left: bool
    ) -> dict[LotKey, int]:
        """The lots of an earlier posting, the one it came to last coming first."""
        parts, wanted = {}, amount
        for key in reversed(list(shares)):
            most = min(shares[key], self.books.lots[key].left) if what_is_left else shares[key]
            if part := min(wanted, most):
                parts[key] = part
                shares[key] -= part
                wanted -= part
        if wanted and not what_is_left:  # it never came out of lots by being spent: it lapsed
            raise Refused("reversal_exceeds", left=self.money(account, 0), asked=self.money(account, amount))
        if wanted:
            raise self.short(account, amount - wanted, wanted)
        return parts

    def lapse(self, entry: Lapse) -> None:
        source = entry.source.pk
        self.want_status(source, "open", "no_debit")
        total = 0
        for key, lot in self.lots_of(source):
            if key[3] < min(entry.day, self.today) and lot.left:
                total += lot.left
                self.use("expired", key, lot.left)
                lot.expired += lot.left
        if not total:
            raise Refused("nothing_lapsed", account=self.books.accounts[source].public_id)
        self.write(source, entry.target.pk, total)

    def issue(self, posting: Posting, terms: Terms | None) -> None:
        if terms is None:
            return
        key = (posting.target, terms.origin, terms.active_on, terms.expires_on)
        self.books.lots.setdefault(key, Lot()).issued += posting.amount
        posting.gave[key] = posting.amount
        self.use("issued", key, posting.amount)

    def write(
        self,
        source: int,
        target: int,
        amount: int,
        *,
        took: dict[LotKey, int] | None = None,
        gave: dict[LotKey, int] | None = None,
        reverses: int | None = None,
    ) -> Posting:
        self.want_status(target, "open", "no_debit")
        sides = [self.count(source, -amount), self.count(target, amount)]
        posting = Posting(
            self.position, source, target, amount, reverses, *sides, amount, dict(gave or {}), dict(took or {})
        )
        self.act.postings.append(posting)
        return posting

    def count(self, account_id: int, change: int) -> Side:
        account = self.books.accounts[account_id]
        account.posted += change
        if not account.strict:
            return Side()
        self.touched[account_id] = None
        account.seq += 1
        self.act.balances[account_id] = account.posted
        return Side(account.seq, account.posted)

    def open_hold(self, hold_id: UUID, *, even_when_over: bool = False) -> Hold:
        hold = self.books.holds[hold_id]
        state = hold.state
        if state == "open" and not even_when_over and hold.expires_at is not None and hold.expires_at <= self.now:
            state = "expired"
        if state != "open":
            raise Refused("hold_not_open", hold=str(hold_id), state=state)
        return hold

    def set_aside(self, hold: Hold, amount: int) -> None:
        self.want_status(hold.account, "open")
        account = self.books.accounts[hold.account]
        if account.lots:
            for key, part in self.spendable(hold.account, amount).items():
                self.books.lots[key].held += part
                hold.aside[key] = hold.aside.get(key, 0) + part
                self.use("held", key, part, hold)
        self.touched[hold.account] = None
        account.held += amount
        hold.authorised += amount

    def capture(self, entry: Capture) -> None:
        hold, amount = self.open_hold(entry.hold.pk), entry.amount.minor
        self.want_status(hold.account, "open", "no_debit")
        tolerance = entry.tolerance.minor if entry.tolerance else 0
        if amount > hold.left + tolerance:
            raise self.exceeded(hold, entry.hold.pk, amount)
        if amount > hold.left:
            over = amount - hold.left
            self.set_aside(hold, over)
            self.tell("increased", hold, over, hold.expires_at)
        took = self.let_go(hold, amount, soonest_first=True)
        for key, part in took.items():
            self.books.lots[key].used += part
            self.use("used", key, part, hold)
        hold.captured += amount
        posting = self.write(hold.account, entry.target.pk, amount, took=took)
        self.issue(posting, entry.terms)
        if not hold.left:
            hold.state = "captured"
        self.tell("captured", hold, amount)
        if entry.final and hold.left:
            self.give_back(hold, entry.hold.pk, hold.left, "captured", "released")

    def give_back(self, hold: Hold, hold_id: UUID, amount: int, end: str, kind: str) -> None:
        if amount > hold.left:
            raise self.exceeded(hold, hold_id, amount)
        for key, part in self.let_go(hold, amount, soonest_first=False).items():
            self.use("unheld", key, part, hold)
        hold.released += amount
        if not hold.left:
            hold.state = end
        self.tell(kind, hold, amount)

    def let_go(self, hold: Hold, amount: int, *, soonest_first: bool) -> dict[LotKey, int]:
        self.touched[hold.account] = None
        account = self.books.accounts[hold.account]
        account.held -= amount
        parts, wanted = {}, amount
        if account.lots:
            for key in sorted(hold.aside, key=_soonest, reverse=not soonest_first):
                if part := min(wanted, hold.aside[key]):
                    parts[key] = part
                    hold.aside[key] -= part
                    self.books.lots[key].held -= part
                    wanted -= part
            assert not wanted, "a hold sets aside what it is for"
        return parts

    def lots_of(self, account: int) -> list[tuple[LotKey, Lot]]:
        return [(key, self.books.lots[key]) for key in sorted(self.books.lots, key=_soonest) if key[0] == account]

    def spendable(self, account: int, amount: int) -> dict[LotKey, int]:
        """What expires first comes first; what is not active yet or over cannot be spent."""
        parts, wanted = {}, amount
        for key, lot in self.lots_of(account):
            if key[2] <= self.today <= key[3] and (part := min(wanted, lot.left)):
                parts[key] = part
                wanted -= part
        if wanted:
            raise self.short(account, amount - wanted, wanted)
        return parts

    def want_status(self, account_id: int, *allowed: str) -> None:
        account = self.books.accounts[account_id]
        if account.status not in allowed:
            raise Refused("account_not_open", account=account.public_id, status=account.status)

    def look_at_floors(self, before: Books) -> None:
        for account_id in self.touched:
            account, was = self.books.accounts[account_id], before.accounts[account_id]
            if account.floor is not None and (over := account.posted - account.held - account.floor) < 0:
                raise self.short(account_id, was.posted - was.held - account.floor, -over)

    def short(self, account_id: int, available: int, short: int) -> Refused:
        return Refused(
            "insufficient_funds",
            account=self.books.accounts[account_id].public_id,
            available=self.money(account_id, available),
            asked=self.money(account_id, available + short),
            short=self.money(account_id, short),
        )

    def exceeded(self, hold: Hold, hold_id: UUID, amount: int) -> Refused:
        left, asked = self.money(hold.account, hold.left), self.money(hold.account, amount)
        return Refused("hold_exceeded", hold=str(hold_id), left=left, asked=asked)

    def money(self, account_id: int, minor: int) -> dict[str, Any]:
        return {"amount": minor, "currency": self.books.accounts[account_id].unit}

    def tell(self, kind: str, hold: Hold, amount: int, expires_at: datetime | None = None) -> None:
        self.act.events.append((self.position, kind, hold, amount, expires_at))

    def use(self, kind: str, key: LotKey, amount: int, hold: Hold | None = None) -> None:
        self.act.uses.append((self.position, kind, key, hold, amount))


def _soonest(key: LotKey) -> tuple[Any, ...]:
    _, origin, active_on, expires_on = key
    return expires_on, active_on, origin
