"""Exports: what people write into names and notes stays text in every program that opens the file."""

import csv
import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from paymentsite.core.money import Money
from tests.wallets.factories import wallet
from wallets.exports import comma, excel, pdf, wording
from wallets.queries import statements
from wallets.queries.statements import Month, Seal, StatementLine

pytestmark = pytest.mark.django_db

HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "\u200b=1", '=HYPERLINK("http://x")']
JOURNAL = UUID("01a21799-6537-7d7b-9739-a25123ddeb4f")


def line(minor: int = -1250, **fields: object) -> StatementLine:
    made = StatementLine(
        at=datetime(2026, 11, 5, 23, 30, tzinfo=UTC),
        kind="transfer",
        words="Sent",
        counterparty="Bo",
        note="for lunch",
        subject="transfer:1",
        amount=Money(minor, "CNY"),
        balance=Money(100_00, "CNY"),
        fee=False,
        journal=JOURNAL,
        place="1",
    )
    return replace(made, **fields)


@pytest.fixture
def month() -> Month:
    made = statements.month(wallet=wallet(), year=2026, month=11)
    seal = Seal(JOURNAL, 7, "ab" * 32, "signing-1", "cd" * 32)
    return replace(made, lines=[line()], went=Money(1250, "CNY"), closing=Money(100_00, "CNY"), seal=seal)


def rows(month: Month) -> list[list[str]]:
    return list(csv.reader(io.StringIO(comma.written(month).decode("utf-8-sig"))))


def cells(month: Month) -> ET.Element:
    with zipfile.ZipFile(io.BytesIO(excel.written(month))) as book:
        return ET.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314  our own file


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_no_formula_in_a_csv(month, text):
    [_head, _opening, row, _closing] = rows(replace(month, lines=[line(words=text, counterparty=text, note=text)]))

    for cell in row[2:5]:
        assert cell.startswith("'")
        assert not set(cell) & set("\t\r\n")


@given(st.text(max_size=20))
def test_no_text_begins_a_formula(text):
    assert wording.harmless(text)[:1] not in set("=+-@\t\r\n＝＋－＠")


def test_harmless_text_stays_as_it_is(month):
    assert rows(month)[2] == [
        "2026-11-06",
        "07:30:00",
        "Sent",
        "Bo",
        "for lunch",
        "-12.50",
        "100.00",
        "CNY",
        str(JOURNAL),
    ]


def test_csv_begins_with_the_mark_and_has_opening_and_closing(month):
    assert comma.written(month).startswith(b"\xef\xbb\xbf")
    assert [row[2] for row in rows(month)] == ["What happened", "Opening balance", "Sent", "Closing balance"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_no_formula_or_link_in_a_workbook(month, text):
    sheet = cells(replace(month, lines=[line(words=text, counterparty=text, note=text)]))

    assert not [element for element in sheet.iter() if element.tag.endswith(("}f", "}hyperlink"))]


def test_amounts_in_a_workbook_are_numbers_and_the_header_stays(month):
    sheet = cells(month)

    numbers = [cell for cell in sheet.iter() if cell.tag.endswith("}c") and cell.get("r") in {"E3", "F3"}]
    assert [(cell.get("t"), cell[0].text) for cell in numbers] == [(None, "-12.50"), (None, "100.00")]
    [pane] = [element for element in sheet.iter() if element.tag.endswith("}pane")]
    assert (pane.get("ySplit"), pane.get("state")) == ("1", "frozen")


def test_amount_beyond_what_excel_counts_is_text_and_exact(month):
    huge = line(minor=9_007_199_254_740_993)

    sheet = cells(replace(month, lines=[huge]))

    [cell] = [cell for cell in sheet.iter() if cell.tag.endswith("}c") and cell.get("r") == "E3"]
    assert cell.get("t") == "s"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("count", [0, 1, 300])
def test_pdf_is_written_in_both_languages_with_its_pages(month, language, count):
    made = replace(month, language=language, lines=[line(words="转账", note="<b>&x</i>")] * count)

    document = pdf.written(made)

    assert document.startswith(b"%PDF-")
    pages = len(re.findall(rb"/Type /Page\b", document))
    assert pages == 1 if count < 2 else pages > 5


@given(st.text(max_size=60))
def test_pdf_takes_any_text(text):
    runs = list(pdf._runs(text, bold=False))

    for font, run in runs:
        run.encode("gbk" if font == "STSong-Light" else "cp1252")


def test_proof_names_block_hash_key_and_how_to_check(month):
    said = " ".join(wording.proof(month))

    assert all(part in said for part in (str(JOURNAL), "block 7", "ab" * 32, "cd" * 32, "script/check-proof"))
    assert "not sealed yet" in " ".join(wording.proof(replace(month, seal=None)))
    assert wording.proof(replace(month, lines=[], seal=None)) == []


@pytest.mark.parametrize(
    ("language", "title", "number"), [("en", "Statement", "-1,234.50"), ("zh-hans", "账单", "-1,234.50")]
)
def test_words_are_in_the_members_language_whatever_is_active(month, language, title, number):
    made = replace(month, language=language)
    with translation.override("en" if language == "zh-hans" else "zh-hans"):
        assert wording.words(made).title == title
        assert wording.number(Money(-123450, "CNY"), made) == number
        assert wording.number(Money(5, "JPY"), made) == "5"
        assert wording.number(Money(5, "KWD"), made) == "0.005"
