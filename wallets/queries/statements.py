"""Statements: a wallet's lines in plain words, page by page, sought, and month by month."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext, gettext_noop, override

from members.models import Member
from paymentsite.core import vault
from paymentsite.core.errors import Invalid
from paymentsite.core.money import Money
from paymentsite.core.reading import one_view
from paymentsite.ledger import queries as books
from paymentsite.ledger.models import Leaf
from wallets import telling
from wallets.models import Wallet

PAGE: Final = 50
_HOUSE: Final = "house:paymentsite"
# What goes to these accounts of ours is what something costs.
_COSTS: Final = {"fees": gettext_noop("Fee: {words}"), "exchange margin": gettext_noop("Exchange margin: {words}")}
# A search looks at so many lines at most, then says where to go on: a page never costs more than that.
LOOKED_MAX: Final = 2_000
_CHUNK: Final = 200
# Lines stand in the order in which they were posted, which the clocks of several processes follow only nearly.
_DISORDER: Final = timedelta(hours=1)
_YEAR_MIN, _YEAR_MAX = 2000, 9998


class MonthUnknown(Invalid):
    code = "month_unknown"
    sentence = gettext_noop("There is no month {month} of {year}.")


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting as the wallet's member reads it; ``subject`` (``transfer:…``) is what a page links to."""

    at: datetime
    kind: str
    words: str
    counterparty: str
    note: str
    subject: str
    amount: Money
    balance: Money
    fee: bool
    journal: UUID
    place: str


@dataclass(frozen=True, slots=True)
class Page:
    """Lines, the latest first. ``next_page`` asks for what comes after and is None at the end; of a search, a page
    may be short, or empty, and not be the last."""

    lines: list[StatementLine]
    next_page: str | None


@dataclass(frozen=True, slots=True)
class Sought:
    """What to look for; what is left out matches all. Days are the member's, both included; amounts have no sign."""

    text: str = ""
    kind: str = ""
    since: date | None = None
    until: date | None = None
    least: Money | None = None
    most: Money | None = None

    def fits(self, line: StatementLine, zone: ZoneInfo) -> bool:
        return self._fits_day(line.at.astimezone(zone).date()) and self._fits_amount(line) and self._fits_words(line)

    def _fits_day(self, day: date) -> bool:
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)

    def _fits_amount(self, line: StatementLine) -> bool:
        size = abs(line.amount)
        return (self.least is None or size >= self.least) and (self.most is None or size <= self.most)

    def _fits_words(self, line: StatementLine) -> bool:
        if self.kind and line.kind != self.kind:
            return False
        wanted = self.text.strip().casefold()
        return not wanted or any(wanted in text.casefold() for text in (line.words, line.counterparty, line.note))

    def past(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether nothing from ``at`` on, back in time, can fit any more."""
        return self.since is not None and at < midnight(self.since, zone) - _DISORDER


EVERYTHING: Final = Sought()


def lines(*, wallet: Wallet, sought: Sought = EVERYTHING, page: str = "", limit: int = PAGE) -> Page:
    """The wallet's lines that fit, from where an earlier page's ``next_page`` says, in the active language."""
    member, zone = wallet.member, wallet.member.zone
    found: list[StatementLine] = []
    looked = 0
    while looked < LOOKED_MAX:
        part = books.statement(wallet.account, page=page, limit=limit if sought == EVERYTHING else _CHUNK)
        for line in _told(part.lines, member):
            if sought.past(line.at, zone):
                return Page(found, None)
            if sought.fits(line, zone):
                found.append(line)
            if len(found) == limit:
                last = part.next_page is None and line.place == part.lines[-1].place
                return Page(found, None if last else line.place)
        if part.next_page is None:
            return Page(found, None)
        looked += len(part.lines)
        page = part.next_page
    return Page(found, page)


def _told(found: Iterable[books.Line], member: Member) -> list[StatementLine]:
    found = list(found)
    said = telling.told([line.journal for line in found], member)
    return [_line(line, said[line.journal.pk]) for line in found]


def _line(line: books.Line, told: telling.Told) -> StatementLine:
    if line.balance is None:
        raise AssertionError("a wallet's account is strict")
    cost = _COSTS.get(line.counterparty.code) if line.counterparty.owner == _HOUSE else None
    if cost:
        told = telling.Told(gettext(cost).format(words=told.words), subject=told.subject)
    return StatementLine(
        at=line.journal.recorded_at,
        kind=line.journal.kind,
        words=told.words,
        counterparty=told.counterparty,
        note=told.note,
        subject=told.subject,
        amount=line.amount,
        balance=line.balance,
        fee=cost is not None,
        journal=line.journal.pk,
        place=line.place,
    )


@dataclass(frozen=True, slots=True)
class Seal:
    """Where the statement's last line is sealed: what a proof of it must show."""

    journal: UUID
    height: int
    head: str
    key_id: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Month:
    """A month in the member's language and time zone, the oldest line first.

    ``opening + came - went - fees == closing``. ``seal`` is None while the last line is not sealed, or where there is
    none.
    """

    wallet: Wallet
    language: str
    zone: ZoneInfo
    since: datetime
    until: datetime
    opening: Money
    lines: list[StatementLine]
    came: Money
    went: Money
    fees: Money
    closing: Money
    seal: Seal | None

    @property
    def last_day(self) -> date:
        return self.until.astimezone(self.zone).date() - timedelta(days=1)

    @property
    def name(self) -> str:
        """What a file of it is called, without ending."""
        return f"{self.wallet.currency}-{self.since.astimezone(self.zone):%Y-%m}"


def month(*, wallet: Wallet, year: int, month: int) -> Month:
    """The statement of a month, all of it at one moment of the database."""
    if not (_YEAR_MIN <= year <= _YEAR_MAX and 1 <= month <= 12):  # noqa: PLR2004  months
        raise MonthUnknown(year=year, month=month)
    member = wallet.member
    since, until = month_bounds(year, month, member.zone)
    with one_view(), override(member.language):
        period = books.statement_between(wallet.account, since=since, until=until)
        told = _told(period.lines, member)
        seal = _seal(told[-1].journal) if told else None
    unit = wallet.currency
    return Month(
        wallet=wallet,
        language=member.language,
        zone=member.zone,
        since=since,
        until=until,
        opening=period.opening,
        lines=told,
        came=Money(sum(line.amount.minor for line in told if line.amount.minor > 0 and not line.fee), unit),
        went=Money(-sum(line.amount.minor for line in told if line.amount.minor < 0 and not line.fee), unit),
        fees=Money(-sum(line.amount.minor for line in told if line.fee), unit),
        closing=period.closing,
        seal=seal,
    )


def month_bounds(year: int, month: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the first moment of the month in ``zone`` to the first of the next; months leave no moment out."""
    following = date(year + month // 12, month % 12 + 1, 1)
    return midnight(date(year, month, 1), zone), midnight(following, zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When ``day`` begins in ``zone``: at the first midnight where there are two; where the clock skips it, just then.

    In UTC, because differences and comparisons within a zone would ignore its changes of the clock.
    """
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _seal(journal: UUID) -> Seal | None:
    leaf = Leaf.objects.select_related("block").filter(journal=journal).first()
    if leaf is None:
        return None
    block = leaf.block
    key = vault.public_keys().get(block.key_id, b"")
    return Seal(journal, block.height, bytes(block.digest).hex(), block.key_id, key.hex())
