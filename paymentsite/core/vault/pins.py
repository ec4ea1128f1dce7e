"""PINs and payment passwords: so short that whoever has what is stored could try them all.

argon2id makes a guess slow; encrypting its result under a key outside the database (the pepper) makes it
impossible without that key. It is encrypted, not mixed in, so that the pepper rotates without the member.
"""

from dataclasses import dataclass

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from django.conf import settings

from paymentsite.core.vault import envelope, loading
from paymentsite.core.vault.envelope import Bindable, Envelope
from paymentsite.core.vault.errors import Undecipherable
from paymentsite.core.vault.keyring import Purpose
from paymentsite.core.vault.secret import Secret


@dataclass(frozen=True, slots=True)
class PinCheck:
    """True when the PIN was right; ``outdated`` asks to store it anew, under the pepper and cost of today."""

    matches: bool
    outdated: bool

    def __bool__(self) -> bool:
        return self.matches


def hash_pin(pin: Secret, *, label: str, bound_to: tuple[Bindable, ...]) -> Envelope:
    """What may be stored of ``pin``, good for the same ``label`` and ``bound_to`` only."""
    hashed = Secret(_hasher().hash(pin.reveal()))
    return envelope.encrypt(hashed, label=label, bound_to=bound_to, purpose=Purpose.PEPPER)


def verify_pin(pin: Secret, stored: Envelope, *, label: str, bound_to: tuple[Bindable, ...]) -> PinCheck:
    """Whether ``pin`` is the one that was stored; ``Undecipherable`` when what is stored was altered."""
    hashed = envelope.decrypt(stored, label=label, bound_to=bound_to, purpose=Purpose.PEPPER).reveal()
    matches = _matches(hashed, pin)
    pepper = loading.keys().ring(Purpose.PEPPER).current.id
    outdated = matches and (stored.key_id != pepper or _hasher().check_needs_rehash(hashed))
    return PinCheck(matches, outdated)


def _matches(hashed: str, pin: Secret) -> bool:
    try:
        return _hasher().verify(hashed, pin.reveal())
    except VerifyMismatchError:
        return False
    except (InvalidHashError, VerificationError):
        pass
    raise Undecipherable


def _hasher() -> PasswordHasher:
    return PasswordHasher(
        time_cost=settings.VAULT_PIN_PASSES,
        memory_cost=settings.VAULT_PIN_MEMORY_KIB,
        parallelism=1,
        type=Type.ID,
    )
