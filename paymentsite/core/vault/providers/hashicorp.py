"""Keys in HashiCorp Vault: the document in its key-value store (v2), each key wrapped by its transit engine.

``VAULT_ADDR`` and ``VAULT_TOKEN`` (or ``VAULT_TOKEN_FILE``, which its agent keeps fresh) say where and as
whom; ``VAULT_MOUNT_KV``, ``VAULT_MOUNT_TRANSIT``, ``VAULT_KEYS_PATH``, ``VAULT_TRANSIT_KEY`` what is called
otherwise.
"""

import base64
import json
from collections.abc import Callable, Hashable
from typing import Any, Final

from paymentsite.core.vault.errors import UnusableKeysError
from paymentsite.core.vault.keyring import Key, Purpose
from paymentsite.env import env, secret

try:
    import hvac
    from hvac.exceptions import InvalidPath, InvalidRequest, VaultError
    from requests.exceptions import RequestException
except ImportError:
    raise UnusableKeysError(
        "VAULT_PROVIDER=hashicorp needs the package hvac: pip install -r requirements-vault.txt."
    ) from None

TIMEOUT_SECONDS: Final = 5


class HashiCorp:
    """The associated data is each key's purpose and id: wrapped keys cannot be swapped."""

    def load(self) -> str:
        path = env.str("VAULT_KEYS_PATH", default="paymentsite/keys")
        mount = env.str("VAULT_MOUNT_KV", default="secret")
        try:
            answer = _asked(
                lambda client: client.secrets.kv.v2.read_secret_version(
                    path=path, mount_point=mount, raise_on_deleted_version=True
                )
            )
        except InvalidPath:
            return ""
        return json.dumps(answer["data"]["data"])

    def stamp(self) -> Hashable:
        return None

    def wrap(self, key: Key, purpose: Purpose) -> str:
        answer = _asked(
            lambda client: client.secrets.transit.encrypt_data(
                plaintext=base64.b64encode(key.material).decode(), **_named(purpose, key.id)
            )
        )
        return str(answer["data"]["ciphertext"])

    def unwrap(self, text: str, purpose: Purpose, key_id: str) -> bytes:
        try:
            answer = _asked(
                lambda client: client.secrets.transit.decrypt_data(ciphertext=text, **_named(purpose, key_id))
            )
        except InvalidRequest:
            raise ValueError("not wrapped by this transit key") from None
        return base64.b64decode(answer["data"]["plaintext"])


def _named(purpose: Purpose, key_id: str) -> dict[str, str]:
    return {
        "name": env.str("VAULT_TRANSIT_KEY", default="paymentsite"),
        "mount_point": env.str("VAULT_MOUNT_TRANSIT", default="transit"),
        "associated_data": base64.b64encode(f"{purpose}/{key_id}".encode()).decode(),
    }


def _asked(question: Callable[[Any], Any]) -> Any:
    """The answer to one question, by a client of its own: the token's file may have been renewed."""
    client = hvac.Client(
        url=env.str("VAULT_ADDR", default="https://127.0.0.1:8200"),
        token=secret("VAULT_TOKEN"),
        timeout=TIMEOUT_SECONDS,
    )
    try:
        return question(client)
    except (InvalidPath, InvalidRequest):
        raise
    except VaultError as error:
        # Only the kind: what Vault says may quote what it was sent.
        raise UnusableKeysError(f"HashiCorp Vault refused: {type(error).__name__}.") from None
    except RequestException:
        raise UnusableKeysError("HashiCorp Vault at VAULT_ADDR does not answer.") from None
    finally:
        client.adapter.close()
