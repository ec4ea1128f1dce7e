"""What tests of columns and rotation share: the test app's table, and a key file that can be changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from paymentsite.core import vault
from paymentsite.core.vault import Purpose, loading
from tests.core.vault import app
from tests.core.vault.app.apps import VaultTestsConfig
from tests.core.vault.app.models import Card


@pytest.fixture(scope="session")
def _card_table(django_db_setup, django_db_blocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        if Card._meta.db_table not in connection.introspection.table_names():
            with connection.schema_editor() as editor:
                editor.create_model(Card)
    yield
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        editor.delete_model(Card)


@pytest.fixture
def cards(_card_table, db) -> Iterator[type[Card]]:
    """The test app installed, its table empty; with ``transactional_db``, asked for before, it commits."""
    config = VaultTestsConfig("tests.core.vault.app", app)
    config.apps = apps
    config.import_models()
    apps.app_configs[config.label] = config
    apps.clear_cache()
    yield Card
    if not connection.in_atomic_block:
        Card.objects.all().delete()
    del apps.app_configs[config.label]
    apps.clear_cache()


class KeyFile:
    """The keys in force, in a file of the test's own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def current(self, purpose: Purpose = Purpose.DATA) -> str:
        return loading.keys().ring(purpose).current.id

    def change(self, **act: object) -> None:
        call_command("new_keys", file=self.path, verbosity=0, stdout=_Nowhere(), **act)
        vault.reload()

    def renew(self) -> dict[Purpose, str]:
        """A new current key for everything that is stored; the ids of the old ones."""
        old = {purpose: self.current(purpose) for purpose in Purpose if purpose is not Purpose.SIGNING}
        for purpose in old:
            self.change(add=purpose)
        return old


class _Nowhere:
    def write(self, _: str) -> None:
        pass


@pytest.fixture
def keyfile(tmp_path, monkeypatch) -> Iterator[KeyFile]:
    monkeypatch.delenv("VAULT_KEYS", raising=False)
    monkeypatch.delenv("VAULT_KEYS_FILE", raising=False)
    made = KeyFile(tmp_path / "keys.json")
    made.change()
    monkeypatch.setenv("VAULT_KEYS_FILE", str(made.path))
    vault.reload()
    yield made
    vault.reload()
