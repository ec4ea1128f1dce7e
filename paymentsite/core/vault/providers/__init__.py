"""Where the keys come from."""

from collections.abc import Hashable
from typing import Protocol

from paymentsite.core.vault.keyring import Key, Purpose


class Provider(Protocol):
    """A place that keeps the key document and, if it has a master key, wraps the keys in it.

    Keys are unwrapped once, when they are loaded: no row is ever encrypted or read through the network.
    A failure is ``UnusableKeysError`` with a sentence; ``unwrap`` has ``ValueError`` for what is not its own.
    """

    def load(self) -> str:
        """The key document; empty when there is none."""

    def stamp(self) -> Hashable:
        """Something cheap that differs once the document has changed; constant where asking is not cheap."""

    def wrap(self, key: Key, purpose: Purpose) -> str:
        """The key as it may stand in a document."""

    def unwrap(self, text: str, purpose: Purpose, key_id: str) -> bytes:
        """What ``wrap`` was given, for the same purpose and key id only."""
