"""Who is meant by what a payer types, and how the payee's name is shown before they are paid."""

import re
from typing import Final

from members import phones
from members.models import Member
from paymentsite.core.vault import Secret

_CJK: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")
HIDDEN: Final = "**"


def find(text: str) -> Member | None:
    """The member with that @handle, confirmed e-mail address or phone number; one who has left is not found.

    The same None whatever is wrong, so that a payer learns nothing of who is here beyond whom they can pay.
    """
    text = text.strip()
    present = Member.objects.exclude(state=Member.State.CLOSED)
    if text.startswith("+"):
        number = phones.normal(Secret(text))
        return present.filter(phone_digest=number).first() if number else None
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
