"""The vault: what must not be read, is not; what must be recognised, is; what we vouch for, can be checked.

The public surface: flows write ``from paymentsite.core import vault`` and need nothing below it.
"""

from paymentsite.core.vault.errors import KeysUnavailable, Undecipherable
from paymentsite.core.vault.loading import problems, reload
from paymentsite.core.vault.secret import Secret
from paymentsite.core.vault.signatures import Signed, public_keys, sign, verify

__all__ = [
    "KeysUnavailable",
    "Secret",
    "Signed",
    "Undecipherable",
    "problems",
    "public_keys",
    "reload",
    "sign",
    "verify",
]
