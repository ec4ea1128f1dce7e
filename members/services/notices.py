"""Telling members what they should know.

A kind of notice is declared once, beside the service that tells it:

    CAME = notices.kind("money_came", gettext_noop("{amount} came from {whom}."))
    notices.tell(member=member, kind=CAME, subject=f"transfer:{transfer.public_id}", amount=amount, whom="@ada")
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from members.models import Member, Notice
from paymentsite.core import clock
from paymentsite.core.disclosure import clear
from paymentsite.core.errors import Words, names_in, plain, told


@dataclass(frozen=True, slots=True)
class Kind:
    """``sentence`` is marked with ``gettext_noop`` and translated when read."""

    name: str
    sentence: str
    vocabulary: Mapping[str, Words] = field(default_factory=dict)

    @property
    def fact_names(self) -> set[str]:
        return names_in(self.sentence)


_kinds: Final[dict[str, Kind]] = {}


def kind(name: str, sentence: str, **words: Words) -> Kind:
    """Declare a kind of notice; its name is stored, so keep it. ``words`` are its facts that are worded when read."""
    if name in _kinds:
        raise TypeError(f"there is a kind of notice {name!r} already")
    _kinds[name] = Kind(name, sentence, words)
    return _kinds[name]


def tell(*, member: Member, kind: Kind, subject: str, **facts: Any) -> Notice:
    """The member is told once for each kind and subject, in the caller's transaction; told again, nothing is added.

    Who was erased is told nothing: of them the notice that comes back is not kept.
    """
    made = row(member=member, kind=kind, subject=subject, **facts)
    if member.erased_at is not None:
        return made
    notice, _told = Notice.objects.get_or_create(
        member=member, kind=kind.name, subject=subject, defaults={"facts": made.facts, "at": made.at}
    )
    return notice


def row(*, member: Member, kind: Kind, subject: str, **facts: Any) -> Notice:
    """The notice, not written: for who writes it with other rows, about a subject that was never told of before."""
    if missing := kind.fact_names - facts.keys():
        raise TypeError(f"{kind.name} needs the facts {', '.join(sorted(missing))}")
    return Notice(member=member, kind=kind.name, subject=subject, facts=plain(facts), at=clock.now())


def sentence(notice: Notice) -> str:
    """What the notice says, in the active language."""
    known = _kinds.get(notice.kind)
    if known is None:
        return notice.kind
    return clear(told(known.sentence, notice.facts, known.vocabulary))


def kinds() -> list[Kind]:
    """All that can be told."""
    return list(_kinds.values())


def read(*, member: Member, notice_id: int) -> bool:
    """The member has seen it; False when it is none of theirs or was seen before."""
    unread = Notice.objects.of(member).unread().filter(pk=notice_id)
    return unread.update(read_at=clock.now()) == 1
