"""Columns that the vault guards. A model declares them; admin, forms, repr, migrations then see no plaintext.

public_id = models.UUIDField(default=uuid4, unique=True)
number = EncryptedField("card.number", bound_to=("public_id",))
number_digest = DigestField("card.number", of="number", unique=True)

card = Card(number=Secret("4111…"))
card.number.decrypt().reveal()
Card.objects.filter(number_digest=Secret("4111…"))
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core import checks
from django.db import models
from django.db.models.lookups import FieldGetDbPrepValueMixin, In, IsNull, Lookup
from django.db.models.query_utils import DeferredAttribute

from paymentsite.core.vault import document, envelope, loading, lookup
from paymentsite.core.vault.envelope import Bindable, Envelope
from paymentsite.core.vault.keyring import Purpose
from paymentsite.core.vault.secret import Secret


class Encrypted:
    """The encrypted content of one row's column; shows nothing until ``decrypt()`` and then ``reveal()``."""

    __slots__ = ("_field", "_row")

    def __init__(self, field: "EncryptedField", row: models.Model) -> None:
        self._field = field
        self._row = row

    def decrypt(self) -> Secret:
        """The content; raises ``Undecipherable`` when the row does not hold what was written for it."""
        held = self._field.held(self._row)
        return held if isinstance(held, Secret) else self._field.decrypt(held, self._row)

    @property
    def envelope(self) -> Envelope:
        """What is stored, or would be, under the current key."""
        return self._field.settled(self._row)

    def __repr__(self) -> str:
        return "Encrypted(…)"


class EncryptedAttribute(DeferredAttribute):
    """Takes a ``Secret``, an ``Envelope`` made for this row, another row's content, or ``None``."""

    field: "EncryptedField"

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        held = super().__get__(instance, cls)
        return Encrypted(self.field, instance) if instance is not None and held is not None else held

    def __set__(self, instance: models.Model, value: object) -> None:
        if isinstance(value, Encrypted):
            # Its own content is back from cleaning; another row's is encrypted anew, for this one.
            if value._row is instance and value._field is self.field:  # noqa: SLF001 - the two classes are one thing
                return
            value = value.decrypt()
        if value is not None and not isinstance(value, Secret | Envelope):
            raise TypeError(f"{self.field} takes a Secret, not a {type(value).__name__}.")
        instance.__dict__[self.field.attname] = value


class EncryptedField(models.BinaryField[Any, Any]):
    """Text kept as an envelope that opens in its own row only; ``bound_to`` names the columns that say which.

    Every save writes what can be read back, under the current key: content that does not decrypt is refused,
    and a row loaded before a rotation does not bring the old key back. It cannot be searched but for NULL.
    """

    descriptor_class = EncryptedAttribute
    description = "Encrypted text"

    def __init__(self, label: str, *, bound_to: Sequence[str], purpose: Purpose = Purpose.DATA, **options: Any) -> None:
        self.label = label
        self.bound_to = tuple(bound_to)
        self.purpose = Purpose(purpose)
        super().__init__(**{**options, "editable": False})

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        options.pop("editable", None)
        return (
            name,
            path,
            [self.label, *args],
            {**options, "bound_to": self.bound_to, "purpose": str(self.purpose)},
        )

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *self._check_default(), *self._check_bound_to()]

    def _check_default(self) -> Iterable[checks.CheckMessage]:
        if self.has_default() or self.has_db_default() or self.unique or self.db_index:  # type: ignore[attr-defined]
            yield checks.Error(
                "An encrypted column has no default, no index and is not unique.", obj=self, id="vault.E001"
            )

    def _check_bound_to(self) -> Iterable[checks.CheckMessage]:
        if not self.bound_to:
            yield checks.Error("An encrypted column is bound to at least one other.", obj=self, id="vault.E002")
        columns = {column.name: column for column in self.model._meta.concrete_fields}
        for name in self.bound_to:
            found = columns.get(name)
            if found is None or found.null or isinstance(found, models.AutoField):
                yield checks.Error(
                    f"{name} is not a column that is known, and never NULL, before the row is written.",
                    obj=self,
                    id="vault.E003",
                )

    def held(self, row: models.Model) -> Any:
        """A ``Secret`` from when it was assigned, an ``Envelope`` once it was written, or ``None``."""
        found = getattr(row, self.attname)
        return row.__dict__[self.attname] if found is not None else None

    def binding(self, row: models.Model) -> tuple[Bindable, ...]:
        """What says which row it is, in the types of its columns whatever was assigned to them."""
        return tuple(column.to_python(getattr(row, column.attname)) for column in self.binding_columns())

    def binding_columns(self) -> list[models.Field[Any, Any]]:
        columns = {column.name: column for column in self.model._meta.concrete_fields}
        return [columns[name] for name in self.bound_to]

    def decrypt(self, held: Envelope, row: models.Model) -> Secret:
        return self.decrypted(held, self.binding(row))

    def decrypted(self, held: Envelope, bound_to: tuple[Bindable, ...]) -> Secret:
        return envelope.decrypt(held, label=self.label, bound_to=bound_to, purpose=self.purpose)

    def settled(self, row: models.Model) -> Envelope:
        """The envelope to write: proven to open for this row, and under the current key."""
        held = self.held(row)
        content = held if isinstance(held, Secret) else self.decrypt(held, row)
        if isinstance(held, Secret) or held.key_id != loading.keys().ring(self.purpose).current.id:
            held = self.encrypted(content, self.binding(row))
            row.__dict__[self.attname] = held
        settled: Envelope = held
        return settled

    def encrypted(self, content: Secret, bound_to: tuple[Bindable, ...]) -> Envelope:
        return envelope.encrypt(content, label=self.label, bound_to=bound_to, purpose=self.purpose)

    def pre_save(self, model_instance: models.Model, add: bool) -> Envelope | None:  # noqa: ARG002, FBT001 - Django's
        return None if self.held(model_instance) is None else self.settled(model_instance)

    def get_default(self) -> None:
        return None

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's
        if isinstance(value, Encrypted):
            value = value.envelope
        if value is not None and not isinstance(value, Envelope):
            raise TypeError(f"{self} cannot encrypt without its row; assign to the row and save it.")
        return super().get_db_prep_value(value and value.raw, connection, prepared)

    def from_db_value(self, value: Any, *_: Any) -> Envelope | None:
        return None if value is None else Envelope(bytes(value))

    def value_to_string(self, obj: models.Model) -> str:
        """For dumps: the envelope as it is, which the same keys read back."""
        return document.plain(self.settled(obj).raw) if self.held(obj) is not None else ""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            return Envelope(document.from_plain(value)) if value else None
        return value

    def get_lookup(self, lookup_name: str) -> type[Lookup[Any]] | None:
        return {"isnull": IsNull, "unchanged": Unchanged, "under_key": UnderKey}.get(lookup_name)


