"""Points: what was earned stands in the books, what refunds took back is taken back, budgets are kept."""

from collections.abc import Iterator
from typing import Any, Final

from django.db import connection
from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from members.models import Earning, Purchase
from members.services.points.cutting import kept
from paymentsite.core.verification import Fault, Run, check

# Moves by hand are approved by two people and stand beside what rules say.
_POSTED: Final = """
SELECT source, SUM(said), SUM(done) FROM (
    SELECT source, points AS said, 0 AS done FROM members_earning
    UNION ALL
    SELECT j.source, 0, p.amount_minor FROM ledger_posting p
    JOIN ledger_journal j ON j.id = p.journal_id
    JOIN ledger_account h ON h.id = p.source_id AND h.owner = 'house:paymentsite' AND h.code = 'points'
    JOIN ledger_account a ON a.id = p.target_id AND a.owner LIKE 'member:%%' AND a.unit = 'PTS'
    WHERE j.refusal IS NULL AND p.reverses_id IS NULL AND j.scope <> 'ledger.manual'
        AND (a.code IN ('points_pending', 'points_debt') OR j.source IN (SELECT source FROM members_earning))
) AS each_one GROUP BY source HAVING SUM(said) <> SUM(done) ORDER BY source
"""

_GIVEN: Final = """
SELECT e.id, e.given_points, e.repaid_debt, COALESCE(g.points, 0), COALESCE(g.debt, 0) FROM members_earning e
JOIN members_earnrule r ON r.id = e.rule_id
LEFT JOIN (
    SELECT j.source, SUM(CASE WHEN a.code = 'points' THEN p.amount_minor ELSE 0 END) AS points,
        SUM(CASE WHEN a.code = 'points_debt' THEN p.amount_minor ELSE 0 END) AS debt
    FROM ledger_journal j JOIN ledger_posting p ON p.journal_id = j.id JOIN ledger_account a ON a.id = p.target_id
    WHERE j.source LIKE 'earning:%%' AND j.refusal IS NULL AND p.reverses_id IS NULL GROUP BY j.source
) AS g ON g.source = 'earning:' || CAST(e.id AS varchar(20))
WHERE r.pending <> 'none' AND (e.given_points <> COALESCE(g.points, 0) OR e.repaid_debt <> COALESCE(g.debt, 0))
ORDER BY e.id
"""

_STANDING: Final = """
SELECT owner, SUM(said), SUM(done) FROM (
    SELECT 'member:' || CAST(member_id AS varchar(20)) AS owner, {said} AS said, 0 AS done FROM members_earning
    UNION ALL
    SELECT a.owner, 0, b.posted_minor FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id
    WHERE a.owner LIKE 'member:%%' AND a.code = '{code}' AND a.unit = '{unit}'
) AS each_one GROUP BY owner HAVING SUM(said) <> SUM(done) ORDER BY owner
"""
_PENDING: Final = _STANDING.format(
    said="CASE WHEN state = 'pending' THEN points - taken_pending ELSE 0 END", code="points_pending", unit="PTS"
)
_QUALIFYING: Final = _STANDING.format(said="qualifying - taken_qualifying", code="qualifying", unit="QPT")

_DEBT: Final = """
SELECT a.owner, b.posted_minor FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id
WHERE a.owner LIKE 'member:%%' AND a.code = 'points_debt' AND b.posted_minor > 0 ORDER BY a.owner
"""

_TAKEN: Final = """
SELECT owner, SUM(said), SUM(done) FROM (
    SELECT 'member:' || CAST(member_id AS varchar(20)) AS owner,
        taken_pending + taken_points + taken_repaid + taken_debt AS said, 0 AS done FROM members_earning
    UNION ALL
    SELECT a.owner, 0, p.amount_minor FROM ledger_posting p
    JOIN ledger_journal j ON j.id = p.journal_id
    JOIN ledger_account h ON h.id = p.target_id AND h.owner = 'house:paymentsite' AND h.code = 'points'
    JOIN ledger_account a ON a.id = p.source_id AND a.owner LIKE 'member:%%' AND a.unit = 'PTS'
    WHERE j.refusal IS NULL AND j.scope <> 'ledger.manual'
) AS each_one GROUP BY owner HAVING SUM(said) <> SUM(done) ORDER BY owner
"""

