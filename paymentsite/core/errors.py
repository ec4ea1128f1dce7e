"""Refusals: answers that the business gives, told apart from crashes.

A refusal has a stable ``code`` for machines, a sentence for people, and the facts behind it. Each lives next
to the service that raises it; ``DomainError.catalogue()`` is the one place that knows them all. What is
stored of one is its code and its facts: the sentence is made when it is read, in the reader's language, and so are
those of its facts that are words. See docs/decisions/178-facts-are-words-too.md.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from string import Formatter
from typing import Any, ClassVar, Protocol, runtime_checkable
from uuid import UUID

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model
from django.db.models.enums import Choices, ChoicesType
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext, pgettext

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


# Where the words of a fact come from: a fixed set, whose labels they are, or a function that reads a stored one.
Words = type[Choices] | Callable[[Any], str]


def told(sentence: str, facts: Mapping[str, Any], vocabulary: Mapping[str, Words]) -> str:
    """``sentence`` in the active language. Facts that ``vocabulary`` knows are worded by it, the others stand as they
    are: what somebody typed is never looked up. A label may speak of the other facts, as the sentence does.
    """
    said = {name: worded(fact, vocabulary.get(name)) for name, fact in facts.items()}
    labels = {name: label.format(**said) for name, label in _labels(facts, vocabulary)}
    return gettext(sentence).format(**{**said, **labels})


def worded(fact: Any, words: Words | None = None) -> str:
    """A stored fact as it stands in a sentence; a list is worded item by item."""
    match fact:
        case {"amount": int(minor), "currency": str(unit)} if unit in SCALES:
            return f"{decimal_text(minor, SCALES[unit])} {unit}"
        case {"code": str(code), "facts": dict(facts)} if code in DomainError.catalogue():
            return str(DomainError.of(code, facts))
        case list():
            return listed(worded(item, words) for item in fact)
    if isinstance(words, ChoicesType):
        return str(_by_value(words).get(fact, fact)) if isinstance(fact, str | int) else str(fact)
    return words(fact) if words and fact is not None else str(fact)


def listed(items: Iterable[str]) -> str:
    """``items`` as the active language puts them one after the other."""
    return pgettext("between the items of a list", ", ").join(items)


def as_moment(fact: Any) -> str:
    """A stored moment as people write it: by the clocks that it was stored with, one of UTC by those of the reader.

    What is none stands as it is.
    """
    try:
        at = datetime.fromisoformat(str(fact))
    except ValueError:
        return str(fact)
    return date_format(at if at.utcoffset() else localtime(at), "DATETIME_FORMAT")


def as_day(fact: Any) -> str:
    """A stored day as people write it."""
    try:
        return date_format(date.fromisoformat(str(fact)), "DATE_FORMAT")
    except ValueError:
        return str(fact)


def complaints(error: ValidationError, row: Model) -> str:
    """What Django finds wrong with ``row``, column by column, in the language of whoever asked for it.

    For refusals to staff who propose such a row: read at once and not kept.
    """
    named = {field.name: str(getattr(field, "verbose_name", field.name)) for field in row._meta.get_fields()}
    said = (
        gettext("its terms do not fit together")
        if name == NON_FIELD_ERRORS
        else f"{named.get(name, name)}: {' '.join(found)}"
        for name, found in error.message_dict.items()
    )
    return "; ".join(said).rstrip(".")


def names_in(sentence: str) -> set[str]:
    """The facts that ``sentence`` speaks of."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def _labels(facts: Mapping[str, Any], vocabulary: Mapping[str, Words]) -> Iterator[tuple[str, str]]:
    """The facts that are one word of a set, with its label."""
    for name, words in vocabulary.items():
        fact = facts.get(name)
        if isinstance(words, ChoicesType) and isinstance(fact, str | int) and fact in _by_value(words):
            yield name, str(_by_value(words)[fact])


def _by_value(words: ChoicesType) -> dict[Any, Any]:
    return dict(words.choices)


class DomainError(Exception):
    """A refusal. Its families say what a caller may do about it; what is raised has a ``code`` of its own.

    Mark a ``sentence`` with ``gettext_noop``: it is translated when read. ``str(error)`` is the sentence. Facts in it
    that are words are declared with the class, which its kin inherit:

        class CaseMoved(Conflict, state=KycCase.State):
    """

    code: ClassVar[str] = ""
    status: ClassVar[int] = 422
    retryable: ClassVar[bool] = False
    sentence: ClassVar[str] = ""
    vocabulary: ClassVar[Mapping[str, Words]] = {}

    # Writes the record of the refusal, should the transaction that held it be rolled back; False when the
    # reference has been decided meanwhile. See ``paymentsite.core.acts``.
    keep: Callable[[], bool] | None = None

    _known: ClassVar[dict[str, type["DomainError"]]] = {}

    def __init_subclass__(cls, **words: Words) -> None:
        super().__init_subclass__()
        cls.vocabulary = {**cls.vocabulary, **words}
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
        self.facts: dict[str, Any] = plain(facts)
        spoken_of = self.fact_names().union(*(names_in(label) for _, label in _labels(self.facts, self.vocabulary)))
        if missing := spoken_of - facts.keys():
            raise TypeError(f"{self.code} needs the facts {', '.join(sorted(missing))}")
        super().__init__(self.code, self.facts)

    def __str__(self) -> str:
        return told(self.sentence, self.facts, self.vocabulary)

    def __reduce__(self) -> tuple[Any, ...]:
        return DomainError.of, (self.code, self.facts)

    def to_wire(self) -> Mapping[str, Any]:
        """What is stored of it, also where it is itself a fact of something else."""
        return {"code": self.code, "facts": self.facts}

    @classmethod
    def fact_names(cls) -> set[str]:
        """The facts that the sentence speaks of; each must be given."""
        return names_in(cls.sentence)

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