class Unchanged(FieldGetDbPrepValueMixin, Lookup[Any]):
    """The very envelope that was read: what makes writing it anew safe beside other writers."""

    lookup_name = "unchanged"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        left, parameters = self.process_lhs(compiler, connection)
        right, more = self.process_rhs(compiler, connection)
        return f"{left} = {right}", [*parameters, *more]


class UnderKey(Lookup[Any]):
    """Encrypted under the key of that id."""

    lookup_name = "under_key"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [connection.Database.Binary(envelope.header(value))]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        left, parameters = self.process_lhs(compiler, connection)
        right, more = self.process_rhs(compiler, connection)
        return f"substr({left}, 1, {len(envelope.header(self.rhs))}) = {right}", [*parameters, *more]


class DigestAttribute(DeferredAttribute):
    """Follows the encrypted column: a content just assigned has its digest at once."""

    field: "DigestField"

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        if instance is not None and isinstance(fresh := instance.__dict__.get(self.field.of), Secret):
            return lookup.digest(fresh, label=self.field.label)
        return super().__get__(instance, cls)

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class DigestField(models.CharField[Any, Any]):
    """The keyed digest of the encrypted column ``of``, kept right by every save; looked up by ``Secret``.

    Where the content is gone (NULL), the last digest stays: it still recognises.
    """

    descriptor_class = DigestAttribute

    def __init__(self, label: str, *, of: str, **options: Any) -> None:
        self.label = label
        self.of = of
        super().__init__(**{**options, "editable": False, "max_length": lookup.DIGEST_LENGTH_MAX})

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        options.pop("editable", None)
        options.pop("max_length", None)
        return name, path, [self.label, *args], {**options, "of": self.of}

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        wrong = "" if isinstance(self.model.__dict__.get(self.of), EncryptedAttribute) else self.of
        problem = checks.Error(f"{wrong} is not an encrypted column of this model.", obj=self, id="vault.E004")
        return [*super().check(**kwargs), *([problem] if wrong else [])]

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: ARG002, FBT001 - Django's
        content = getattr(model_instance, self.of)
        if content is not None:
            setattr(model_instance, self.attname, lookup.digest(content.decrypt(), label=self.label))
        return getattr(model_instance, self.attname)

    def get_lookup(self, lookup_name: str) -> type[Lookup[Any]] | None:
        return Recognised if lookup_name == "exact" else super().get_lookup(lookup_name)


class Recognised(In):
    """``digest=Secret(…)``: found under whichever key its digest was made."""

    def get_prep_lookup(self) -> Any:
        if isinstance(self.rhs, Secret):
            self.rhs = lookup.digests(self.rhs, label=self.lhs.output_field.label)
        elif self.rhs is not None:
            self.rhs = [self.rhs]
        return self.rhs and super().get_prep_lookup()
