"""What is on accounts: now, at any moment, and in all."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import F, Min, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from paymentsite.core.ids import uuid7_floor
from paymentsite.core.money import Money
from paymentsite.ledger.models import Account, Balance, Block, Posting, Snapshot, Unsealed

# One statement sees one moment of the database: what the closer rolled up and what it has not taken yet are read
# together, so that a journal is counted once whatever happens meanwhile. Postings that wait are found by time in the
# account's own index, from the oldest that waits.
_LIVE: Final = """
SELECT b.account_id, b.posted_minor + COALESCE((
    SELECT SUM(p.amount_minor) FROM ledger_posting p
    WHERE p.target_id = b.account_id AND p.target_seq IS NULL
      AND p.journal_id >= (SELECT journal_id FROM ledger_unsealed ORDER BY journal_id LIMIT 1)
      AND EXISTS (SELECT 1 FROM ledger_unsealed u WHERE u.journal_id = p.journal_id)
), 0) - COALESCE((
    SELECT SUM(p.amount_minor) FROM ledger_posting p
    WHERE p.source_id = b.account_id AND p.source_seq IS NULL
      AND p.journal_id >= (SELECT journal_id FROM ledger_unsealed ORDER BY journal_id LIMIT 1)
      AND EXISTS (SELECT 1 FROM ledger_unsealed u WHERE u.journal_id = p.journal_id)
), 0)
FROM ledger_balance b WHERE b.account_id = %s
"""


_LAST: Final = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands at this moment; ``available`` is None where there is no floor to stop at."""

    posted: Money
    held: Money
    available: Money | None
    status: str


def standing(account: Account) -> Standing:
    """How ``account`` stands now, to the last committed posting."""
    return standings([account])[account.pk]


def standings(accounts: Iterable[Account]) -> dict[int, Standing]:
    """The same for several, by account id."""
    by_id = {account.pk: account for account in accounts}
    found = {}
    for balance in Balance.objects.filter(pk__in=by_id):
        account = by_id[balance.pk]
        posted = balance.posted_minor if account.strict else _live(balance.pk)
        available = None
        if balance.floor_minor is not None:
            available = Money(posted - balance.held_minor - balance.floor_minor, account.unit)
        found[balance.pk] = Standing(
            Money(posted, account.unit), Money(balance.held_minor, account.unit), available, balance.status
        )
    return found


def _live(account_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, [account_id])
        return int(cursor.fetchone()[1])


