"""A month as PDF, to be read, printed and handed in: English or Chinese, with the reference of its proof."""

import io
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from paymentsite.core import clock
from paymentsite.core.money import Money
from wallets.exports import wording
from wallets.exports.wording import Words, local, plain
from wallets.queries.statements import Month, StatementLine

_LATIN, _LATIN_BOLD, _CHINESE = "Helvetica", "Helvetica-Bold", "STSong-Light"
_INK, _FAINT, _RULE, _BAND = HexColor("#1B2430"), HexColor("#66717F"), HexColor("#D5DBE3"), HexColor("#EEF2F7")
_MARGIN: Final = 18 * mm
_WIDTH: Final = A4[0] - 2 * _MARGIN
_COLUMNS: Final = (38 * mm, _WIDTH - 98 * mm, 30 * mm, 30 * mm)
# A frame keeps so much free on each side by itself.
_FRAME: Final = 6
_FOOT: Final = 8


def written(month: Month) -> bytes:
    """Pages of A4, numbered; no text in it can be taken for markup."""
    pdfmetrics.registerFont(UnicodeCIDFont(_CHINESE))
    words, file = wording.words(month), io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=_MARGIN - _FRAME,
        rightMargin=_MARGIN - _FRAME,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN + 4 * mm,
        title=f"{words.title} {month.name}",
        author="paymentsite",
        lang=month.language,
    )
    story = [*_head(month, words), *_sums(month, words), *_table(month, words), *_proof(month)]
    foot = f"{month.wallet.public_id} · {words.made(clock.now())}"
    document.build(story, canvasmaker=lambda *args, **how: _Numbered(*args, words=words, foot=foot, **how))
    return file.getvalue()


def _style(size: int, **how: Any) -> ParagraphStyle:
    return ParagraphStyle("", fontName=_LATIN, fontSize=size, leading=size * 1.4, textColor=_INK, **how)


_TITLE: Final = _style(18)
_TEXT: Final = _style(9)
_SMALL: Final = _style(8)
_RIGHT: Final = _style(9, alignment=TA_RIGHT)


def _runs(text: str, *, bold: bool) -> Iterator[tuple[str, str]]:
    """Parts of ``text`` with the font that has their letters."""
    for latin, letters in groupby(map(_printable, plain(text)), key=_is_latin):
        yield (_LATIN_BOLD if bold else _LATIN) if latin else _CHINESE, "".join(letters)


def _printable(letter: str) -> str:
    """``letter``, or the one under its accent, or a box where neither font has it."""
    under = unicodedata.normalize("NFKD", letter)[:1]
    return next((found for found in (letter, under) if _is_latin(found) or _is_chinese(found)), "□")


def _is_latin(letter: str) -> bool:
    return _has("cp1252", letter)


def _is_chinese(letter: str) -> bool:
    return _has("gbk", letter)


def _has(letters: str, letter: str) -> bool:
    try:
        letter.encode(letters)
    except UnicodeEncodeError:
        return False
    return True


def _marked(text: str, *, bold: bool = False, color: Any = None) -> str:
    """``text`` as the markup of a paragraph, all that it holds escaped."""
    inner = "".join(f'<font name="{font}">{escape(run)}</font>' for font, run in _runs(text, bold=bold))
    return f'<font color="{color.hexval()}">{inner}</font>' if color else inner


def _paragraph(markup: str, style: ParagraphStyle, text: str = "") -> Paragraph:
    chinese = not all(map(_is_latin, text))
    return Paragraph(markup, ParagraphStyle("", parent=style, wordWrap="CJK") if chinese else style)


def _head(month: Month, words: Words) -> list[Any]:
    title = f"{words.title} · {wording.month_text(month)}"
    facts = (
        (words.holder, wording.holder(month)),
        (words.wallet, f"{month.wallet.currency} · {month.wallet.public_id}"),
        (words.period, f"{wording.period_text(month)} · {month.zone.key}"),
    )
    rows = [[_paragraph(_marked(name, color=_FAINT), _TEXT), _paragraph(_marked(text), _TEXT)] for name, text in facts]
    table = Table(rows, colWidths=(30 * mm, _WIDTH - 30 * mm), style=_FACTS)
    return [
        _paragraph(_marked("paymentsite", bold=True, color=_FAINT), _TEXT),
        _paragraph(_marked(title, bold=True), _TITLE),
        Spacer(0, 4 * mm),
        table,
        Spacer(0, 5 * mm),
    ]


