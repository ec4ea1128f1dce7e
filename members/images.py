"""What kind of file some bytes are, by how they begin; names and headers that come with them prove nothing."""

from typing import Final

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
PDF: Final = "application/pdf"
SIZE_MAX: Final = 5 * 1024 * 1024

_BEGINNINGS: Final = {b"\xff\xd8\xff": JPEG, b"\x89PNG\r\n\x1a\n": PNG, b"%PDF-": PDF}


def kind(content: bytes) -> str | None:
    """The media type of a JPEG, PNG or PDF; None for anything else."""
    return next((found for begins, found in _BEGINNINGS.items() if content.startswith(begins)), None)
