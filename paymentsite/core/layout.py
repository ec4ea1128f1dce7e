"""Stored JSON as people read it in the back office."""

from collections.abc import Mapping
from typing import Any, Final

from django.apps import apps
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext

from paymentsite.core.effects import Line, Lines
from paymentsite.core.errors import worded
from paymentsite.core.formats import amount
from paymentsite.core.money import Money
from paymentsite.core.units import SCALES

NOTHING: Final = "–"


def laid_out(  # noqa: PLR0911  one line for each kind of value
    value: Any, lines: Lines | None = None, line: Line | None = None
) -> str:
    """``value`` as lists, amounts whole. With ``lines`` it is an effect: names and words are as they say, rows what
    they are called now, and lead to their pages. What somebody typed stands as it is. Everything is escaped.
    """
    if value in (None, "", [], {}):
        return NOTHING
    match value:
        case bool():
            return gettext("yes") if value else gettext("no")
        case {"amount": int(minor), "currency": str(unit), **rest} if not rest and unit in SCALES:
            return amount(Money(minor, unit))
        case {"row": str(name), **rest} if not rest and lines is not None:
            return _called(name)
        case Mapping():
            known = lines or {}
            rows = ((_label(name, known), laid_out(item, lines, known.get(name))) for name, item in value.items())
            return format_html(
                "<dl>{}</dl>",
                format_html_join("", '<dt class="font-medium">{}</dt><dd class="mb-1 ml-4">{}</dd>', rows),
            )
        case list():
            items = ((laid_out(item, lines, line),) for item in value)
            return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", items))
    return worded(value, line.words if line else None)


def _label(name: str, lines: Lines) -> str | Promise:
    return lines[name].label if name in lines else name


def _called(name: str) -> str:
    """A row of an effect by what it is called now; what it was named where it is gone."""
    label, _colon, pk = name.partition(":")
    found: Model | None = apps.get_model(label)._meta.base_manager.filter(pk=pk).first()
    return _linked(found) if found else name


def _linked(row: Model) -> str:
    try:
        page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return str(row)
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', page, row)
