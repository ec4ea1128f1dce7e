"""The vault: what must not be read, is not; what must be recognised, is; what we vouch for, can be checked.

The public surface: flows write ``from paymentsite.core import vault`` and need nothing below it, but for
the columns in ``paymentsite.core.vault.fields``.
"""

from paymentsite.core.vault.envelope import Envelope, decrypt, encrypt
from paymentsite.core.vault.errors import KeysUnavailable, Undecipherable
from paymentsite.core.vault.keyring import Purpose
from paymentsite.core.vault.loading import problems, reload, unlock
from paymentsite.core.vault.lookup import digest, digests
from paymentsite.core.vault.pins import PinCheck, hash_pin, verify_pin
from paymentsite.core.vault.secret import Secret
from paymentsite.core.vault.signatures import Signed, public_keys, sign, verify

__all__ = [
    "Envelope",
    "KeysUnavailable",
    "PinCheck",
    "Purpose",
    "Secret",
    "Signed",
    "Undecipherable",
    "decrypt",
    "digest",
    "digests",
    "encrypt",
    "hash_pin",
    "problems",
    "public_keys",
    "reload",
    "sign",
    "unlock",
    "verify",
    "verify_pin",
]
