"""A month as CSV: one table, opening first, closing last, which spreadsheets open as it is."""

import csv
import io

from paymentsite.core.money import Money
from paymentsite.core.units import SCALES, decimal_text
from wallets.exports import wording
from wallets.exports.wording import harmless, local
from wallets.queries.statements import Month, StatementLine

# Excel reads UTF-8 only where a file begins so.
_MARK = "\ufeff"


def written(month: Month) -> bytes:
    """UTF-8 with a mark; texts cannot be taken for formulas, amounts are plain numbers."""
    words = wording.words(month)
    file = io.StringIO()
    file.write(_MARK)
    table = csv.writer(file)
    table.writerow(
        [
            words.date,
            words.time,
            words.description,
            words.counterparty,
            words.note,
            words.amount,
            words.balance,
            words.wallet,
            words.journal,
        ]
    )
    table.writerow(_standing(words.opening, month.opening))
    table.writerows(_row(line, month) for line in month.lines)
    table.writerow(_standing(words.closing, month.closing))
    return file.getvalue().encode()


def _row(line: StatementLine, month: Month) -> list[str]:
    at = local(line, month)
    return [
        f"{at:%Y-%m-%d}",
        f"{at:%H:%M:%S}",
        harmless(line.words),
        harmless(line.counterparty),
        harmless(line.note),
        _number(line.amount),
        _number(line.balance),
        line.amount.unit,
        str(line.journal),
    ]


def _standing(what: str, money: Money) -> list[str]:
    return ["", "", what, "", "", "", _number(money), money.unit, ""]


def _number(money: Money) -> str:
    return decimal_text(money.minor, SCALES[money.unit])
