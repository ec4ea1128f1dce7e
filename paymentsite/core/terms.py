"""Terms: rows on which operators decide, and which are what the audit trail says.

    @terms.decided(except_columns=["used"])
    class EarnBudget(models.Model): ...

Services tell the trail of each such row that they write (``core.services.trail``), and ``manage.py verify`` compares.
Excepted is what is counted in such a row rather than decided.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from django.db.models import Field, Model, Q, QuerySet

from paymentsite.core.errors import plain

M = TypeVar("M", bound=type[Model])
Image = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Decided:
    """A model whose rows, as far as they are ``where``, are decided on, but for ``except_columns``."""

    model: type[Model]
    except_columns: frozenset[str]
    where: Q

    @property
    def columns(self) -> "list[Field[Any, Any]]":
        fields = self.model._meta.concrete_fields
        return [field for field in fields if not field.primary_key and field.attname not in self.except_columns]

    @property
    def rows(self) -> QuerySet[Any]:
        return QuerySet(self.model).filter(self.where)

    def images(self, rows: QuerySet[Any]) -> Iterator[tuple[Any, Image]]:
        """Of each of ``rows`` its key, and what it is as the database has it."""
        names = [field.attname for field in self.columns]
        for pk, *values in rows.values_list("pk", *names):
            yield pk, dict(zip(names, map(_plain, values), strict=True))

    @property
    def defaults(self) -> Image:
        """What rows are of which the trail told before there was such a column."""
        return {field.attname: _plain(field.get_default()) for field in self.columns}


_registered: Final[dict[str, Decided]] = {}


def decided(*, except_columns: Collection[str] = (), where: Q | None = None) -> Callable[[M], M]:
    """Have ``manage.py verify`` compare the rows of a model with what the audit trail says of them."""

    def register_model(model: M) -> M:
        entry = Decided(model, frozenset(except_columns), where or Q())
        if unknown := entry.except_columns - {field.attname for field in model._meta.concrete_fields}:
            raise TypeError(f"{model._meta.label} has no column {', '.join(sorted(unknown))}")
        _registered[model._meta.label_lower] = entry
        return model

    return register_model


def registered() -> list[Decided]:
    """Every model that is decided on, in the order of their names."""
    return [_registered[label] for label in sorted(_registered)]


def of(model: type[Model]) -> Decided:
    """How rows of ``model`` are decided on; raises ``KeyError`` where they are not."""
    return _registered[model._meta.label_lower]


def _plain(value: Any) -> Any:
    if value is None or type(value) in {str, int}:  # most are, and there may be many
        return value
    # One moment has one text, whatever clock it was read by.
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else plain(value)
