"""Phone numbers: who has one has proven it, by a code that went to it."""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q

from members.models import Member, PhoneProof
from members.models.phone_proofs import CODE_TRIES
from members.services.phone_proofs import LIVES
from paymentsite.core.vault import Undecipherable
from paymentsite.core.verification import Fault, Run, check


@check(
    "members.phone_is_proven",
    "Who is found by a phone number proved it by a code that was sent to it, good for minutes and a few tries.",
)
def phone_is_proven(run: Run) -> Iterator[Fault]:
    proven = Member.objects.filter(phone_proven_at__isnull=False).order_by("pk")
    run.seen["proven phone numbers"] = proven.count()
    for member in proven.filter(Q(phone__isnull=True) | Q(phone_digest=None)):
        yield f"member {member.pk}", "has proven a phone number that is not there"
    used = PhoneProof.objects.filter(member=OuterRef("pk"), used_at=OuterRef("phone_proven_at"))
    for member in proven.exclude(Exists(used)):
        yield f"member {member.pk}", "has proven a phone number by no code"
    wrong = Q(tries__gt=CODE_TRIES) | Q(used_at__isnull=False, nth=None) | ~Q(expires_at=F("sent_at") + LIVES)
    for proof in PhoneProof.objects.filter(wrong).order_by("pk"):
        yield f"proof {proof.pk}", f"{proof.tries} tries, lives {proof.expires_at - proof.sent_at}"


@check("members.phone_is_as_proven", "A phone number that finds its member is the one that they proved.", whole=True)
def phone_is_as_proven(run: Run) -> Iterator[Fault]:
    del run
    found = Member.objects.filter(phone_proven_at__isnull=False, phone__isnull=False).order_by("pk")
    for member in found.iterator():
        proofs = PhoneProof.objects.filter(member=member, used_at=member.phone_proven_at)
        try:
            number = member.phone.decrypt()
            same = number in {proof.number.decrypt() for proof in proofs}
        except Undecipherable:
            yield f"member {member.pk}", "the vault cannot open the phone number, or its proof"
            continue
        if not same:
            yield f"member {member.pk}", "has another phone number than they proved"
        if not Member.objects.proven(number).filter(pk=member.pk).exists():
            yield f"member {member.pk}", "is found by another phone number than theirs"
