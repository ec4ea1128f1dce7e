"""Text that must not be seen."""

import hmac
from typing import Final, NoReturn, Self

HIDDEN: Final = "Secret(…)"


class Secret:
    """Text that shows itself only to ``reveal()``: not in ``repr``, ``str``, formats, JSON or pickles.

    It is no ``str``, so whatever does not know it fails or prints the placeholder instead of the content.
    """

    __slots__ = ("_content",)

    def __init__(self, content: str) -> None:
        if type(content) is not str:
            raise TypeError("A Secret is made of text.")
        # Python would quote the whole text in the error that it raises when such text is encoded later.
        if not content.isascii() and any("\ud800" <= character <= "\udfff" for character in content):
            raise ValueError("A Secret is made of text that UTF-8 can hold.")
        self._content = content

    def reveal(self) -> str:
        """The content. The one word to look for when asking where secrets are handled."""
        return self._content

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __bool__(self) -> bool:
        return bool(self._content)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._content.encode(), other._content.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._content))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A Secret is never written down.")
