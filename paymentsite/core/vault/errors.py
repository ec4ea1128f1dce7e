"""What the vault refuses. No sentence says which part of an input was wrong: that would help to forge one."""

from django.utils.translation import gettext_noop

from paymentsite.core.errors import Refused, Unavailable


class Undecipherable(Refused):
    """It was not encrypted by this vault for this place, or it was altered since."""

    code = "vault_undecipherable"
    sentence = gettext_noop("The vault cannot read this.")


class KeysUnavailable(Unavailable):
    """There are no usable keys; ``paymentsite.core.vault.problems()`` says why."""

    code = "vault_keys_unavailable"
    sentence = gettext_noop("The vault has no usable keys.")


class UnusableKeysError(Exception):
    """The keys as given cannot be used; ``problems`` has a sentence for each reason, never a key."""

    def __init__(self, *problems: str) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(problems))
