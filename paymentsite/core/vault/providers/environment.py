"""Keys from ``VAULT_KEYS``, or from the file that ``VAULT_KEYS_FILE`` names."""

from collections.abc import Hashable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from paymentsite.core.vault import document
from paymentsite.core.vault.errors import UnusableKeysError
from paymentsite.core.vault.keyring import Key, Purpose
from paymentsite.env import env, secret


class Environment:
    """Plain keys: who may read the variable or the file has them. The file is read again when it changes."""

    def load(self) -> str:
        try:
            text = secret("VAULT_KEYS")
        except ImproperlyConfigured as error:
            raise UnusableKeysError(f"{error}.") from None
        except UnicodeDecodeError:
            raise UnusableKeysError("VAULT_KEYS_FILE names a file that is not text.") from None
        if not text and self._path():
            raise UnusableKeysError("VAULT_KEYS_FILE names an empty file.")
        return text

    def stamp(self) -> Hashable:
        path = self._path()
        if not path:
            return None
        try:
            found = Path(path).stat()
        except OSError:
            return path
        return path, found.st_mtime_ns, found.st_ino, found.st_size

    def wrap(self, key: Key, purpose: Purpose) -> str:  # noqa: ARG002 - nothing wraps it, so nothing binds it
        return document.plain(key.material)

    def unwrap(self, text: str, purpose: Purpose, key_id: str) -> bytes:  # noqa: ARG002 - as above
        return document.from_plain(text)

    @staticmethod
    def _path() -> str:
        return str(env.str("VAULT_KEYS_FILE", default=""))
