"""What the member of the story writes down for herself, act by act: figures of the story, none of the site's."""

import csv
import io
import zipfile
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from members.models import Member
from members.services import points, tiers
from paymentsite.core import clock
from paymentsite.ledger import queries as books
from wallets.exports import comma, excel, pdf
from wallets.models import Wallet
from wallets.queries import statements
from wallets.services import wallets

ZONE = ZoneInfo("Asia/Shanghai")
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class Diary:
    """Every fen that came or went, in order, with its month; after each the wallet must hold the sum."""

    def __init__(self, member: Member, year: int) -> None:
        self.member, self.year = member, year
        self.lines: dict[str, list[tuple[tuple[int, int], int]]] = {"CNY": [], "USD": []}

    def moment(self, month: int, day: int, hour: int = 10, minute: int = 0) -> datetime:
        """Of the story's year; a thirteenth month is the next January."""
        later, month = divmod(month - 1, 12)
        return datetime(self.year + later, month + 1, day, hour, minute, tzinfo=ZONE)

    def go_to(self, month: int, day: int, hour: int = 10, minute: int = 0) -> None:
        """It is then, and all that was due on the way has happened."""
        clock.advance(to=self.moment(month, day, hour, minute))

    def note(self, *amounts: int, currency: str = "CNY") -> None:
        """So much came, or went where it is below zero."""
        today = clock.today("Asia/Shanghai")
        self.lines[currency] += [((today.year, today.month), amount) for amount in amounts]
        self.holds(currency)

    def holds(self, currency: str = "CNY") -> None:
        wallet = wallets.of(member=self.member, currency=currency)
        assert books.standing(wallet.account).posted.minor == self.sum(currency)

    def sum(self, currency: str = "CNY") -> int:
        return sum(amount for _month, amount in self.lines[currency])

    def has_points(self, *, spendable: int, pending: int = 0, owed: int = 0, counting: int, tier: str) -> None:
        """What stands on her four accounts of points, and her tier."""
        theirs = points.of(self.member)
        accounts = (theirs.points, theirs.pending, theirs.debt, theirs.qualifying)
        found = books.standings(accounts)
        figures = [found[account.pk].posted.minor for account in accounts]
        assert figures == [spendable, pending, -owed, counting]
        assert tiers.of(self.member, clock.now()).code == tier

    def months_add_up(self, currency: str) -> None:
        """Each month's statement has her lines of the month, between its opening and its closing, which is the next
        one's opening."""
        wallet, standing = wallets.of(member=self.member, currency=currency), 0
        written = {month: [amount for _, amount in lines] for month, lines in groupby(self.lines[currency], _month)}
        for number in range(13):
            month = (self.year + number // 12, number % 12 + 1)
            told = statements.month(wallet=wallet, year=month[0], month=month[1])
            assert told.opening.minor == standing
            assert [line.amount.minor for line in told.lines] == written.get(month, [])
            standing += sum(line.amount.minor for line in told.lines)
            assert told.closing.minor == standing
            assert (told.opening + told.came - told.went - told.fees).minor == standing
        assert standing == self.sum(currency)


def _month(line: tuple[tuple[int, int], int]) -> tuple[int, int]:
    return line[0]


def exported(wallet: Wallet, year: int, month: int) -> tuple[list[int], list[int], bytes]:
    """The month's figures in CSV and in Excel, opening, lines and closing, in minor units; and the PDF."""
    told = statements.month(wallet=wallet, year=year, month=month)
    _head, opening, *lines, closing = csv.reader(io.StringIO(comma.written(told).decode("utf-8-sig")))
    texts = [opening[6], *(line[5] for line in lines), closing[6]]
    return [_minor(text) for text in texts], _cells(excel.written(told)), pdf.written(told)


def _cells(book: bytes) -> list[int]:
    with zipfile.ZipFile(io.BytesIO(book)) as folder:
        sheet = ET.fromstring(folder.read("xl/worksheets/sheet1.xml"))  # noqa: S314  our own file
    rows = sheet.findall(f".//{_SHEET}row")[1:]
    found = [{cell.get("r", "")[0]: cell.findtext(f"{_SHEET}v") for cell in row} for row in rows]
    # Amounts stand in the fifth column; opening and closing have a balance alone, in the sixth.
    return [_minor(cells.get("E") or cells["F"] or "") for cells in found]


def _minor(text: str) -> int:
    return int(Decimal(text) * 100)