def balance_at(account: Account, at: datetime, *, inclusive: bool = True) -> Money:
    """What the journals recorded up to ``at`` (that moment too, if ``inclusive``) had left on ``account``.

    A strict account's postings stand one behind the other: those behind one that was recorded later are later, too,
    whatever the clocks of their processes said. So what it had never was below its floor.
    """
    if account.strict:
        return cut(account, at, inclusive=inclusive).before
    how = "lte" if inclusive else "lt"
    # From the last snapshot whose block holds nothing later, and the postings that are not in it.
    snapshot = _snapshot(account, at, how)
    height = snapshot.block_id if snapshot else 0
    since = first_after(height)
    later = Posting.objects.filter(**{f"journal__recorded_at__{how}": at}).exclude(journal__leaf__block__lte=height)
    came = later.filter(target=account, target_seq=None, journal__gte=since)
    went = later.filter(source=account, source_seq=None, journal__gte=since)
    # Both sides in one statement: an act that is committed between two would be counted by half.
    moved = Balance.objects.filter(pk=account.pk).values_list(
        Coalesce(Subquery(_total(came)), 0) - Coalesce(Subquery(_total(went)), 0)
    )
    return Money((snapshot.posted_minor if snapshot else 0) + int(moved.get()[0]), account.unit)


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a moment stands among the postings of a strict account: what they had left before it, and the number of the
    first after it, None where there is none yet."""

    before: Money
    after: int | None


def cut(account: Account, at: datetime, *, inclusive: bool = False) -> Cut:
    """Between which postings of a strict account ``at`` is; what was recorded at that very moment is before it only if
    ``inclusive``."""
    snapshot = _snapshot(account, at, "lte" if inclusive else "lt")
    seq = snapshot.seq if snapshot else 0
    later = Posting.objects.filter(**{f"journal__recorded_at__{'gt' if inclusive else 'gte'}": at})
    came = later.filter(target=OuterRef("account_id"), target_seq__gt=seq).order_by("target_seq")
    went = later.filter(source=OuterRef("account_id"), source_seq__gt=seq).order_by("source_seq")
    # All in one statement: what is committed between two would be seen by half.
    posted, *first = Balance.objects.values_list(
        "posted_minor",
        Subquery(came.values("target_seq")[:1]),
        Subquery(came.values(left=F("target_balance_minor") - F("amount_minor"))[:1]),
        Subquery(went.values("source_seq")[:1]),
        Subquery(went.values(left=F("source_balance_minor") + F("amount_minor"))[:1]),
    ).get(pk=account.pk)
    found = [(number, left) for number, left in (first[:2], first[2:]) if number is not None]
    after, left = min(found, default=(None, posted))
    return Cut(Money(left, account.unit), after)


def _snapshot(account: Account, at: datetime, how: str) -> Snapshot | None:
    """The last one whose block holds nothing later."""
    found = Snapshot.objects.filter(account=account, **{f"block__recorded_until__{how}": at})
    return found.order_by("-block_id").first()


def first_after(height: int) -> UUID:
    """The smallest id that a journal outside the first ``height`` blocks can have; the largest of all without any."""
    # First what waits: a journal that is sealed between the two reads is then in both, the other way round in neither.
    waiting = Unsealed.objects.order_by("journal_id").values_list("journal_id", flat=True).first()
    sealed = Block.objects.filter(height__gt=height).aggregate(at=Min("recorded_from"))["at"]
    candidates = [key for key in (uuid7_floor(sealed) if sealed else None, waiting) if key]
    return min(candidates, default=_LAST)


def _total(postings: QuerySet[Posting]) -> QuerySet[Posting, Any]:
    """The sum of postings of one account, which are of one unit, as a subquery."""
    return postings.order_by().values("unit").annotate(total=Sum("amount_minor")).values("total")


@dataclass(frozen=True, slots=True)
class TrialLine:
    """All accounts of one unit, kind and code together: what stands on their debit and on their credit side."""

    unit: str
    kind: str
    code: str
    accounts: int
    debit: Money
    credit: Money


_TRIAL: Final = """
SELECT a.unit, a.kind, a.code, COUNT(*),
    SUM(CASE WHEN live.posted < 0 THEN -live.posted ELSE 0 END),
    SUM(CASE WHEN live.posted > 0 THEN live.posted ELSE 0 END)
FROM (
    SELECT account_id, SUM(amount) AS posted FROM (
        SELECT account_id, posted_minor AS amount FROM ledger_balance
        UNION ALL
        SELECT p.target_id, p.amount_minor FROM ledger_unsealed u JOIN ledger_posting p ON p.journal_id = u.journal_id
        WHERE p.target_seq IS NULL
        UNION ALL
        SELECT p.source_id, -p.amount_minor FROM ledger_unsealed u JOIN ledger_posting p ON p.journal_id = u.journal_id
        WHERE p.source_seq IS NULL
    ) AS moves GROUP BY account_id
) AS live
JOIN ledger_account a ON a.id = live.account_id
GROUP BY a.unit, a.kind, a.code ORDER BY a.unit, a.kind, a.code
"""


def trial_balance() -> list[TrialLine]:
    """Every account, added up by unit, kind and code. In each unit the debits equal the credits."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIAL)
        rows = cursor.fetchall()
    return [
        TrialLine(unit, kind, code, count, Money(int(debit), unit), Money(int(credit), unit))
        for unit, kind, code, count, debit, credit in rows
    ]
