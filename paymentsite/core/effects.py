"""Effects: what an act that takes two people does, told line by line to the one who decides.

An act declares its title and the lines that its effect may have. Stored are plain values under the names of lines;
labels and words are made when somebody reads them, in that reader's language.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import DateTimeField, Field, Model
from django.utils.functional import Promise
from django.utils.translation import gettext

from paymentsite.core.errors import Words, as_moment
from paymentsite.core.formats import share
from paymentsite.core.money import Money

# Two rehearsals of the same have the same.
Effect = Mapping[str, Any]

# Stands for the moment at which somebody approves.
APPROVAL: Final = "approval"
ROW: Final = "row"


@dataclass(frozen=True, slots=True)
class Line:
    """What a value of an effect is called, and where its words come from if it has any."""

    label: str | Promise
    words: Words | None = None


Lines = Mapping[str, Line]

_titles: Final[dict[str, str | Promise]] = {}


def entitle(act: str, title: str | Promise) -> None:
    """From now on ``act`` is called so where people read it."""
    _titles[act] = title


def titled(act: str) -> str:
    """What ``act`` is called in the active language."""
    return str(_titles.get(act, act))


def as_begin(fact: Any) -> str:
    """When something begins that may begin with the approval."""
    return gettext("the approval") if fact == APPROVAL else as_moment(fact)


def as_share(fact: Any) -> str:
    """Stored hundredths of a percent as people write them."""
    return share(fact) if isinstance(fact, int) else str(fact)


def columns(model: type[Model], names: Iterable[str]) -> dict[str, Line]:
    """Lines for columns of ``model``: their labels, and the words of their choices; shares in percent."""
    return {name: _line(model._meta.get_field(name)) for name in names}  # type: ignore[arg-type]


def values(row: Model, names: Iterable[str]) -> dict[str, Any]:
    """What ``row`` has in columns, as lines tell it: amounts of its currency instead of smallest parts."""
    return {name: _value(row, name) for name in names}


def check(effect: Any, lines: Lines) -> None:
    """Raise ``TypeError`` for what no line is declared for: it would be shown in the words of machines."""
    for item in effect if isinstance(effect, list | tuple) else ():
        check(item, lines)
    if not isinstance(effect, Mapping) or set(effect) == {"amount", "currency"}:
        return
    if unknown := effect.keys() - lines.keys():
        raise TypeError(f"no line is declared for {', '.join(sorted(unknown))}")
    for item in effect.values():
        check(item, lines)


def row(name: str) -> dict[str, str]:
    """How a row is stored in an effect: apart from every text, for people may type what looks like a row's name."""
    return {ROW: name}


def _line(column: "Field[Any, Any]") -> Line:
    label = column.verbose_name
    if isinstance(column, DateTimeField):
        return Line(label, as_moment)
    if column.name.endswith("_bp"):
        return Line(label, as_share)
    chosen = dict(column.flatchoices)
    return Line(label, (lambda fact: str(chosen.get(fact, fact))) if chosen else None)


def _value(row: Model, name: str) -> Any:
    value = getattr(row, name)
    currency = getattr(row, "currency", "")
    return Money(value, currency) if name.endswith("_minor") and value is not None and currency else value
