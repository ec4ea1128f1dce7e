"""Orders to gateways: booked once, for what moved, with nothing forgotten on the way."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any, Final

from django.db import connection
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from members.models import LimitUse
from paymentsite.core import clock
from paymentsite.core.models import OpenItem
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Hold
from wallets.models import FeeUse, GatewayOrder, Notification, OrderEvent, TopUp, Withdrawal
from wallets.models.orders import ORDER_KINDS, UNDECIDED, State
from wallets.services import orders

_LATE: Final = timedelta(days=1)
_UNPROCESSED: Final = timedelta(minutes=10)

# A journal says in words whose it is; an order says it by its key. Both must say the same, and none be without.
_BOOKED: Final = """
SELECT o.public_id, COUNT(j.id), SUM(CASE WHEN j.reference <> {text} THEN 1 ELSE 0 END),
    SUM(CASE WHEN j.id = o.{column} THEN 1 ELSE 0 END), CASE WHEN o.{column} IS NULL THEN 0 ELSE 1 END
FROM {table} o LEFT JOIN ledger_journal j
    ON j.source = '{noun}:' || {text} AND j.scope = '{scope}' AND j.refusal IS NULL
GROUP BY o.id, o.public_id, o.{column}
HAVING COUNT(j.id) <> CASE WHEN o.{column} IS NULL THEN 0 ELSE 1 END
    OR SUM(CASE WHEN j.reference <> {text} THEN 1 ELSE 0 END) > 0
    OR (o.{column} IS NOT NULL AND SUM(CASE WHEN j.id = o.{column} THEN 1 ELSE 0 END) <> 1)
ORDER BY o.id
"""

_ORPHANS: Final = """
SELECT j.id, j.scope FROM ledger_journal j WHERE j.scope = '{scope}' AND j.refusal IS NULL
    AND NOT EXISTS (SELECT 1 FROM {table} o WHERE o.{column} = j.id) ORDER BY j.id
"""

# What a journal moved on the clearing account of its order's gateway, in what really moved: in is less, out is more.
_MOVED: Final = """
SELECT * FROM (
    SELECT o.id, o.public_id, COALESCE(o.moved_minor, o.amount_minor) AS moved, COALESCE((
        SELECT SUM(CASE WHEN p.target_id = a.id THEN p.amount_minor ELSE -p.amount_minor END)
        FROM ledger_posting p JOIN ledger_account a ON a.id IN (p.source_id, p.target_id)
        WHERE p.journal_id = o.{column} AND a.owner = 'gateway:' || o.gateway AND a.code = 'clearing'
            AND a.unit = CASE WHEN o.moved_currency = '' THEN o.currency ELSE o.moved_currency END
    ), 0) AS cleared
    FROM {table} o WHERE o.{column} IS NOT NULL
) AS booked WHERE cleared <> {sign}moved ORDER BY id
"""

# Every posting on a gateway's clearing account that an order's journal made, against all orders of that gateway.
_CLEARING: Final = """
SELECT a.owner, a.unit, posted.total, COALESCE(asked.total, 0) FROM (
    SELECT a.id, SUM(CASE WHEN p.target_id = a.id THEN p.amount_minor ELSE -p.amount_minor END) AS total
    FROM ledger_account a JOIN ledger_posting p ON a.id IN (p.source_id, p.target_id)
    JOIN ledger_journal j ON j.id = p.journal_id
    WHERE a.code = 'clearing' AND a.owner LIKE 'gateway:%%' AND j.scope IN ({scopes}) GROUP BY a.id
) AS posted JOIN ledger_account a ON a.id = posted.id LEFT JOIN (
    SELECT owner, unit, SUM(total) AS total FROM ({orders}) AS each_way GROUP BY owner, unit
) AS asked ON asked.owner = a.owner AND asked.unit = a.unit
WHERE posted.total <> COALESCE(asked.total, 0) ORDER BY a.owner, a.unit
"""
_SUM: Final = """
SELECT 'gateway:' || o.gateway AS owner, CASE WHEN o.moved_currency = '' THEN o.currency ELSE o.moved_currency END
    AS unit, {sign}COALESCE(o.moved_minor, o.amount_minor) AS total FROM {table} o WHERE o.{column} IS NOT NULL
