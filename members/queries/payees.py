"""Who is meant by what a payer types, and how the payee's name is shown before they are paid."""

import re
from enum import Enum, auto
from typing import Final

from django.db.models import Max, Min

from members import phones
from members.models import Member
from paymentsite.core.vault import Secret, lookup

_CJK: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")
HIDDEN: Final = "**"


class _Kind(Enum):
    PHONE = auto()
    EMAIL = auto()
    HANDLE = auto()
    NOTHING = auto()


_LABEL: Final = "payee.nobody"


def find(text: str) -> Member | None:
    """The member with that @handle, confirmed e-mail address or proven phone number; one who has left is not found.

    The same None whatever is wrong, so that a payer learns nothing of who is here beyond whom they can pay.
    """
    kind, name = _meant(text)
    present = Member.objects.exclude(state=Member.State.CLOSED)
    match kind:
        case _Kind.PHONE:
            return present.proven(Secret(name)).first()
        case _Kind.EMAIL:
            confirmed = {"user__emailaddress__email__iexact": name, "user__emailaddress__verified": True}
            return present.filter(**confirmed).first()
        case _Kind.HANDLE:
            return present.filter(handle=name).first()
        case _Kind.NOTHING:
            return None


def _meant(text: str) -> tuple[_Kind, str]:
    """What kind of name ``text`` is, and that name in the one form that is compared: the same for whatever finds the
    same member."""
    text = text.strip()
    if not text.isprintable():  # nobody is called so, and no database is asked for it
        return _Kind.NOTHING, ""
    if text.startswith("+"):
        number = phones.normal(Secret(text))
        return (_Kind.PHONE, number.reveal()) if number else (_Kind.NOTHING, text)
    if "@" in text[1:]:
        return _Kind.EMAIL, text.lower()
    handle = text.removeprefix("@").lower()
    return (_Kind.HANDLE, handle) if handle else (_Kind.NOTHING, "")


def shown(text: str) -> tuple[Member | None, str]:
    """Whom a payer means by ``text``, and as how much of a name. Where it is nobody there is a name, too.

    The same is asked of the database either way.
    """
    found, stranger = find(text), name_of_nobody(text)
    return found, masked_name(found) if found else stranger


def masked_name(member: Member) -> str:
    """Enough of the name to recognise somebody one knows, and no more: ``A** L**``, ``**明``.

    The stars are always two, since a name's length would tell too.
    """
    name = member.display_name or (f"@{member.handle}" if member.handle else "")
    if not name:
        return HIDDEN
    if name.startswith("@"):
        return name[:2] + HIDDEN
    if _CJK.fullmatch(name):
        return HIDDEN + name[-1]
    return " ".join(word[0] + HIDDEN for word in name.split())


def name_of_nobody(text: str) -> str:
    """What is shown where ``text`` is nobody: the masked name of some member, the same whenever the same is typed.

    Made up, names would have forms and letters by which to tell them from real ones; these are real, and of whom is
    told by nothing. Chosen with a key: who could compute it would know by the name that there is nobody. When members
    join, it stays as it was for nearly all that can be typed.
    """
    kind, meant = _meant(text)
    drawn = int.from_bytes(lookup.digest(Secret(f"{kind.name} {meant}"), label=_LABEL).rpartition(".")[2].encode()[:16])
    present = Member.objects.exclude(state=Member.State.CLOSED)
    ends = present.aggregate(first=Min("pk"), last=Max("pk"))
    places = ends["last"] - ends["first"] + 1 if ends["last"] else 0
    whose = places and present.filter(pk__gte=ends["first"] + _spread(drawn, places)).order_by("pk").first()
    name = masked_name(whose) if whose else HIDDEN
    if name.startswith("@") and kind == _Kind.HANDLE:
        # Who is called by their handle alone, and meant by it, is shown with its first letter.
        return f"@{meant[:1]}{HIDDEN}"
    return name


def _spread(drawn: int, places: int) -> int:
    """One of ``places``, from 0. With a place more it is another one for one in that many (a jump consistent hash)."""
    place, following = 0, 0
    while following < places:
        place = following
        drawn = (drawn * 2_862_933_555_777_941_757 + 1) % 2**64
        following = (place + 1) * 2**31 // ((drawn >> 33) + 1)
    return place
