"""A service's arguments as JSON and back: what comes back is equal to what went in, types and all."""

import dataclasses
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeVar
from uuid import UUID

from django.apps import apps
from django.db.models import Model
from django.utils.translation import gettext_noop

from paymentsite.core.actors import Actor
from paymentsite.core.errors import Missing
from paymentsite.core.money import Money

T = TypeVar("T", bound=type[Any])


class ArgumentGone(Missing):
    code = "argument_gone"
    sentence = gettext_noop("{subject} is no longer there.")


_MICROSECOND: Final = timedelta(microseconds=1)
# What JSON does not know, as a word for the type and a form that it does know.
_WRITTEN: Final[dict[type[Any], tuple[str, Callable[[Any], Any]]]] = {
    Decimal: ("decimal", str),
    datetime: ("datetime", datetime.isoformat),
    date: ("date", date.isoformat),
    timedelta: ("timedelta", lambda value: value // _MICROSECOND),
    UUID: ("uuid", str),
}
_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "timedelta": lambda value: value * _MICROSECOND,
    "uuid": UUID,
}
_carried: Final[dict[str, type[Any]]] = {}


def carried(cls: T) -> T:
    """Let the dataclass ``cls`` be an argument of what needs approval. Its name is stored, so keep it."""
    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"{cls.__qualname__} is no dataclass")
    if _carried.setdefault(cls.__qualname__, cls) is not cls:
        raise TypeError(f"another {cls.__qualname__} is carried already")
    return cls


carried(Money)
carried(Actor)


def stored(value: Any) -> Any:
    """``value`` as JSON; raises ``TypeError`` for what cannot be brought back or must not be written."""
    if isinstance(value, Enum):
        return stored(value.value)
    kind = type(value)
    if value is None or kind in {bool, int, str}:
        return value
    if kind is list:
        return [stored(item) for item in value]
    if kind in _WRITTEN:
        name, write = _WRITTEN[kind]
        return {"is": name, "value": write(value)}
    return {"is": (form := _composite(value))[0], "value": form[1]}


def _composite(value: Any) -> tuple[str, Any]:
    kind = type(value)
    if kind is tuple:
        return "tuple", [stored(item) for item in value]
    if kind is dict and all(type(key) is str for key in value):
        return "dict", {key: stored(item) for key, item in value.items()}
    if isinstance(value, Model) and value.pk is not None:
        return "row", [value._meta.label_lower, stored(value.pk)]
    if _carried.get(kind.__qualname__) is kind:
        return kind.__qualname__, {f.name: stored(getattr(value, f.name)) for f in dataclasses.fields(value)}
    raise TypeError(f"a {kind.__qualname__} cannot wait for an approval: give what can be stored and looked up again")


def restored(written: Any) -> Any:
    """What ``stored`` wrote, rows as they are now. Raises ``ArgumentGone`` for a row that is gone."""
    if isinstance(written, list):
        return [restored(item) for item in written]
    if not isinstance(written, dict):
        return written
    kind, value = written["is"], written["value"]
    return _READ[kind](value) if kind in _READ else _made(kind, value)


def _made(kind: str, value: Any) -> Any:
    if kind == "tuple":
        return tuple(restored(item) for item in value)
    if kind == "row":
        return _row(value[0], restored(value[1]))
    named = {name: restored(item) for name, item in value.items()}
    return named if kind == "dict" else _carried[kind](**named)


def readable(written: Any) -> Any:
    """What ``stored`` wrote, as JSON for people to look at: rows by their names, other types by their plain form."""
    match written:
        case list():
            return [readable(item) for item in written]
        case {"is": "row", "value": [label, pk]}:
            return f"{label}:{readable(pk)}"
        case {"is": "Money", "value": value}:
            return Money(**value).to_wire()
        case {"is": _, "value": dict() as value}:
            return {name: readable(item) for name, item in value.items()}
        case {"is": _, "value": value}:
            return readable(value)
    return written


def _row(label: str, pk: Any) -> Model:
    found: Model | None = apps.get_model(label)._meta.base_manager.filter(pk=pk).first()
    if found is None:
        raise ArgumentGone(subject=f"{label}:{pk}")
    return found
