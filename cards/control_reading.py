"""Reading a set of controls from what was stored, or from what somebody wrote."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from cards import merchant_kinds
from cards.control_rules import Cap, Controls, Entry, Malformed, Measure, Names, Span
from paymentsite.core.units import OWN_UNITS, SCALES

CAP_MAX: Final = 10**15
_NAMES_MAX: Final = 200
_WEEKDAYS: Final = 7


def read(stored: Mapping[str, Any]) -> Controls:
    """From what ``Controls.kept`` gave, or somebody wrote; raises ``Malformed``."""
    if unknown := stored.keys() - {each.name for each in fields(Controls)}:
        raise Malformed(", ".join(sorted(unknown)))
    return Controls(**{name: _READ[name](name, value) for name, value in stored.items() if value is not None})


def _caps(part: str, value: Any) -> tuple[Cap, ...]:
    caps = []
    for each in _listed(part, value):
        try:
            cap = Cap(Measure(each["measure"]), Span(each["span"]), each["most"], each.get("currency", ""))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Malformed(part) from error
        if type(cap.most) is not int or not 0 <= cap.most <= CAP_MAX or each.keys() - {one.name for one in fields(Cap)}:
            raise Malformed(part)
        if cap.currency and (cap.measure == Measure.COUNT or not _is_currency(cap.currency)):
            raise Malformed(part)
        # How often a single use may happen says nothing.
        if (cap.measure, cap.span) == (Measure.COUNT, Span.EACH):
            raise Malformed(part)
        caps.append(cap)
    if len({(cap.name, cap.currency) for cap in caps}) != len(caps):
        raise Malformed(part)
    return tuple(caps)


def _names(part: str, value: Any) -> Names:
    if not isinstance(value, Mapping) or value.keys() - {"only", "never"}:
        raise Malformed(part)
    only, never = value.get("only"), value.get("never", ())
    texts = _texts(part, never)
    found = Names(None if only is None else _texts(part, only), texts)
    for name in (*(found.only or ()), *found.never):
        known = {
            "categories": name in merchant_kinds.Group.values or (len(name) == 4 and name.isdecimal()),  # noqa: PLR2004
            "countries": len(name) == 2 and name.isalpha() and name.isupper(),  # noqa: PLR2004
            "merchants": 1 <= len(name) <= 40 and name.isprintable(),  # noqa: PLR2004  the column's width
        }[part]
        if not known or not name.isascii():
            raise Malformed(part)
    return found


def _entries(part: str, value: Any) -> tuple[Entry, ...]:
    try:
        return tuple(Entry(each) for each in _texts(part, value))
    except ValueError as error:
        raise Malformed(part) from error


def _currencies(part: str, value: Any) -> tuple[str, ...]:
    found = _texts(part, value)
    if not all(map(_is_currency, found)):
        raise Malformed(part)
    return found


def _is_currency(code: Any) -> bool:
    return isinstance(code, str) and code in SCALES and code not in OWN_UNITS


def _hours(part: str, value: Any) -> tuple[int, int]:
    found = _listed(part, value)
    if len(found) != 2 or not all(type(each) is int and 0 <= each <= 24 for each in found) or found[0] == found[1]:  # noqa: PLR2004
        raise Malformed(part)
    return found[0], found[1]


def _weekdays(part: str, value: Any) -> tuple[int, ...]:
    found = _listed(part, value)
    if not all(type(each) is int and 0 <= each < _WEEKDAYS for each in found) or len(set(found)) != len(found):
        raise Malformed(part)
    return tuple(sorted(found))


def _listed(part: str, value: Any) -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) > _NAMES_MAX:
        raise Malformed(part)
    return list(value)


def _texts(part: str, value: Any) -> tuple[str, ...]:
    found = _listed(part, value)
    if not all(isinstance(each, str) for each in found) or len(set(found)) != len(found):
        raise Malformed(part)
    return tuple(str(each) for each in found)


_READ: Final[dict[str, Callable[[str, Any], Any]]] = {
    "caps": _caps,
    "categories": _names,
    "countries": _names,
    "merchants": _names,
    "entries": _entries,
    "currencies": _currencies,
    "hours": _hours,
    "weekdays": _weekdays,
}
