"""What all forms of a statement say alike: its columns, and texts that are safe in them."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal
from django.utils.translation import gettext, override, to_locale

from paymentsite.core.money import Money
from paymentsite.core.units import SCALES
from wallets.queries.statements import Month, StatementLine

# What Excel, LibreOffice and their East Asian editions take for the beginning of a formula.
_FORMULA: Final = frozenset("=+-@＝＋－＠\t\r\n")


def plain(text: str) -> str:
    """``text`` on one line, without what only machines read: controls, and marks that turn the direction of writing."""
    kept = (" " if character in "\t\r\n" else character for character in text)
    return "".join(character for character in kept if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"})


def harmless(text: str) -> str:
    """``text`` for a cell of a table: whatever it begins with, no program takes it for a formula."""
    shown = plain(text).strip()
    risky = text[:1] in _FORMULA or shown[:1] in _FORMULA
    return f"'{shown}" if risky else shown


@dataclass(frozen=True, slots=True)
class Words:
    """A statement's fixed words, in its language."""

    title: str
    summary: str
    period: str
    zone: str
    holder: str
    wallet: str
    date: str
    time: str
    description: str
    counterparty: str
    note: str
    amount: str
    balance: str
    journal: str
    opening: str
    came: str
    went: str
    fees: str
    closing: str
    nothing: str
    page: Callable[[int, int], str]
    made: Callable[[datetime], str]


def words(month: Month) -> Words:
    with override(month.language):
        page, made = gettext("Page {page} of {pages}"), gettext("Made on {moment}")
        return Words(
            title=gettext("Statement"),
            summary=gettext("Summary"),
            period=gettext("Period"),
            zone=gettext("Time zone"),
            holder=gettext("Member"),
            wallet=gettext("Wallet"),
            date=gettext("Date"),
            time=gettext("Time"),
            description=gettext("What happened"),
            counterparty=gettext("With whom"),
            note=gettext("Note"),
            amount=gettext("Amount"),
            balance=gettext("Balance"),
            journal=gettext("Journal"),
            opening=gettext("Opening balance"),
            came=gettext("Money in"),
            went=gettext("Money out"),
            fees=gettext("Fees"),
            closing=gettext("Closing balance"),
            nothing=gettext("Nothing happened in this month."),
            page=lambda at, of: page.format(page=at, pages=of),
            made=lambda moment: made.format(moment=moment_text(moment, month)),
        )


def holder(month: Month) -> str:
    """Whose statement it is, as the member calls themselves."""
    member = month.wallet.member
    return plain(f"{member.display_name} {member}".strip())


def number(money: Money, month: Month) -> str:
    """The amount as the statement's readers write it, all decimals of its unit, without the unit."""
    scale = SCALES[money.unit]
    pattern = "#,##0" + ("." + "0" * scale if scale else "")
    return str(format_decimal(money.decimal, format=pattern, locale=_locale(month)))


def month_text(month: Month) -> str:
    return format_skeleton("yMMMM", month.since.astimezone(month.zone), locale=_locale(month))


def day_text(moment: datetime, month: Month) -> str:
    return format_date(moment.astimezone(month.zone).date(), format="medium", locale=_locale(month))


def period_text(month: Month) -> str:
    last = format_date(month.last_day, format="medium", locale=_locale(month))
    return f"{day_text(month.since, month)} – {last}"


def moment_text(moment: datetime, month: Month) -> str:
    return f"{day_text(moment, month)} {moment.astimezone(month.zone):%H:%M}"


def proof(month: Month) -> list[str]:
    """How whoever holds the statement can check it, a paragraph each."""
    seal = month.seal
    with override(month.language):
        if not month.lines:
            return []
        if seal is None:
            return [gettext("The last line is not sealed yet. A statement made in a minute carries the proof.")]
        return [
            gettext(
                "The last line is journal {journal}. It is sealed in block {height} of the ledger, and so is all that "
                "came before it: each block names the one before."
            ).format(journal=seal.journal, height=seal.height),
            gettext("Hash of the block: {head}").format(head=seal.head),
            gettext("Signed with the key {key_id}: {public_key}").format(
                key_id=seal.key_id, public_key=seal.public_key
            ),
            gettext(
                "To check it, ask us for the proof of that journal and run: python3 script/check-proof PROOF.json KEY. "
                "It needs nothing of ours. The block in the proof must be the one named here."
            ),
        ]


def _locale(month: Month) -> Locale:
    return Locale.parse(to_locale(month.language))


def local(line: StatementLine, month: Month) -> datetime:
    return line.at.astimezone(month.zone)
