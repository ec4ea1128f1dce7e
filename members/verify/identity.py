"""Identity cases: their states, the levels they gave, and that what they hold can be read by us alone."""

from collections.abc import Iterator

from django.db.models import F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from members.models import KycCase, KycEvent, KycImage, Member
from members.services import kyc_images
from paymentsite.core.vault import Undecipherable
from paymentsite.core.verification import Fault, Run, check


@check("members.kyc_case_is_last_event", "Each identity case is in the state that its last change gave it.")
def kyc_case_is_last_event(run: Run) -> Iterator[Fault]:
    run.seen["identity cases"] = KycCase.objects.count()
    events = KycEvent.objects.filter(case=OuterRef("pk")).order_by("-pk")
    told = KycCase.objects.annotate(last=Subquery(events.values("state")[:1]))
    wrong = told.filter(Q(last=None) | ~Q(last=F("state"))).order_by("pk")
    for pk, now, last in wrong.values_list("pk", "state", "last"):
        yield f"case {pk}", f"is {now}, by its last change {last or 'nothing'}"


@check("members.kyc_level_is_approved", "Each member has the highest level that was approved, and no other.")
def kyc_level_is_approved(run: Run) -> Iterator[Fault]:
    del run
    approved = Max("kyc_cases__level", filter=Q(kyc_cases__state=KycCase.State.APPROVED))
    wrong = Member.objects.annotate(given=Coalesce(approved, 0)).exclude(given=F("kyc_level")).order_by("pk")
    for pk, now, given in wrong.values_list("pk", "kyc_level", "given"):
        yield f"member {pk}", f"has level {now}, approved is {given}"


@check("members.kyc_contents_open", "What an identity case holds is whole, and the vault opens it.", whole=True)
def kyc_contents_open(run: Run) -> Iterator[Fault]:
    run.seen["identity images"] = KycImage.objects.count()
    for case in KycCase.objects.order_by("pk").iterator():
        try:
            for held in (case.legal_name, case.birthday, case.number):
                if held:
                    held.decrypt()
        except Undecipherable:
            yield f"case {case.pk}", "the vault cannot open what it holds"
    for image in KycImage.objects.order_by("pk").iterator():
        try:
            kyc_images.content_of(image)
        except Undecipherable:
            yield f"image {image.pk}", "it is not whole, or the vault cannot open it"
