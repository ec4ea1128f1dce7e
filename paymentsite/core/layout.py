"""Stored JSON as people read it in the back office."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.apps import apps
from django.core.exceptions import ValidationError
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

# How a row is called where no foreign key can point; see core.disclosure.
_ROW: Final = re.compile(r"(?P<model>[a-z_]+\.[a-z_]+):(?P<pk>\S{1,80})")


def laid_out(  # noqa: PLR0911  one line for each kind of value
    value: Any, lines: Lines | None = None, line: Line | None = None
) -> str:
    """``value`` as lists: amounts whole, rows by what they are called now, names and words as ``lines`` say.

    Everything is escaped.
    """
    if value in (None, "", [], {}):
        return NOTHING
    match value:
        case bool():
            return gettext("yes") if value else gettext("no")
        case {"amount": int(minor), "currency": str(unit), **rest} if not rest and unit in SCALES:
            return amount(Money(minor, unit))
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
        case str() if (found := _ROW.fullmatch(value)) and (row := _row(found["model"], found["pk"])):
            return _linked(row)
    return worded(value, line.words if line else None)


def _label(name: str, lines: Lines) -> str | Promise:
    return lines[name].label if name in lines else name


def _row(model: str, pk: str) -> Model | None:
    try:
        found: Model | None = apps.get_model(model)._meta.base_manager.filter(pk=pk).first()
    except (LookupError, ValueError, ValidationError):  # it only looks like one
        return None
    return found


def _linked(row: Model) -> str:
    try:
        page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return str(row)
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', page, row)
