"""The keys in force, loaded on first use and kept in memory."""

import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from paymentsite.core.vault import document, keyring
from paymentsite.core.vault.errors import KeysUnavailable, UnusableKeysError
from paymentsite.core.vault.keyring import Key, Keys, Purpose
from paymentsite.core.vault.providers import Provider

# How long a changed key file may go unnoticed; a stat of it costs two microseconds, so not on each use.
LOOK_AGAIN_SECONDS: Final = 1.0

PROVIDERS: Final = {
    "environment": "paymentsite.core.vault.providers.environment.Environment",
    "hashicorp": "paymentsite.core.vault.providers.hashicorp.HashiCorp",
    "aws_kms": "paymentsite.core.vault.providers.aws_kms.AwsKms",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Loaded:
    keys: Keys
    provider: Provider
    stamp: Hashable


@dataclass(slots=True)
class _State:
    loaded: _Loaded | None = None
    looked_at: float = 0.0


_state = _State()
_lock = threading.Lock()


def keys() -> Keys:
    """The keys in force; raises ``KeysUnavailable``. A changed key file is noticed within a second."""
    loaded = _state.loaded
    if loaded is None:
        return _first().keys
    if time.monotonic() - _state.looked_at > LOOK_AGAIN_SECONDS:
        return _look_again(loaded).keys
    return loaded.keys


def key(purpose: Purpose, key_id: str) -> Key | None:
    """The key of that name. One not known may be newer than the keys in force: it looks at the file again."""
    found = keys().ring(purpose).get(key_id)
    if found is None and (loaded := _state.loaded):
        found = _look_again(loaded).keys.ring(purpose).get(key_id)
    return found


def unlock() -> None:
    """Load the keys now, at a process's start, so that no flow waits for a provider; ``KeysUnavailable``."""
    keys()


def reload() -> None:
    """Forget the keys; the next use loads them."""
    _state.loaded = None


def problems() -> list[str]:
    """What is wrong with the keys as configured now, a sentence each; when empty, production may start.

    Reads them anew and leaves the keys in force alone.
    """
    try:
        found = load(provider())
    except UnusableKeysError as refused:
        return refused.problems
    return [
        f"The {purpose} key {key.id} is a development key, known to everybody."
        for purpose, ring in found.rings.items()
        for key in ring
        if keyring.is_development(key)
    ]


def provider() -> Provider:
    """The configured provider; raises ``UnusableKeysError``."""
    name = settings.VAULT_PROVIDER
    if name not in PROVIDERS:
        raise UnusableKeysError(f"VAULT_PROVIDER is none of {', '.join(PROVIDERS)}.")
    made: Provider = import_string(PROVIDERS[name])()
    return made


def load(source: Provider) -> Keys:
    """The keys that ``source`` has; outside production, the development keys when it has none."""
    text = source.load()
    if text:
        return document.read(text, source.unwrap)
    if settings.PRODUCTION:
        raise UnusableKeysError("There are no keys: set VAULT_KEYS_FILE or VAULT_KEYS, see `manage.py new_keys`.")
    return keyring.development()


def _first() -> _Loaded:
    with _lock:
        if _state.loaded is None:
            try:
                source = provider()
                # The stamp comes first: a file that changes while it is read is then read again.
                stamp = source.stamp()
                _state.loaded = _Loaded(load(source), source, stamp)
            except UnusableKeysError as refused:
                log.error("vault_keys_refused", problems=refused.problems)  # noqa: TRY400 - a traceback adds nothing
                raise KeysUnavailable from None
            _state.looked_at = time.monotonic()
        return _state.loaded


def _look_again(loaded: _Loaded) -> _Loaded:
    """Load what changed; unusable keys leave those in force, so that a slip in editing stops nothing."""
    with _lock:
        _state.looked_at = time.monotonic()
        stamp = loaded.provider.stamp()
        if stamp == loaded.stamp:
            return loaded
        try:
            loaded = _Loaded(load(loaded.provider), loaded.provider, stamp)
        except UnusableKeysError as refused:
            log.error("vault_keys_refused", problems=refused.problems)  # noqa: TRY400 - as above
            loaded = _Loaded(loaded.keys, loaded.provider, stamp)
        _state.loaded = loaded
        return loaded
