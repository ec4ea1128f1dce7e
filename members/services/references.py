"""References: the names that callers give to what they ask for, so that it can be asked again."""

from typing import Final

from django.utils.translation import gettext_noop

from paymentsite.core.errors import Invalid

REFERENCE_MAX: Final = 100


class InvalidReference(Invalid):
    code = "invalid_reference"
    sentence = gettext_noop("A reference has 1 to {most} printable characters.")


def check_reference(reference: str) -> None:
    """Raise unless ``reference`` can name an act."""
    if not (1 <= len(reference) <= REFERENCE_MAX and reference.isprintable()):
        raise InvalidReference(most=REFERENCE_MAX)
