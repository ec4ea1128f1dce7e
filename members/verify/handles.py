"""Handles, by which money finds its payee: the vault keeps each for its member."""

from collections.abc import Iterator

from members.models import Member
from paymentsite.core.vault import Undecipherable
from paymentsite.core.verification import Fault, Run, check


@check("members.handle_is_kept", "Each member's handle is the one that the vault keeps for them.", whole=True)
def handle_is_kept(run: Run) -> Iterator[Fault]:
    run.seen["handles"] = Member.objects.filter(handle__isnull=False).count()
    for member in Member.objects.order_by("pk").iterator(chunk_size=2_000):
        try:
            kept = member.handle_kept.decrypt().reveal() if member.handle_kept else None
        except Undecipherable:
            yield f"member {member.pk}", "the vault cannot open what it keeps of their handle"
            continue
        if kept != member.handle:
            yield f"member {member.pk}", "has another handle than the vault keeps for them"
