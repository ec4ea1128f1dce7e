"""Who is meant by what a payer types, and how the payee's name is shown before they are paid."""

import re
from typing import Final

from members import phones
from members.models import Member
from paymentsite.core.vault import Secret, lookup

_CJK: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")
HIDDEN: Final = "**"

_LABEL: Final = "payee.nobody"
_INITIALS: Final = "ABCDEFGHIJKLMNOPRSTWYZ"
_LAST: Final = "明华伟芳娜敏静丽强磊军洋勇艳杰娟涛超平刚桂英玉红"


def find(text: str) -> Member | None:
    """The member with that @handle, confirmed e-mail address or proven phone number; one who has left is not found.

    The same None whatever is wrong, so that a payer learns nothing of who is here beyond whom they can pay.
    """
    text = text.strip()
    present = Member.objects.exclude(state=Member.State.CLOSED)
    if text.startswith("+"):
        number = phones.normal(Secret(text))
        return present.proven(number).first() if number else None
    if "@" in text[1:]:
        confirmed = {"user__emailaddress__email__iexact": text, "user__emailaddress__verified": True}
        return present.filter(**confirmed).first()
    handle = text.removeprefix("@").lower()
    return present.filter(handle=handle).first() if handle else None


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
    """A name as ``masked_name`` makes them, where ``text`` is nobody: the same whenever the same is typed.

    Made with a key: who could compute it would know by the name that there is nobody.
    """
    typed = "".join(text.split()).removeprefix("@").lower().encode(errors="replace").decode()
    first, second, form, *_rest = lookup.digest(Secret(typed), label=_LABEL).rpartition(".")[2].encode()
    if form % 3 == 0:
        return HIDDEN + _LAST[first % len(_LAST)]
    return " ".join(_INITIALS[each % len(_INITIALS)] + HIDDEN for each in (first, second)[: form % 3])
