"""The key document: how a set of keys is written down. Strict in reading; docs/security/keys.md describes it.

    {"version": 1,
     "data":    {"current": "data-1", "keys": {"data-1": "<base64 of 32 bytes>"}},
     "digest":  {"current": "…", "keys": {…}},
     "pepper":  {"current": "…", "keys": {…}},
     "signing": {"current": "…", "keys": {…}, "public": {"<retired id>": "<base64 of 32 bytes>"}}}

Under a provider that holds a master key, each value in ``keys`` is that key wrapped, as it writes it.
"""

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from paymentsite.core.vault.errors import UnusableKeysError
from paymentsite.core.vault.keyring import KEY_BYTES, Key, Keyring, Keys, Purpose

VERSION: Final = 1
KEY_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
# 32 random bytes hardly ever have fewer than 16 different values; a typed or repeated key nearly always does.
DISTINCT_BYTES_MIN: Final = 16

Unwrap = Callable[[str, Purpose, str], bytes]
Wrap = Callable[[Key, Purpose], str]


def read(text: str, unwrap: Unwrap) -> Keys:
    """The keys written in ``text``; raises ``UnusableKeysError`` with every reason found."""
    content = _parsed(text)
    problems: list[str] = []
    rings = {purpose: _ring(content.get(purpose), purpose, unwrap, problems) for purpose in Purpose}
    signing = content.get(Purpose.SIGNING)
    retired = _retired(signing.get("public", {}) if isinstance(signing, dict) else {}, problems)
    found = {purpose: ring for purpose, ring in rings.items() if ring}
    problems += _clashes(found, retired)
    if problems:
        raise UnusableKeysError(*problems)
    return Keys(found, retired)


def write(keys: Keys, wrap: Wrap) -> str:
    """``keys`` as a document that ``read`` takes back."""
    content: dict[str, Any] = {"version": VERSION}
    for purpose, ring in keys.rings.items():
        content[purpose] = {"current": ring.current.id, "keys": {key.id: wrap(key, purpose) for key in ring}}
    if keys.retired:
        content[Purpose.SIGNING]["public"] = {name: plain(raw) for name, raw in keys.retired.items()}
    return json.dumps(content, indent=2) + "\n"


def plain(material: bytes) -> str:
    """A key as it stands in a document that nobody wraps."""
    return base64.b64encode(material).decode()


def from_plain(text: str) -> bytes:
    """What ``plain`` wrote; ``ValueError`` for anything else, other spellings of the same bytes included."""
    try:
        material = base64.b64decode(text, validate=True)
    except binascii.Error:
        material = b""
    if not material or plain(material) != text:
        raise ValueError("not base64")
    return material


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        raise UnusableKeysError("The key document is not JSON, or names something twice.") from None
    if not isinstance(content, dict) or content.get("version") != VERSION or content["version"] is True:
        raise UnusableKeysError(f"The key document is not of version {VERSION}.")
    if set(content) - {"version", *Purpose}:
        raise UnusableKeysError("The key document has fields that are not known.")
    return content


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("repeated name")
    return dict(pairs)


def _ring(found: Any, purpose: Purpose, unwrap: Unwrap, problems: list[str]) -> Keyring | None:
    if found is None:
        problems.append(f"There is no {purpose} key.")
        return None
    allowed = {"current", "keys", "public"} if purpose is Purpose.SIGNING else {"current", "keys"}
    written = found.get("keys") if isinstance(found, dict) and set(found) <= allowed else None
    if not isinstance(written, dict) or not isinstance(current := found.get("current"), str) or current not in written:
        problems.append(f"The {purpose} keys need a current one that is among their keys, and nothing else.")
        return None
    keys = {name: _key(name, text, purpose, unwrap, problems) for name, text in written.items()}
    usable = {name: key for name, key in keys.items() if key}
    if current not in usable:
        return None
    return Keyring(purpose, usable.pop(current), usable)


def _key(name: str, text: object, purpose: Purpose, unwrap: Unwrap, problems: list[str]) -> Key | None:
    if not KEY_ID.fullmatch(name):
        problems.append(f"A {purpose} key has an id that is not up to 32 of a-z, 0-9 and hyphens.")
        return None
    try:
        material = unwrap(text, purpose, name) if isinstance(text, str) else b""
    except ValueError:
        problems.append(f"The {purpose} key {name} cannot be unwrapped.")
        return None
    if len(material) != KEY_BYTES:
        problems.append(f"The {purpose} key {name} is not {KEY_BYTES} bytes long.")
        return None
    if len(set(material)) < DISTINCT_BYTES_MIN:
        problems.append(f"The {purpose} key {name} is not random.")
        return None
    return Key(name, material)


def _retired(found: Any, problems: list[str]) -> dict[str, bytes]:
    try:
        retired = {name: from_plain(text) for name, text in found.items()}
    except (AttributeError, TypeError, ValueError):
        retired = {"": b""}
    if not all(KEY_ID.fullmatch(name) and len(raw) == KEY_BYTES for name, raw in retired.items()):
        problems.append(f"The retired signing keys are not ids with the base64 of {KEY_BYTES} bytes.")
        return {}
    return retired


def _clashes(rings: dict[Purpose, Keyring], retired: dict[str, bytes]) -> list[str]:
    keys = [key for ring in rings.values() for key in ring]
    names = Counter([*(key.id for key in keys), *retired])
    problems = [f"The key id {name} is used twice." for name, times in names.items() if times > 1]
    owners: dict[bytes, str] = {}
    for key in keys:
        first = owners.setdefault(key.material, key.id)
        if first != key.id:
            problems.append(f"The keys {first} and {key.id} are the same key.")
    return problems
