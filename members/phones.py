"""Phone numbers as they are stored and looked for: E.164, whatever spaces and hyphens people put into them."""

import re
from typing import Final

from paymentsite.core.vault import Secret

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_SPACING: Final = re.compile(r"[ ()-]")


def normal(number: Secret) -> Secret | None:
    """``number`` in the one form that it is compared in; None when it cannot be a phone number."""
    digits = _SPACING.sub("", number.reveal())
    return Secret(digits) if _E164.fullmatch(digits) else None
