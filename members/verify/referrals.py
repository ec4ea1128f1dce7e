"""Referrals: due when what was bought is final, rewarded once, and never settled without what was promised."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from members.models import Earning, EarnRule, Member, Purchase, Referral
from paymentsite.core.verification import Fault, Run, check

# Rewards may have been read just before a rule was committed that is in force since a moment earlier.
_SLACK: Final = timedelta(minutes=10)
_NAME: Final = Concat(Value("referral:"), Cast("pk", CharField()))


@check("members.referral_rewarded_once", "Who was rewarded for bringing a member brought them, and it says so.")
def referral_rewarded_once(run: Run) -> Iterator[Fault]:  # noqa: ARG001
    known = {
        source: (referrer, rewarded)
        for source, referrer, rewarded in Referral.objects.annotate(name=_NAME).values_list(
            "name", "referrer_id", "rewarded_at"
        )
    }
    rewards = Earning.objects.filter(source__startswith="referral:").order_by("pk")
    for pk, source, member_id in rewards.values_list("pk", "source", "member_id"):
        referrer, rewarded = known.get(source, (None, None))
        if referrer != member_id or rewarded is None:
            yield f"earning {pk}", f"rewards {source}, which is not theirs or not rewarded"


@check(
    "members.referral_is_due",
    "A referral is due since a purchase of the new member was final, and is so while one that is final stands.",
)
def referral_is_due(run: Run) -> Iterator[Fault]:
    run.seen["referrals"] = Referral.objects.count()
    final = Purchase.objects.filter(member=OuterRef("pk"), final_at__isnull=False)
    since = Referral.objects.filter(~Exists(final.filter(final_at=OuterRef("due_at"))), due_at__isnull=False)
    for pk, due_at in since.order_by("pk").values_list("pk", "due_at"):
        yield f"referral {pk}", f"is due since {due_at}, when nothing that they bought was final"
    forgotten = Referral.objects.filter(Exists(final.filter(refunded_minor__lt=F("amount_minor"))), due_at=None)
    for pk in forgotten.order_by("pk").values_list("pk", flat=True):
        yield f"referral {pk}", "is not due, though something that they bought is final"


@check(
    "members.referral_kept_its_promise",
    "A referral that was settled earned what a rule promised that no budget limits, unless its referrer has left.",
)
def referral_kept_its_promise(run: Run) -> Iterator[Fault]:
    del run
    settled = Referral.objects.filter(rewarded_at__isnull=False).exclude(referrer__state=Member.State.CLOSED)
    unearned = settled.annotate(name=_NAME).exclude(Exists(Earning.objects.filter(source=OuterRef("name"))))
    # Alone, a rule without a budget may have stood back behind one whose budget was used up meanwhile.
    rival = Exists(_in_force().filter(stacks=False, budget__isnull=False))
    sure = _in_force().filter(starts_at__lte=OuterRef("due_at") - _SLACK, budget=None, by_tier=False)
    promised = unearned.filter(Exists(sure.filter(stacks=True)) | Exists(sure) & ~rival)
    for pk, rewarded_at in promised.order_by("pk").values_list("pk", "rewarded_at"):
        yield f"referral {pk}", f"was settled at {rewarded_at}, and nothing was earned that was promised"


def _in_force() -> QuerySet[EarnRule]:
    """The rules for who brings somebody that were in force when the referral of the outer query was due."""
    due_at = OuterRef("due_at")
    lasting = (Q(superseded_at=None) | Q(superseded_at__gt=due_at)) & (Q(ends_at=None) | Q(ends_at__gt=due_at))
    return EarnRule.objects.filter(lasting, kind=EarnRule.Kind.REFERRAL, starts_at__lte=due_at)