_BUDGETS: Final = """
SELECT b.code, b.used, b.total, COALESCE(s.net, 0) FROM members_earnbudget b
LEFT JOIN (
    SELECT r.budget_id, SUM(e.points - e.taken_pending - e.taken_points - e.taken_repaid - e.taken_debt) AS net
    FROM members_earning e JOIN members_earnrule r ON r.id = e.rule_id GROUP BY r.budget_id
) AS s ON s.budget_id = b.id
WHERE b.used <> COALESCE(s.net, 0) OR b.used > b.total ORDER BY b.code
"""


def _rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [])
        return list(cursor.fetchall())


@check("members.earning_is_posted", "What sources earned by the rules is what their journals issued.", whole=True)
def earning_is_posted(run: Run) -> Iterator[Fault]:
    run.seen["earnings"] = Earning.objects.count()
    for source, said, done in _rows(_POSTED):
        yield f"source {source}", f"earned {said} points, its journals issued {done}"


@check("members.earning_is_given", "What was pending was given to the member, to the point, if it says so.", whole=True)
def earning_is_given(run: Run) -> Iterator[Fault]:  # noqa: ARG001
    for pk, points, debt, moved, repaid in _rows(_GIVEN):
        yield f"earning {pk}", f"gave {points} and repaid {debt}, its journals moved {moved} and {repaid}"


@check("members.points_pending_adds_up", "What is pending on a member's account is what their earnings say is pending.")
def points_pending_adds_up(run: Run) -> Iterator[Fault]:  # noqa: ARG001
    for owner, said, done in _rows(_PENDING):
        yield owner, f"{said} points are pending, {done} on the account"


@check("members.points_debt_is_no_credit", "Nobody has repaid more points than they owed.")
def points_debt_is_no_credit(run: Run) -> Iterator[Fault]:  # noqa: ARG001
    for owner, posted in _rows(_DEBT):
        yield owner, f"has {posted} points on the account of what they owe"


@check("members.qualifying_adds_up", "A member's qualifying points are those of their earnings.")
def qualifying_adds_up(run: Run) -> Iterator[Fault]:  # noqa: ARG001
    for owner, said, done in _rows(_QUALIFYING):
        yield owner, f"earned {said} qualifying points, {done} are on the account"


@check("members.points_went_back", "What earnings say was taken back went back to the house.", whole=True)
def points_went_back(run: Run) -> Iterator[Fault]:  # noqa: ARG001
    for owner, said, done in _rows(_TAKEN):
        yield owner, f"{said} points were taken back, {done} went back"


@check(
    "members.refund_is_taken_back", "A refunded purchase has earned no more than the rest of it would have.", whole=True
)
def refund_is_taken_back(run: Run) -> Iterator[Fault]:
    told = Purchase.objects.annotate(told=Coalesce(Sum("refunds__amount_minor"), 0)).exclude(told=F("refunded_minor"))
    for pk, refunded, by_refunds in told.order_by("pk").values_list("pk", "refunded_minor", "told"):
        yield f"purchase {pk}", f"{refunded} of it are refunded, by its refunds {by_refunds}"
    earnings = Earning.objects.filter(purchase__refunded_minor__gt=0).select_related("rule", "purchase")
    run.seen["refunded earnings"] = earnings.count()
    for each in earnings.order_by("pk").iterator(1_000):
        left = kept(each, each.purchase) if each.purchase else (0, 0)
        if (each.points - each.undone, each.qualifying - each.taken_qualifying) != left:
            yield (
                f"earning {each.pk}",
                f"{each.points - each.undone} of it stand, the rest of the purchase earns {left[0]}",
            )


@check("members.campaign_budget_kept", "A campaign's counter is what its rule gave and was not taken back, within it.")
def campaign_budget_kept(run: Run) -> Iterator[Fault]:  # noqa: ARG001
    for code, used, total, net in _rows(_BUDGETS):
        yield f"budget {code}", f"{used} of {total} are used, its earnings say {net}"
