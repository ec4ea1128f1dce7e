"""Values as they may be kept in clear and shown to staff."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from paymentsite.core import logs
from paymentsite.core.actors import Actor
from paymentsite.core.errors import plain
from paymentsite.core.vault import Secret


def named(thing: Model | str) -> str:
    """How a row is called where no foreign key can point: ``wallets.wallet:7``."""
    return thing if isinstance(thing, str) else f"{thing._meta.label_lower}:{thing.pk}"


def disclosed(value: Any, *, name: str = "") -> Any:  # noqa: PLR0911  one line for each kind of value
    """``value`` as JSON, without secrets: no ``Secret``, nothing named like one, no card number in any text.

    Rows become their names. Raises ``TypeError`` for what has no such form, floats among it.
    """
    if logs.names_secret(name) and not (value is None or isinstance(value, bool)):
        return logs.HIDDEN
    match value:
        case Secret():
            return logs.HIDDEN
        case Model():
            return named(value)
        case Actor():
            return str(value)
        case Mapping():
            return {clear(str(key)): disclosed(item, name=str(key)) for key, item in value.items()}
        case list() | tuple():
            return [disclosed(item) for item in value]
        case set() | frozenset():
            return sorted(disclosed(item) for item in value)
    simple = plain(value)
    return logs.hide(simple) if isinstance(simple, str) else simple


def clear(text: str) -> str:
    """``text`` that people wrote, without card numbers, secrets and what a database cannot store."""
    return logs.hide(str(plain(text)))
