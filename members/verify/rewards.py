"""Rewards: stock, redemptions and their journals, coupons."""

from collections.abc import Iterator

from django.db.models import Count, F, Q, Sum

from members.models import Coupon, Redemption, Reward
from paymentsite.core.models import AuditEntry
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Journal, Posting

DONE, CANCELLED = Redemption.State.DONE, Redemption.State.CANCELLED


@check("members.stock_adds_up", "Of a reward with a stock, what is left and what was taken are what there was.")
def stock_adds_up(run: Run) -> Iterator[Fault]:
    run.seen["rewards"] = Reward.objects.count()
    counted = Reward.objects.exclude(stock=None).annotate(taken=Count("redemptions", filter=Q(redemptions__state=DONE)))
    wrong = counted.exclude(stock=F("stock_left") + F("taken")).order_by("pk")
    for pk, stock, left, taken in wrong.values_list("pk", "stock", "stock_left", "taken"):
        yield f"reward {pk}", f"{left} are left and {taken} taken of {stock}"


@check("members.redemption_is_paid", "Each redemption has the journal that paid its points, and the reverse.")
def redemption_is_paid(run: Run) -> Iterator[Fault]:
    redemptions = Redemption.objects.all()
    run.seen["redemptions"] = redemptions.count()
    paid = dict(
        Posting.objects.filter(journal__in=redemptions.values("journal"), unit="PTS", target__code="rewards")
        .values_list("journal")
        .annotate(total=Sum("amount_minor"))
    )
    for each in redemptions.select_related("journal").order_by("pk").iterator(1_000):
        if each.journal.source != f"redemption:{each.public_id}":
            yield f"redemption {each.pk}", "names the journal of something else"
        elif paid.get(each.journal_id) != each.points:
            yield f"redemption {each.pk}", f"cost {each.points} points, its journal moved {paid.get(each.journal_id)}"
    posted = Journal.objects.posted().filter(kind="reward")
    for journal in posted.exclude(pk__in=redemptions.values("journal")).order_by("pk"):
        yield f"journal {journal.pk}", "paid for a reward that nobody got"


@check("members.redemption_cancelled_once", "A redemption was given back if and only if it is cancelled.")
def redemption_cancelled_once(run: Run) -> Iterator[Fault]:  # noqa: ARG001  counted with the redemptions
    cancelled = Redemption.objects.filter(state=CANCELLED)
    for each in cancelled.select_related("cancel_journal").order_by("pk"):
        journal = each.cancel_journal
        if journal is None or journal.parent_id != each.journal_id or journal.refusal is not None:
            yield f"redemption {each.pk}", "is cancelled without the journal that gives it back"
    reversals = Journal.objects.posted().filter(kind="reward_cancelled")
    for journal in reversals.exclude(pk__in=cancelled.values("cancel_journal")).order_by("pk"):
        yield f"journal {journal.pk}", "gave back a redemption that is not cancelled"


@check("members.coupon_is_its_redemption", "A redemption of a coupon has one; it is on its reward's terms.")
def coupon_is_its_redemption(run: Run) -> Iterator[Fault]:
    run.seen["coupons"] = Coupon.objects.count()
    without = Redemption.objects.filter(reward__kind=Reward.Kind.COUPON, coupon=None)
    for redemption in without.order_by("pk"):
        yield f"redemption {redemption.pk}", "is of a coupon and has none"
    with_terms = Coupon.objects.select_related("redemption__reward").order_by("pk")
    for coupon in with_terms.iterator(1_000):
        reward = coupon.redemption.reward
        terms = (coupon.value_minor, coupon.currency, coupon.discount_bp)
        if terms != (reward.credit_minor, reward.currency, reward.discount_bp):
            yield f"coupon {coupon.pk}", "is worth something else than its reward says"
        if (coupon.state == Coupon.State.CANCELLED) != (coupon.redemption.state == CANCELLED):
            yield f"coupon {coupon.pk}", f"is {coupon.state}, its redemption {coupon.redemption.state}"
        if coupon.used_at and not coupon.made_at <= coupon.used_at < coupon.expires_at:
            yield f"coupon {coupon.pk}", "was used before it was made, or after it expired"


@check(
    "members.coupon_used_once", "A coupon was used if and only if the audit trail says so, once, by whom and for what."
)
def coupon_used_once(run: Run) -> Iterator[Fault]:
    used = {f"members.coupon:{coupon.pk}": coupon for coupon in Coupon.objects.filter(state=Coupon.State.USED)}
    run.seen["coupons used"] = len(used)
    told: dict[str, list[tuple[str, str]]] = {}
    for subject, by, after in AuditEntry.objects.filter(act="coupon.used").values_list("subject", "by", "after__for"):
        told.setdefault(subject, []).append((by, after))
    for subject in sorted(used.keys() | told.keys()):
        coupon, uses = used.get(subject), told.get(subject, [])
        if coupon is None:
            yield subject, "was used, by the audit trail, and can be used again"
        elif uses != [(coupon.used_by, coupon.used_for)]:
            yield subject, f"was used {len(uses)} times, by the audit trail, or by or for others"
