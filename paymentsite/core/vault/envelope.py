"""What is encrypted, as bytes: which key, for which place, and the content, all of it authenticated.

    "PV" | version 1 | n | key id (n bytes) | salt (16) | nonce (12) | commitment (32) | ciphertext | tag (16)

The AES key of each envelope and its commitment are derived from the named key, all that stands before
the commitment, and the place that the content belongs to. So no two envelopes share an AES key, and an
envelope opens under one key, for one place, to one content: AES-GCM alone does not promise that.
"""

import hmac
import os
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from paymentsite.core.vault import loading
from paymentsite.core.vault.errors import Undecipherable
from paymentsite.core.vault.keyring import Key, Purpose
from paymentsite.core.vault.secret import Secret

MAGIC: Final = b"PV\x01"
KEY_ID_MAX: Final = 32
SALT: Final = 16
NONCE: Final = 12
COMMITMENT: Final = 32
TAG: Final = 16
LABEL: Final = b"paymentsite vault envelope 1"

Bindable = str | int | UUID
Keyholder = Callable[[str], Key | None]


class Envelope:
    """Encrypted content as it is stored. Anyone may hold one; it shows the id of its key and nothing else."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @property
    def key_id(self) -> str:
        """The key that it says it is under; raises ``Undecipherable``. Only decryption proves it."""
        return _parsed(self.raw).key_id

    def __repr__(self) -> str:
        return "Envelope(…)"

    def __eq__(self, other: object) -> bool:
        return self.raw == other.raw if isinstance(other, Envelope) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.raw)


def place(label: str, parts: tuple[Bindable, ...]) -> bytes:
    """The bytes that stand for a place: equal only for equal labels and parts of equal types."""
    named = [b"s" + label.encode()]
    for part in parts:
        match part:
            case str():
                named.append(b"s" + part.encode())
            case UUID():
                named.append(b"u" + part.bytes)
            case int() if not isinstance(part, bool):
                named.append(b"i" + str(part).encode())
            case _:
                raise TypeError("Content is bound to text, whole numbers and UUIDs only.")
    return b"".join(len(each).to_bytes(4) + each for each in named)


def encrypt(
    content: Secret, *, label: str, bound_to: tuple[Bindable, ...], purpose: Purpose = Purpose.DATA
) -> Envelope:
    """``content`` under the current key, to be read for the same ``label`` and ``bound_to`` only."""
    key = loading.keys().ring(purpose).current
    return Envelope(shut(content.reveal().encode(), key=key, where=place(label, bound_to)))


def decrypt(
    envelope: Envelope, *, label: str, bound_to: tuple[Bindable, ...], purpose: Purpose = Purpose.DATA
) -> Secret:
    """What was encrypted for this place; ``Undecipherable`` for anything else, whatever is wrong with it."""
    holder = partial(loading.key, purpose)
    return Secret(opened(envelope.raw, holder=holder, where=place(label, bound_to)).decode())


def header(key_id: str) -> bytes:
    """How every envelope under that key begins, and no other."""
    return MAGIC + bytes([len(key_id)]) + key_id.encode()


def shut(content: bytes, *, key: Key, where: bytes) -> bytes:
    """``content`` as an envelope's bytes."""
    head = header(key.id) + os.urandom(SALT + NONCE)
    aes_key, commitment = _derived(key, head, where)
    return head + commitment + AESGCM(aes_key).encrypt(head[-NONCE:], content, head + commitment + where)


def opened(raw: bytes, *, holder: Keyholder, where: bytes) -> bytes:
    """The content of an envelope's bytes; raises ``Undecipherable``, always the same."""
    parts = _parsed(raw)
    key = holder(parts.key_id)
    if key is None:
        raise Undecipherable
    aes_key, commitment = _derived(key, parts.head, where)
    if not hmac.compare_digest(commitment, parts.commitment):
        raise Undecipherable
    try:
        return AESGCM(aes_key).decrypt(parts.head[-NONCE:], parts.body, parts.head + commitment + where)
    except InvalidTag:
        pass
    raise Undecipherable


class _Parts(NamedTuple):
    key_id: str
    head: bytes
    commitment: bytes
    body: bytes


def _parsed(raw: bytes) -> _Parts:
    if raw[:3] != MAGIC or len(raw) < len(MAGIC) + 1 or not 1 <= raw[3] <= KEY_ID_MAX:
        raise Undecipherable
    named = 4 + raw[3]
    committed = named + SALT + NONCE
    begun = committed + COMMITMENT
    if len(raw) < begun + TAG or not raw[4:named].isascii():
        raise Undecipherable
    return _Parts(raw[4:named].decode(), raw[:committed], raw[committed:begun], raw[begun:])


def _derived(key: Key, head: bytes, where: bytes) -> tuple[bytes, bytes]:
    """The AES key and the commitment for one envelope: ``head`` says its own length, so nothing shifts."""
    both = hmac.digest(key.material, LABEL + head + where, "sha512")
    return both[:32], both[32:]