_FACTS: Final = TableStyle(
    [
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
)


def _sums(month: Month, words: Words) -> list[Any]:
    sums = (
        (words.opening, month.opening),
        (words.came, month.came),
        (words.went, -month.went),
        (words.fees, -month.fees),
        (words.closing, month.closing),
    )
    row = [
        [
            _paragraph(_marked(name, color=_FAINT), _SMALL, name),
            _paragraph(_marked(wording.number(money, month), bold=True), _TEXT),
        ]
        for name, money in sums
    ]
    return [Table([row], colWidths=[_WIDTH / 5] * 5, style=_SUMS), Spacer(0, 6 * mm)]


_SUMS: Final = TableStyle(
    [
        ("BACKGROUND", (0, 0), (-1, -1), _BAND),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
    ]
)


def _table(month: Month, words: Words) -> list[Any]:
    unit = month.wallet.currency
    head = [
        _paragraph(_marked(words.date, bold=True), _TEXT),
        _paragraph(_marked(words.description, bold=True), _TEXT),
        _paragraph(_marked(f"{words.amount} ({unit})", bold=True), _RIGHT),
        _paragraph(_marked(f"{words.balance} ({unit})", bold=True), _RIGHT),
    ]
    rows = [
        head,
        _standing(words.opening, month.opening, month),
        *(_row(line, month) for line in month.lines),
        *([] if month.lines else [["", _paragraph(_marked(words.nothing, color=_FAINT), _TEXT), "", ""]]),
        _standing(words.closing, month.closing, month),
    ]
    return [Table(rows, colWidths=_COLUMNS, repeatRows=1, style=_LINES)]


_LINES: Final = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, _INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, _RULE),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
)


def _row(line: StatementLine, month: Month) -> list[Any]:
    said = _marked(line.words)
    below = [text for text in (line.counterparty, line.note) if text]
    if below:
        said += f'<br/><font size="8">{_marked(" · ".join(below), color=_FAINT)}</font>'
    when = f"{wording.day_text(line.at, month)} {local(line, month):%H:%M}"
    return [
        _paragraph(_marked(when), _SMALL),
        _paragraph(said, _TEXT, "".join((line.words, *below))),
        _paragraph(_marked(wording.number(line.amount, month)), _RIGHT),
        _paragraph(_marked(wording.number(line.balance, month)), _RIGHT),
    ]


def _standing(what: str, money: Money, month: Month) -> list[Any]:
    return [
        "",
        _paragraph(_marked(what, bold=True), _TEXT),
        "",
        _paragraph(_marked(wording.number(money, month), bold=True), _RIGHT),
    ]


def _proof(month: Month) -> list[Any]:
    texts = wording.proof(month)
    if not texts:
        return []
    box = [[_paragraph(_marked(text, color=_FAINT), _SMALL, text)] for text in texts]
    return [Spacer(0, 6 * mm), KeepTogether(Table(box, colWidths=[_WIDTH], style=_BOX))]


_BOX: Final = TableStyle(
    [
        ("BOX", (0, 0), (-1, -1), 0.6, _RULE),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
)


class _Numbered(Canvas):  # type: ignore[misc]
    """Pages that know how many there are: each is kept back until the last one is made."""

    def __init__(self, *args: Any, words: Words, foot: str, **how: Any) -> None:
        super().__init__(*args, **how)
        self._words, self._foot = words, foot
        self._kept: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802  reportlab's name
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for kept in self._kept:
            self.__dict__.update(kept)
            self._write_foot(len(self._kept))
            super().showPage()
        super().save()

    def _write_foot(self, pages: int) -> None:
        self.setFillColor(_FAINT)
        self._write(_MARGIN, self._foot)
        page = self._words.page(self._pageNumber, pages)
        self._write(A4[0] - _MARGIN - self._width(page), page)

    def _write(self, at: float, text: str) -> None:
        for font, run in _runs(text, bold=False):
            self.setFont(font, _FOOT)
            self.drawString(at, _MARGIN - 4 * mm, run)
            at += self.stringWidth(run, font, _FOOT)

    def _width(self, text: str) -> float:
        return float(sum(self.stringWidth(run, font, _FOOT) for font, run in _runs(text, bold=False)))
