"""Keys, by what they are for: one current, which makes what is new, and any number of others, still read."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_BYTES: Final = 32


class Purpose(StrEnum):
    """What a key is for. No key serves two purposes."""

    DATA = "data"
    DIGEST = "digest"
    PEPPER = "pepper"
    SIGNING = "signing"


@dataclass(frozen=True, slots=True)
class Key:
    """A key and the name it goes by in what it made."""

    id: str
    material: bytes = field(repr=False)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A key is never written down.")


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of one purpose."""

    purpose: Purpose
    current: Key
    others: Mapping[str, Key] = field(default_factory=dict)

    def get(self, key_id: str) -> Key | None:
        """The key of that name, or ``None``."""
        return self.current if key_id == self.current.id else self.others.get(key_id)

    def __iter__(self) -> Iterator[Key]:
        """All keys, the current one first."""
        yield self.current
        yield from self.others.values()


@dataclass(frozen=True, slots=True)
class Keys:
    """Everything the vault works with. ``retired`` are signing keys of which only the public half is left."""

    rings: Mapping[Purpose, Keyring]
    retired: Mapping[str, bytes] = field(default_factory=dict)

    def ring(self, purpose: Purpose) -> Keyring:
        return self.rings[purpose]

    def public(self) -> dict[str, bytes]:
        """The public half of every signing key there was, raw, by key id."""
        ring = self.rings[Purpose.SIGNING]
        return {**self.retired, **{key.id: public_half(key) for key in ring}}


def public_half(key: Key) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(key.material).public_key().public_bytes_raw()


def fresh(purpose: Purpose, *, key_id: str = "") -> Key:
    """A new random key. Its id is random too: a count would need someone to remember the last number."""
    return Key(key_id or f"{purpose}-{secrets.token_hex(4)}", secrets.token_bytes(KEY_BYTES))


def development() -> Keys:
    """Keys that everybody knows, for trying things out; ``problems()`` names them, so production refuses."""
    return Keys({purpose: Keyring(purpose, Key(f"dev-{purpose}", _known(purpose))) for purpose in Purpose})


def is_development(key: Key) -> bool:
    return key.material in {_known(purpose) for purpose in Purpose}


def _known(purpose: Purpose) -> bytes:
    return hashlib.sha256(f"paymentsite development key for {purpose}, known to all".encode()).digest()
