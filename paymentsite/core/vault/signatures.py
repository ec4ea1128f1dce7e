"""Ed25519 signatures: what this system vouches for, checkable by anyone who has the public keys."""

from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from paymentsite.core.vault import loading
from paymentsite.core.vault.keyring import Purpose


class Signed(NamedTuple):
    """A signature and the id of the key that made it."""

    key_id: str
    signature: bytes


def sign(message: bytes) -> Signed:
    """``message`` signed as it is, with the current signing key.

    The message must begin with words that say what it is, so that one kind cannot pass for another.
    """
    key = loading.keys().ring(Purpose.SIGNING).current
    return Signed(key.id, Ed25519PrivateKey.from_private_bytes(key.material).sign(message))


def verify(message: bytes, key_id: str, signature: bytes) -> bool:
    """Whether the key of that name signed exactly ``message``; a key that is not known signed nothing."""
    public = public_keys().get(key_id)
    if public is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def public_keys() -> dict[str, bytes]:
    """The public half (32 raw bytes) of every signing key there was, by key id, retired ones included."""
    return loading.keys().public()
