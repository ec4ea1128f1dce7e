"""Labels that Django makes of names, where a column, a model or an app has no words of its own.

They are sentences like all others: collected, and put into the reader's language when they are read. Of that migrations
know nothing, for nothing of it is stored.
"""

from collections.abc import Iterator
from typing import Any, Final

from django.apps import apps
from django.utils import translation
from django.utils.translation import gettext_lazy, gettext_noop

OURS: Final = ("paymentsite", "members", "wallets", "cards", "settlement")

# Words of pages that other packages make, and leave in English.
THEIRS: Final = (gettext_noop("Previous"), gettext_noop("Next"))


def translate_when_read() -> None:
    """From now on every such label is told in the language of whoever reads it."""
    for owner, name in _made():
        setattr(owner, name, gettext_lazy(getattr(owner, name)))


def sentences() -> set[str]:
    """Every such label, in the language of the code."""
    with translation.override("en"):
        return {str(getattr(owner, name)) for owner, name in _made()}


def _made() -> Iterator[tuple[Any, str]]:
    for config in apps.get_app_configs():
        if config.name.partition(".")[0] not in OURS:
            continue
        if "verbose_name" not in vars(type(config)):
            yield config, "verbose_name"
        for model in config.get_models():
            for name in ("verbose_name", "verbose_name_plural"):
                if name not in model._meta.original_attrs:
                    yield model._meta, name
            for column in model._meta.local_fields:
                if "verbose_name" not in column.deconstruct()[3]:
                    yield column, "verbose_name"
