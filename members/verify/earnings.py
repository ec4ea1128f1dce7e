"""Earnings: each is of what it says, waits as its rule says, is worth what that gives, and expires with its lot."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import F, Q

from members.models import Earning, EarnRule, Member
from members.services.points.earning import worth, worth_flat
from paymentsite.core.verification import Fault, Run, check

Kind, Pending = EarnRule.Kind, EarnRule.Pending

_OF_ANOTHER: Final = """
WITH rewards AS MATERIALIZED (
    SELECT w.id FROM members_referral f
    JOIN members_earning w ON w.source = 'referral:' || CAST(f.member_id AS varchar(20)) AND w.at = f.due_at
)
SELECT e.id, e.source FROM members_earning e
JOIN members_earnrule r ON r.id = e.rule_id
LEFT JOIN members_purchase p ON p.id = e.purchase_id
LEFT JOIN rewards ON rewards.id = e.id
WHERE CASE WHEN r.kind = 'referral' THEN p.id IS NOT NULL OR rewards.id IS NULL
    ELSE p.id IS NULL OR p.source <> e.source OR p.member_id <> e.member_id OR p.at <> e.at END
ORDER BY e.id
"""
# The payment's journal gives at once; what had waited is given in a journal of its own.
_LOTS: Final = """
SELECT source, day, SUM(said), SUM(done) FROM (
    SELECT CASE r.pending WHEN 'none' THEN e.source ELSE 'earning:' || CAST(e.id AS varchar(20)) END AS source,
        e.expires_on AS day, e.given_points AS said, 0 AS done
    FROM members_earning e JOIN members_earnrule r ON r.id = e.rule_id WHERE e.given_points > 0
    UNION ALL
    SELECT j.source, l.expires_on, 0, u.amount_minor FROM ledger_lotuse u
    JOIN ledger_lot l ON l.id = u.lot_id AND l.origin = 'earned'
    JOIN ledger_account a ON a.id = l.account_id AND a.owner LIKE 'member:%%' AND a.code = 'points' AND a.unit = 'PTS'
    JOIN ledger_journal j ON j.id = u.journal_id AND j.scope <> 'ledger.manual'
    WHERE u.kind = 'issued'
) AS each_one GROUP BY source, day HAVING SUM(said) <> SUM(done) ORDER BY source, day
"""


def _rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [])
        return list(cursor.fetchall())


@check(
    "members.earning_is_its_purchase",
    "What was earned is of the purchase, or of the referral, that it names, its member's and of its moment.",
)
def earning_is_its_purchase(run: Run) -> Iterator[Fault]:
    del run
    for pk, source in _rows(_OF_ANOTHER):
        yield f"earning {pk}", f"is for {source}, and not of its purchase, member or moment"


@check(
    "members.earning_waits_as_ruled",
    "What was earned waits as many days as its rule says, or until its purchase is final, and is given then.",
)
def earning_waits_as_ruled(run: Run) -> Iterator[Fault]:
    del run
    # Who leaves is given at once what was still to wait.
    early = Q(given_at__isnull=False) & ~Q(member__state=Member.State.CLOSED)
    forgot = Q(pending_until=None)
    timed = Earning.objects.exclude(rule__pending=Pending.FINAL)
    for days in sorted(set(EarnRule.objects.exclude(pending=Pending.FINAL).values_list("pending_days", flat=True))):
        moved = forgot | ~Q(pending_until=F("at") + timedelta(days=days))
        soon = early & Q(rule__pending=Pending.DAYS, given_at__lt=F("pending_until"))
        yield from _waiting(timed.filter(moved | soon, rule__pending_days=days))
    final_at = F("purchase__final_at")
    moved = ~forgot & (Q(purchase__final_at=None) | ~Q(pending_until=final_at) | early & Q(given_at__lt=final_at))
    undue = forgot & (early | Q(state=Earning.State.PENDING, purchase__final_at__isnull=False))
    yield from _waiting(Earning.objects.filter(moved | undue, rule__pending=Pending.FINAL))


def _waiting(wrong: Any) -> Iterator[Fault]:
    told = wrong.order_by("pk").values_list("pk", "pending_until", "given_at", "purchase__final_at")
    for pk, until, given, final in told:
        yield f"earning {pk}", f"waits until {until}, was given at {given}; its purchase is final since {final}"


@check(
    "members.earning_is_its_worth",
    "What was earned is what its rule gives for so much at that tier's rate, or less where a budget was used up.",
    whole=True,
)
def earning_is_its_worth(run: Run) -> Iterator[Fault]:
    del run
    rules = EarnRule.objects.in_bulk()
    columns = ("pk", "rule", "points", "qualifying", "earn_bp", "purchase__earning_minor")
    for pk, key, points, qualifying, earn_bp, paid in (
        Earning.objects.order_by("pk").values_list(*columns).iterator(chunk_size=2_000)
    ):
        rule = rules[key]
        # A referral is no payment; what is of no purchase though it should be is named elsewhere.
        paid_minor = 1 if paid is None else paid
        if paid is None and rule.kind != Kind.REFERRAL:
            continue
        most = worth(rule, paid_minor, earn_bp)
        if points > most or (points < most and rule.budget_id is None) or qualifying != worth_flat(rule, paid_minor):
            yield f"earning {pk}", f"is {points} points, and {qualifying} qualifying ones; its rule gives {most}"


@check(
    "members.earning_expires_with_lot",
    "What was given expires on the day on which the lot does that it was given in.",
    whole=True,
)
def earning_expires_with_lot(run: Run) -> Iterator[Fault]:
    del run
    for source, day, said, done in _rows(_LOTS):
        own, _, key = source.partition(":")
        yield f"earning {key}" if own == "earning" else f"source {source}", f"gave {said} until {day}, its lots {done}"