"""

_NOT_COUNTED: Final = """
SELECT o.public_id, u.given_back_at FROM {table} o JOIN members_limituse u ON u.source = '{noun}:' || {text}
    || CASE WHEN o.moved_currency IN ('', o.currency) THEN '' ELSE ':moved' END
WHERE o.state = 'succeeded' AND u.given_back_at IS NOT NULL ORDER BY o.id
"""

_COUNTED: Final = """
SELECT o.public_id, o.state FROM {table} o
JOIN {uses} u ON u.source IN ('{noun}:' || {text}, '{noun}:' || {text} || ':moved')
WHERE (o.state = 'failed' OR (o.state = 'returned' AND o.journal_id IS NULL)) AND u.given_back_at IS NULL ORDER BY o.id
"""

# Table, noun, column, scope, and whether it takes from the clearing account or puts on it.
_BOOKINGS: Final[tuple[dict[str, str], ...]] = (
    {"table": "wallets_topup", "noun": "top_up", "column": "journal_id", "scope": "wallets.top_up", "sign": "-"},
    {
        "table": "wallets_topup",
        "noun": "top_up",
        "column": "return_journal_id",
        "scope": "wallets.top_up.return",
        "sign": "+",
    },
    {
        "table": "wallets_withdrawal",
        "noun": "withdrawal",
        "column": "journal_id",
        "scope": "wallets.withdrawal",
        "sign": "+",
    },
    {
        "table": "wallets_withdrawal",
        "noun": "withdrawal",
        "column": "return_journal_id",
        "scope": "wallets.withdrawal.return",
        "sign": "-",
    },
    {
        "table": "wallets_proofdeposit",
        "noun": "proof_deposit",
        "column": "journal_id",
        "scope": "wallets.proof_deposit",
        "sign": "+",
    },
    {
        "table": "wallets_proofdeposit",
        "noun": "proof_deposit",
        "column": "return_journal_id",
        "scope": "wallets.proof_deposit.return",
        "sign": "-",
    },
)


@check(
    "wallets.order_booked_once", "An order that is done has one journal, under its id; no other has any.", whole=True
)
def order_booked_once(_: Run) -> Iterator[Fault]:
    for booking in _BOOKINGS:
        for order, count, misnamed, own, wanted in _rows(_BOOKED.format(**booking, text=_text("o.public_id"))):
            yield (
                f"{booking['noun']} {_shown(order)}",
                f"{count} journals name it, {misnamed} under another reference, {own} its own, and {wanted} should",
            )
        for journal, scope in _rows(_ORPHANS.format(**booking)):
            yield f"journal {_shown(journal)}", f"it is in {scope}, and no order is booked by it"


@check("wallets.order_moved_amount", "An order's journal moves at its gateway what really moved.", whole=True)
def order_moved_amount(_: Run) -> Iterator[Fault]:
    for booking in _BOOKINGS:
        for _pk, order, moved, cleared in _rows(_MOVED.format(**booking)):
            yield f"{booking['noun']} {_shown(order)}", f"{moved} moved, and its journal clears {cleared}"


@check("wallets.succeeded_orders_count", "What an order that is done took of limits is not given back.")
def succeeded_orders_count(_: Run) -> Iterator[Fault]:
    for kind in (TopUp, Withdrawal):
        names = {"table": kind._meta.db_table, "noun": kind.noun}
        for order, since in _rows(_NOT_COUNTED.format(**names, text=_text("o.public_id"))):
            yield f"{kind.noun} {_shown(order)}", f"it is done, and counts against no limit since {since}"


@check("wallets.lost_orders_count_not", "What an order of which nothing came took of limits and prices is given back.")
def lost_orders_count_not(_: Run) -> Iterator[Fault]:
    for kind, uses in product((TopUp, Withdrawal), (LimitUse, FeeUse)):
        names = {"table": kind._meta.db_table, "noun": kind.noun, "uses": uses._meta.db_table}
        for order, state in _rows(_COUNTED.format(**names, text=_text("o.public_id"))):
            yield f"{kind.noun} {_shown(order)}", f"it is {state}, and still counts in {uses._meta.verbose_name_plural}"


@check("wallets.clearing_is_orders", "What orders left at a gateway is what they add up to.", whole=True)
def clearing_is_orders(_: Run) -> Iterator[Fault]:
    scopes = ", ".join(f"'{booking['scope']}'" for booking in _BOOKINGS)
    sums = " UNION ALL ".join(_SUM.format(**booking) for booking in _BOOKINGS)
    for owner, unit, posted, asked in _rows(_CLEARING.format(scopes=scopes, orders=sums)):
        yield f"account {owner} clearing {unit}", f"{posted} stand there, orders add up to {asked}"


@check("wallets.withdrawal_holds", "While a withdrawal is under way, and only then, its amount and fee are on hold.")
def withdrawal_holds(_: Run) -> Iterator[Fault]:
    open_hold = Q(
        hold__state=Hold.State.OPEN,
        hold__authorised_minor=F("amount_minor") + F("fee_minor"),
        hold__captured_minor=0,
        hold__released_minor=0,
        hold__account=F("wallet__account"),
    )
    under_way = Q(state__in=UNDECIDED)
    over = Q(state__in=[State.SUCCEEDED, State.FAILED, State.RETURNED])
    wrong = Withdrawal.objects.filter((under_way & ~open_hold) | (over & Q(hold__state=Hold.State.OPEN)))
    for order in wrong.select_related("hold").order_by("pk"):
        yield f"withdrawal {order.public_id}", f"it is {order.state}, and its hold is {order.hold.state}"


@check("wallets.order_not_forgotten", "An order that is not decided is asked about, or before a person.")
def order_not_forgotten(_: Run) -> Iterator[Fault]:
    late = Q(next_query_at__lt=clock.now() - _LATE)
    asked_about = Q(state__in=[*UNDECIDED, State.RETURNING])
    many = Q(queries__gte=len(orders.ASKED_AFTER)) | Q(next_query_at=None)
    for kind in ORDER_KINDS:
        for order in kind.objects.filter(asked_about & many).filter(~_item(kind, orders.STUCK)).order_by("pk"):
            yield _subject(order), f"it is {order.state} after {order.queries} questions, and no person looks"
        for order in kind.objects.filter(asked_about & late).order_by("pk"):
            yield _subject(order), f"its gateway should have been asked at {order.next_query_at}"
        differs = kind.objects.filter(state=State.CONFLICT)
        for order in differs.filter(~_item(kind, orders.DIFFERS)).order_by("pk"):
            yield _subject(order), "it differs, and no person looks"


def _item(kind: type[GatewayOrder], item: str) -> Exists:
    subject = Concat(Value(f"{kind._meta.label_lower}:"), Cast(OuterRef("pk"), CharField()))
    return Exists(OpenItem.objects.open().filter(kind=item, subject=subject))


@check("wallets.order_is_its_events", "An order is in the state that its last event left.")
def order_is_its_events(_: Run) -> Iterator[Fault]:
    for kind in ORDER_KINDS:
        events: QuerySet[Any] = OrderEvent.objects.filter(**{kind.noun: OuterRef("pk")}).order_by("-pk")
        found: QuerySet[Any] = kind.objects.annotate(last=Subquery(events.values("state")[:1])).order_by("pk")
        wrong = found.filter(~Q(last=F("state")) | Q(last=None))
        for order, state, last in wrong.values_list("public_id", "state", "last"):
            yield f"{kind.noun} {order}", f"it is {state}, its events left it {last}"


@check("wallets.notifications_processed", "What gateways told us is taken into account within ten minutes.")
def notifications_processed(_: Run) -> Iterator[Fault]:
    for told in Notification.objects.waiting().filter(received_at__lt=clock.now() - _UNPROCESSED):
        yield f"notification {told.public_id}", f"received at {told.received_at}, and nothing is made of it"


def _subject(order: Any) -> str:
    return f"{order.noun} {order.public_id}"


def _rows(sql: str) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [])
        yield from cursor.fetchall()


def _text(column: str) -> str:
    """A UUID as journals write it."""
    if connection.vendor == "postgresql":
        return f"CAST({column} AS TEXT)"
    parts = (f"substr({column}, {start}, {length})" for start, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12)))
    return "(" + " || '-' || ".join(parts) + ")"


def _shown(value: object) -> str:
    """A UUID as people read it, however the database writes it."""
    text = str(value).replace("-", "")
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
