"""Refusals: answers that the business gives, told apart from crashes.

A refusal has a stable ``code`` for machines, a sentence for people, and the facts behind it. Each lives next
to the service that raises it; ``DomainError.catalogue()`` is the one place that knows them all. What is
stored of one is its code and its facts: the sentence is made when it is read, in the reader's language.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from string import Formatter
from typing import Any, ClassVar, Protocol, runtime_checkable
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext

from paymentsite.core.units import SCALES, decimal_text

_CODE = re.compile(r"[a-z][a-z0-9_]*\Z")


@runtime_checkable
class Wired(Protocol):
    """A value that knows its own JSON, as ``Money`` does."""

    def to_wire(self) -> Mapping[str, Any]: ...


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line for each kind of value
    """``value`` in a form that JSON gives back unchanged; raises ``TypeError`` where there is none."""
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int():
            return value
        case str() | Promise():
            # What PostgreSQL and UTF-8 cannot store comes from hostile input alone and is only echoed.
            return str(value).encode(errors="replace").decode().replace("\0", "\ufffd")
        case Decimal() | UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case Wired():
            return plain(value.to_wire())
        case Mapping():
            return {plain(str(key)): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    raise TypeError(f"a {type(value).__qualname__} cannot be a fact: name it by its public id, its code or its text")


def worded(fact: Any) -> str:
    """A stored fact as it stands in a sentence."""
    match fact:
        case {"amount": int(minor), "currency": str(unit)} if unit in SCALES:
            return f"{decimal_text(minor, SCALES[unit])} {unit}"
        case list():
            return ", ".join(worded(item) for item in fact)
    return str(fact)


class DomainError(Exception):
    """A refusal. Its families say what a caller may do about it; what is raised has a ``code`` of its own.

    Mark a ``sentence`` with ``gettext_noop``: it is translated when read. ``str(error)`` is the sentence.
    """

    code: ClassVar[str] = ""
    status: ClassVar[int] = 422
    retryable: ClassVar[bool] = False
    sentence: ClassVar[str] = ""

    # Writes the record of the refusal, should the transaction that held it be rolled back; False when the
    # reference has been decided meanwhile. See ``paymentsite.core.acts``.
    keep: Callable[[], bool] | None = None

    _known: ClassVar[dict[str, type["DomainError"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in vars(cls):
            return
        if not _CODE.match(cls.code) or not cls.sentence:
            raise TypeError(f"{cls.__qualname__} needs a code in snake_case and a sentence")
        first = DomainError._known.setdefault(cls.code, cls)
        if first.__qualname__ != cls.__qualname__ or first.__module__ != cls.__module__:
            raise TypeError(f"error code {cls.code!r} belongs to {first.__module__}.{first.__qualname__}")

    def __init__(self, **facts: Any) -> None:
        if not self.code:
            raise TypeError(f"{type(self).__qualname__} is a family; raise one of its members")
        if missing := self.fact_names() - facts.keys():
            raise TypeError(f"{self.code} needs the facts {', '.join(sorted(missing))}")

        self.facts: dict[str, Any] = plain(facts)
        super().__init__(self.code, self.facts)

    def __str__(self) -> str:
        return gettext(self.sentence).format(**{name: worded(fact) for name, fact in self.facts.items()})

    def __reduce__(self) -> tuple[Any, ...]:
        return DomainError.of, (self.code, self.facts)

    @classmethod
    def fact_names(cls) -> set[str]:
        """The facts that the sentence speaks of; each must be given."""
        return {name for _, name, _, _ in Formatter().parse(cls.sentence) if name}

    @classmethod
    def family(cls) -> type["DomainError"]:
        """Which of the families it belongs to."""
        return next(base for base in cls.__mro__ if DomainError in base.__bases__)

    @classmethod
    def catalogue(cls) -> dict[str, type["DomainError"]]:
        """Every code that can be raised, in alphabetical order."""
        return dict(sorted(DomainError._known.items()))

    @classmethod
    def of(cls, code: str, facts: Mapping[str, Any]) -> "DomainError":
        """The refusal that was stored as ``code`` and ``facts``, alive again; equal facts, equal sentence."""
        return DomainError._known[code](**facts)


class Invalid(DomainError):
    """The request can never be right as it stands."""

    status = 400


class Refused(DomainError):
    """Well formed, but not possible as things are now."""


class Conflict(DomainError):
    """It contradicts something already recorded."""

    status = 409


class Missing(DomainError):
    """There is no such thing, or none that the caller may know of."""

    status = 404


class Forbidden(DomainError):
    """The caller may not do this."""

    status = 403


class Unavailable(DomainError):
    """Not now; the same request may succeed later."""

    status = 503
    retryable = True
