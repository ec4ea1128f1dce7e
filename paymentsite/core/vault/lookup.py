"""Keyed digests: recognise a content without being able to read it.

``digest-1.<base64url>``: HMAC-SHA-256 under the key of that id, over the label and the content. Without the
key not even a card number, most of whose digits can be guessed, can be searched for.
"""

import base64
import hmac

from paymentsite.core.vault import loading
from paymentsite.core.vault.envelope import place
from paymentsite.core.vault.keyring import KEY_BYTES, Key, Purpose
from paymentsite.core.vault.secret import Secret

# A key id, a dot, 32 bytes in base64url without padding.
DIGEST_LENGTH_MAX = 32 + 1 + (KEY_BYTES * 4 + 2) // 3


def digest(content: Secret, *, label: str) -> str:
    """The digest to store: under the current key. Digests of different labels have nothing in common."""
    return _digest(content, label, loading.keys().ring(Purpose.DIGEST).current)


def digests(content: Secret, *, label: str) -> tuple[str, ...]:
    """The digests to look for: under every key, the current one first, so that rotation hides no row."""
    return tuple(_digest(content, label, key) for key in loading.keys().ring(Purpose.DIGEST))


def _digest(content: Secret, label: str, key: Key) -> str:
    made = hmac.digest(key.material, place(label, (content.reveal(),)), "sha256")
    return f"{key.id}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"
