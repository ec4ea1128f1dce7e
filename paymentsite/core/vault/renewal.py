"""Sets of keys, made and changed; nothing here touches those in force."""

from dataclasses import replace

from paymentsite.core.vault import keyring
from paymentsite.core.vault.errors import UnusableKeysError
from paymentsite.core.vault.keyring import Key, Keyring, Keys, Purpose


def fresh() -> Keys:
    """A set of new keys, one of each purpose."""
    return Keys({purpose: Keyring(purpose, keyring.fresh(purpose)) for purpose in Purpose})


def added(keys: Keys, purpose: Purpose, *, standby: bool) -> Keys:
    """``keys`` with a new key: current, or only known, so that all can read it before anyone writes it."""
    key, ring = keyring.fresh(purpose), keys.ring(purpose)
    if standby:
        return _with(keys, Keyring(purpose, ring.current, {**ring.others, key.id: key}))
    return _with(keys, Keyring(purpose, key, {**ring.others, ring.current.id: ring.current}))


def promoted(keys: Keys, key_id: str) -> Keys:
    """``keys`` with that key current; again, nothing changes."""
    ring, key = found(keys, key_id)
    others = {name: other for name, other in ring.others.items() if other is not key}
    return (
        keys
        if key is ring.current
        else _with(keys, Keyring(ring.purpose, key, {**others, ring.current.id: ring.current}))
    )


def removed(keys: Keys, key_id: str) -> Keys:
    """``keys`` without that key; of a signing key the public half stays, for what it signed stays signed."""
    ring, key = found(keys, key_id)
    if key is ring.current:
        raise UnusableKeysError(f"{key_id} is the current {ring.purpose} key: promote another one first.")
    left = _with(keys, Keyring(ring.purpose, ring.current, {k: v for k, v in ring.others.items() if k != key_id}))
    if ring.purpose is not Purpose.SIGNING:
        return left
    return replace(left, retired={**keys.retired, key_id: keyring.public_half(key)})


def found(keys: Keys, key_id: str) -> tuple[Keyring, Key]:
    """The key of that id and the ring that it is on."""
    for ring in keys.rings.values():
        if key := ring.get(key_id):
            return ring, key
    raise UnusableKeysError(f"There is no key {key_id}.")


def _with(keys: Keys, ring: Keyring) -> Keys:
    return replace(keys, rings={**keys.rings, ring.purpose: ring})
