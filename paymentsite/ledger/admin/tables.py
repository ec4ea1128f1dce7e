"""Small tables and links within a page."""

from typing import Any, Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from paymentsite.core.layout import NOTHING

LINES: Final = 20


# What is longer is broken into lines.
_SHORT: Final = 32


def table(headings: tuple[str | Promise, ...], rows: list[tuple[Any, ...]]) -> SafeString | str:
    """A table within a page, which is as wide as there is room for: what is wider scrolls in its own place."""
    if not rows:
        return NOTHING
    heading = '<th class="px-2 py-1 text-left align-top font-medium whitespace-nowrap">{}</th>'
    head = format_html_join("", heading, ((h,) for h in headings))
    body = format_html_join("", "<tr>{}</tr>", ((format_html_join("", "{}", map(_cell, row)),) for row in rows))
    table = '<table class="tabular-nums"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    return format_html(f'<div class="flex"><div class="grow overflow-x-auto w-0">{table}</div></div>', head, body)


def _cell(value: Any) -> tuple[SafeString]:
    long = not isinstance(value, SafeString) and len(str(value)) > _SHORT
    width = "min-w-52 whitespace-normal" if long else "whitespace-nowrap"
    return (
        format_html(f'<td class="px-2 py-1 border-b border-base-200 dark:border-base-800 {width}">{{}}</td>', value),
    )


def link(page: str, pk: object, text: object) -> SafeString:
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
        reverse(f"admin:ledger_{page}_change", args=[pk]),
        text,
    )
