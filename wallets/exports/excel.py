"""A month as an Excel workbook: its lines on one sheet, what they add up to on another."""

import io
from typing import Any, Final

import xlsxwriter

from paymentsite.core.money import Money
from paymentsite.core.units import SCALES
from wallets.exports import wording
from wallets.exports.wording import Words, local, plain
from wallets.queries.statements import Month

# Excel keeps fifteen digits of a number; what has more is written as text rather than wrong.
_DIGITS_MAX: Final = 15
_WIDTHS: Final = (18, 44, 24, 30, 16, 16, 38)


def written(month: Month) -> bytes:
    """Amounts are numbers that can be added, texts are never formulas or links, the header stays in sight."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    words, formats = wording.words(month), _formats(book, month)
    _lines(book.add_worksheet(words.title), month, words, formats)
    _summary(book.add_worksheet(words.summary), month, words, formats)
    book.close()
    return file.getvalue()


def _formats(book: Any, month: Month) -> dict[str, Any]:
    scale = SCALES[month.wallet.currency]
    number = "#,##0" + ("." + "0" * scale if scale else "")
    return {
        "head": book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF2F7"}),
        "head_right": book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF2F7", "align": "right"}),
        "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"}),
        "number": book.add_format({"num_format": number}),
        "left_number": book.add_format({"num_format": number, "align": "left"}),
        "bold": book.add_format({"bold": True}),
        "bold_number": book.add_format({"bold": True, "num_format": number}),
        "wrapped": book.add_format({"text_wrap": True, "valign": "top"}),
    }


def _lines(sheet: Any, month: Month, words: Words, formats: dict[str, Any]) -> None:
    heads = (words.date, words.description, words.counterparty, words.note, words.amount, words.balance, words.journal)
    for column, (head, width) in enumerate(zip(heads, _WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        right = head in {words.amount, words.balance}
        sheet.write_string(0, column, head, formats["head_right" if right else "head"])
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)

    sheet.write_string(1, 1, words.opening, formats["bold"])
    _number(sheet, 1, 5, month.opening, formats["bold_number"])
    for row, line in enumerate(month.lines, start=2):
        sheet.write_datetime(row, 0, local(line, month).replace(tzinfo=None), formats["moment"])
        for column, text in enumerate((line.words, line.counterparty, line.note), start=1):
            sheet.write_string(row, column, plain(text))
        _number(sheet, row, 4, line.amount, formats["number"])
        _number(sheet, row, 5, line.balance, formats["number"])
        sheet.write_string(row, 6, str(line.journal))
    last = len(month.lines) + 2
    sheet.write_string(last, 1, words.closing, formats["bold"])
    _number(sheet, last, 5, month.closing, formats["bold_number"])


def _summary(sheet: Any, month: Month, words: Words, formats: dict[str, Any]) -> None:
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 80)
    facts = (
        (words.holder, wording.holder(month)),
        (words.wallet, f"{month.wallet.currency} {month.wallet.public_id}"),
        (words.period, wording.period_text(month)),
        (words.zone, month.zone.key),
    )
    for row, (name, text) in enumerate(facts):
        sheet.write_string(row, 0, name, formats["bold"])
        sheet.write_string(row, 1, text)
    sums = (
        (words.opening, month.opening),
        (words.came, month.came),
        (words.went, -month.went),
        (words.fees, -month.fees),
        (words.closing, month.closing),
    )
    for row, (name, money) in enumerate(sums, start=len(facts) + 1):
        sheet.write_string(row, 0, name, formats["bold"])
        _number(sheet, row, 1, money, formats["left_number"])
    for row, text in enumerate(wording.proof(month), start=len(facts) + len(sums) + 2):
        sheet.write_string(row, 1, text, formats["wrapped"])


def _number(sheet: Any, row: int, column: int, money: Money, how: Any) -> None:
    if len(str(abs(money.minor))) > _DIGITS_MAX:
        sheet.write_string(row, column, str(money.decimal), how)
    else:
        sheet.write_number(row, column, money.decimal, how)
