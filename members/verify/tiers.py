"""Tiers recompute: from their changes, and from what was earned."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from members import windows
from members.models import MemberTier, Progress, Tier, TierChange, TierProgramme
from members.tier_rules import Reason
from members.windows import Window
from paymentsite.core import clock
from paymentsite.core.models import AuditEntry
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Balance, Journal, Posting

# Each change begins where the one before it ended, and the last one says the tier.
_CHANGES: Final = """
SELECT told.id, told.member_id, told.before_id, told.earlier FROM (
    SELECT id, member_id, before_id, LAG(after_id) OVER (PARTITION BY member_id ORDER BY id) AS earlier
    FROM members_tierchange
) AS told
WHERE (told.before_id IS NULL) <> (told.earlier IS NULL) OR told.before_id <> told.earlier ORDER BY told.id
"""
_LAST: Final = """
SELECT t.member_id, t.tier_id, c.after_id FROM members_membertier t
LEFT JOIN members_tierchange c
    ON c.id = (SELECT MAX(id) FROM members_tierchange WHERE member_id = t.member_id)
WHERE c.id IS NULL OR c.after_id <> t.tier_id ORDER BY t.member_id
"""
# What had been bought or last given when a floor ended, and still ran.
_BENEATH: Final = """
k.member_id = c.member_id AND k.id < c.id AND k.until > c.at AND (k.reason = 'bought' OR k.id = (
    SELECT MAX(id) FROM members_tierchange WHERE member_id = c.member_id AND reason = 'given' AND id < c.id
))
"""
# What was given or bought last is kept; when it has ended, something of what lay beneath it.
_KEPT: Final = f"""
SELECT t.member_id FROM members_membertier t
LEFT JOIN members_tierchange c ON c.id = (
    SELECT MAX(id) FROM members_tierchange
    WHERE member_id = t.member_id AND reason IN ('given', 'given_ended', 'bought', 'bought_ended')
)
WHERE CASE
    WHEN c.id IS NULL THEN t.kept_id IS NOT NULL
    WHEN c.reason IN ('given', 'bought') THEN
        t.kept_id IS NULL OR t.kept_id <> c.after_id OR t.kept_until <> c.until OR t.kept_by <> c.reason
    WHEN t.kept_id IS NULL THEN c.until IS NOT NULL OR EXISTS (
        SELECT 1 FROM members_tierchange k WHERE {_BENEATH}
    )
    ELSE c.until IS NULL OR t.kept_until <> c.until OR NOT EXISTS (
        SELECT 1 FROM members_tierchange k WHERE {_BENEATH}
            AND k.after_id = t.kept_id AND k.until = t.kept_until AND k.reason = t.kept_by
    )
