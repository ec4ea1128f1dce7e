"""Who acts: a member of staff, a member, a partner, or the system itself."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone who can be named in a journal, an audit row, an approval: ``str(actor)`` is what is stored."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


SYSTEM: Final = Actor("system", "paymentsite")
