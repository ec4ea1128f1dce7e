"""Small tables and links within a page."""

from typing import Any, Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from paymentsite.core.layout import NOTHING

LINES: Final = 20


def table(headings: tuple[str | Promise, ...], rows: list[tuple[Any, ...]]) -> SafeString | str:
    if not rows:
        return NOTHING
    cell = '<td class="px-3 py-1 border-b border-base-200 dark:border-base-800 whitespace-nowrap">{}</td>'
    head = format_html_join("", '<th class="px-3 py-1 text-left font-medium">{}</th>', ((h,) for h in headings))
    body = format_html_join(
        "", "<tr>{}</tr>", ((format_html_join("", cell, ((value,) for value in row)),) for row in rows)
    )
    table = '<table class="tabular-nums"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    return format_html(f'<div class="overflow-x-auto max-w-full">{table}</div>', head, body)


def link(page: str, pk: object, text: object) -> SafeString:
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
        reverse(f"admin:ledger_{page}_change", args=[pk]),
        text,
    )