END
ORDER BY t.member_id
"""  # noqa: S608  our own text


@check("members.tier_is_its_changes", "A member's tier, and what they keep of it, is what its changes made of it.")
def tier_is_its_changes(run: Run) -> Iterator[Fault]:
    run.seen["changes of tier"] = TierChange.objects.count()
    for change, member, _before, _earlier in _rows(_CHANGES):
        yield f"member {member}", f"change {change} does not begin where the one before it ended"
    for member, _tier, last in _rows(_LAST):
        what = "no change gave it" if last is None else "the last change gave another one"
        yield f"member {member}", f"has a tier that is not theirs: {what}"
    for (member,) in _rows(_KEPT):
        yield f"member {member}", "keeps something else than what was given or bought"


@check(
    "members.tier_is_earned",
    "Nobody is below the tier that they earned or keep, nor above it but in grace.",
    whole=True,
)
def tier_is_earned(run: Run) -> Iterator[Fault]:  # noqa: ARG001  a member is due by time too
    now, programme = clock.now(), TierProgramme.current()
    tiers = {tier.pk: tier for tier in Tier.objects.order_by("rank")}
    if not tiers:
        return
    have = _earned(programme, now)
    # Whoever is due is looked at tonight; until then they may be anywhere.
    settled = MemberTier.objects.filter(Q(due_at=None) | Q(due_at__gt=now), version=programme.version)
    for row in settled.order_by("pk").iterator(2_000):
        sum_now = have.pop(row.pk, 0)
        earned = max((tier.rank for tier in tiers.values() if tier.threshold <= sum_now), default=0)
        target = max(earned, tiers[row.kept_id].rank if row.kept_id else 0, min(tier.rank for tier in tiers.values()))
        rank = tiers[row.tier_id].rank
        if rank < target or (rank > target and row.grace_until is None):
            yield f"member {row.pk}", f"has {tiers[row.tier_id].code} with {sum_now}"
    known = set(MemberTier.objects.filter(pk__in=list(have)).values_list("pk", flat=True))
    for member in sorted(have.keys() - known):
        yield f"member {member}", "earned something and stands nowhere"


@check("members.progress_taken_back", "Of what a source earned towards tiers no more was taken back than it earned.")
def progress_taken_back(run: Run) -> Iterator[Fault]:
    run.seen["progress"] = Progress.objects.count()
    sums = Progress.objects.values("source").annotate(left=Sum("qualifying"), spend=Sum("spend_minor"))
    for row in sums.filter(Q(left__lt=0) | Q(spend__lt=0)).order_by("source"):
        yield row["source"], f"{row['left']} qualifying points and {row['spend']} of spend are left of it"
    for source in _rootless().order_by("pk"):
        yield source.source, f"{source.cause} takes back what another member earned, or nobody"


@check("members.progress_is_qualifying", "What was earned towards tiers is what stands on qualifying accounts.")
def progress_is_qualifying(run: Run) -> Iterator[Fault]:  # noqa: ARG001  counted with the progress
    theirs = {"account__owner__startswith": "member:", "account__code": "qualifying", "account__unit": "QPT"}
    booked = Balance.objects.filter(**theirs)
    on_account = dict(booked.values_list("account__owner", "posted_minor"))
    sums = Progress.objects.values_list("member").annotate(total=Sum("qualifying")).order_by()
    earned = {f"member:{member}": total for member, total in sums}
    for owner in sorted(on_account.keys() | earned.keys()):
        if earned.get(owner, 0) != on_account.get(owner, 0):
            yield owner, f"earned {earned.get(owner, 0)}, on the account are {on_account.get(owner, 0)}"


@check("members.tier_bought_once", "A tier that was bought has the journal that paid its price, and the reverse.")
def tier_bought_once(run: Run) -> Iterator[Fault]:
    bought = TierChange.objects.exclude(journal=None)
    run.seen["tiers bought"] = bought.count()
    paid = dict(
        Posting.objects.filter(journal__in=bought.values("journal"), target__code="rewards")
        .values_list("journal")
        .annotate(total=Sum("amount_minor"))
    )
    for change in bought.select_related("journal").order_by("pk"):
        if paid.get(change.journal_id) != change.points:
            yield f"change {change.pk}", f"says {change.points} points, its journal {paid.get(change.journal_id)}"
        elif change.journal is None or change.journal.source != f"tier:{change.public_id}":
            yield f"change {change.pk}", "names the journal of something else"
    posted = Journal.objects.posted().filter(kind="tier_upgrade")
    for journal in posted.exclude(pk__in=bought.values("journal")).order_by("pk"):
        yield f"journal {journal.pk}", "paid for a tier that nobody got"


@check(
    "members.tier_gifts_told",
    "Each tier given by hand is on the audit trail, with its end and who gave it, and what is told there was given.",
)
def tier_gifts_told(run: Run) -> Iterator[Fault]:
    given, told = _given(), _told()
    run.seen["tiers given"] = sum(map(len, given.values()))
    for gift in sorted(given.keys() | told.keys()):
        member, tier, until, by = gift
        changes, entries = given.get(gift, []), told.get(gift, [])
        for change in changes[len(entries) :]:
            yield f"change {change}", f"gives {tier} until {until} by {by}, which the audit trail does not tell"
        for _entry in entries[len(changes) :]:
            yield f"member {member}", f"was given {tier} until {until} by {by}, by the audit trail alone"


# To whom, which, until when and by whom.
_Gift = tuple[str, str, str, str]


def _given() -> dict[_Gift, list[int]]:
    """The changes that gave a tier by hand."""
    found: dict[_Gift, list[int]] = defaultdict(list)
    for change in TierChange.objects.filter(reason=Reason.GIVEN).select_related("after").order_by("pk"):
        found[str(change.member_id), change.after.code, _utc(change.until), change.actor].append(change.pk)
    return found


def _told() -> dict[_Gift, list[int]]:
    """The entries of the audit trail that tell of one."""
    found: dict[_Gift, list[int]] = defaultdict(list)
    entries = AuditEntry.objects.filter(act="member.tier_given").order_by("pk")
    for pk, subject, by, after in entries.values_list("pk", "subject", "by", "after"):
        gift: dict[str, Any] = after or {}
        until = _utc(datetime.fromisoformat(gift["until"]))
        found[subject.rpartition(":")[2], gift["tier"], until, by].append(pk)
    return found


def _utc(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat() if moment else "no end"


def _rootless() -> QuerySet[Progress]:
    roots = Progress.objects.filter(source=OuterRef("source"), member=OuterRef("member"), cause="")
    return Progress.objects.exclude(cause="").filter(~Exists(roots))


def _earned(programme: TierProgramme, now: datetime) -> dict[int, int]:
    """What counts for each member now, in one statement."""
    rows = Progress.objects.filter(at__gte=windows.begin(Window(programme.window), now))
    if programme.measure == TierProgramme.Measure.SPEND:
        rows = rows.filter(currency=programme.currency)
    column = "spend_minor" if programme.measure == TierProgramme.Measure.SPEND else "qualifying"
    return dict(rows.values_list("member").annotate(have=Sum(column)).order_by())


def _rows(sql: str) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        while some := cursor.fetchmany(1_000):
            yield from some
