"""Refusals: answers that the business gives, told apart from crashes.

A refusal has a stable ``code`` for machines, a sentence for people, and the facts behind it. Each lives next to the
service that raises it; ``DomainError.catalogue()`` is the one place that knows them all.
"""

from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal. Families below say what a caller may do about it; subclasses with a ``code`` are what is raised."""

    code: ClassVar[str] = ""
    status: ClassVar[int] = 422
    retryable: ClassVar[bool] = False
    sentence: ClassVar[str] = ""

    _known: ClassVar[dict[str, type["DomainError"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in vars(cls):
            return
        first = DomainError._known.setdefault(cls.code, cls)
        if first.__qualname__ != cls.__qualname__ or first.__module__ != cls.__module__:
            raise TypeError(f"error code {cls.code!r} belongs to {first.__module__}.{first.__qualname__}")

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.sentence.format(**facts))

    @classmethod
    def catalogue(cls) -> dict[str, type["DomainError"]]:
        """Every code that can be raised, in alphabetical order."""
        return dict(sorted(DomainError._known.items()))

    @classmethod
    def of(cls, code: str, facts: dict[str, Any]) -> "DomainError":
        """The refusal that was stored as ``code`` and ``facts``, alive again."""
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
