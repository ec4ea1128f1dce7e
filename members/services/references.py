"""References: the names that callers give to what they ask for, so that it can be asked again."""

from typing import Final

from django.utils.translation import gettext_noop

from paymentsite.core.disclosure import clear
from paymentsite.core.errors import Invalid

REFERENCE_MAX: Final = 100


class InvalidReference(Invalid):
    code = "invalid_reference"
    sentence = gettext_noop("A reference has 1 to {most} printable characters, without card numbers and secrets.")


def check_reference(reference: str) -> None:
    """Raise unless ``reference`` can name an act, and be kept and shown in clear as it is."""
    if not (1 <= len(reference) <= REFERENCE_MAX and reference.isprintable() and clear(reference) == reference):
        raise InvalidReference(most=REFERENCE_MAX)
