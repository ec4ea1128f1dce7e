"""All that a decision about a use of a card looks at, on one way to the database and back."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from cards import control_reading
from cards.control_rules import CALENDAR, TRAILING, Controls, Measure, Span, calendar_windows
from cards.models import Card, CardAuthorisation, CardPin
from cards.models.messages import Kind
from members.models.limits import Kind as LimitKind
from members.periods import Period, Window
from members.queries import limits
from paymentsite.core.asking import Question, Row, moment, together
from paymentsite.core.vault import Envelope

_SEEN: Final = """
SELECT m.id, m.kind, m.digest, m.use_id, r.id FROM cards_cardmessage m
LEFT JOIN cards_decisionreceipt r ON r.message_id = m.id WHERE m.processor = %s AND m.message_id = %s
"""
_USE_COLUMNS: Final = tuple(field.attname for field in CardAuthorisation._meta.concrete_fields)
_USE: Final = f"SELECT {', '.join(_USE_COLUMNS)} FROM cards_cardauthorisation WHERE processor = %s AND reference = %s"  # noqa: S608  our own columns
_CONTROLS: Final = """
SELECT id, CASE WHEN raised THEN 'raised' WHEN card_id IS NOT NULL THEN 'card' WHEN member_id IS NOT NULL THEN 'member'
    ELSE 'product' END, terms
FROM cards_cardcontrols WHERE id IN (
    (SELECT MAX(id) FROM cards_cardcontrols WHERE card_id = %s AND NOT raised),
    (SELECT MAX(id) FROM cards_cardcontrols WHERE card_id = %s AND raised),
    (SELECT MAX(id) FROM cards_cardcontrols WHERE member_id = %s),
    (SELECT MAX(id) FROM cards_cardcontrols WHERE product_id = %s)
)
"""
# Everything since a moment is one range of an index; what counts of it since later moments is summed on the way.
_SUMS: Final = "SELECT {columns} FROM cards_cardauthorisation WHERE {whose} AND at >= %s"
_SUM: Final = (
    "CAST(COALESCE(SUM(CASE WHEN at >= %s AND currency = %s THEN counted_minor END), 0) AS BIGINT),"
    " CAST(COALESCE(SUM(CASE WHEN at >= %s THEN counted END), 0) AS BIGINT)"
)
_BALANCE: Final = "SELECT posted_minor, held_minor, floor_minor, status FROM ledger_balance WHERE account_id = %s"
_EVER: Final = """
SELECT CAST(COALESCE(SUM(CASE WHEN p.currency = %s THEN c.counted_minor END), 0) AS BIGINT),
    CAST(COALESCE(SUM(c.counted), 0) AS BIGINT)
FROM cards_card c JOIN cards_cardproduct p ON p.id = c.product_id WHERE c.member_id = %s
"""
_OWED: Final = """
SELECT b.posted_minor FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
WHERE a.owner = %s AND a.code = %s AND a.unit = %s AND b.posted_minor < 0
"""
# What stood in the place of a card before it counts as the card does.
_LINE: Final = """
WITH RECURSIVE line(id, replaces_id) AS (
    SELECT id, replaces_id FROM cards_card WHERE id = %s
    UNION ALL SELECT c.id, c.replaces_id FROM cards_card c JOIN line ON c.id = line.replaces_id
)
"""
_OF_LINE: Final = f"card_id IN ({_LINE} SELECT id FROM line)"  # noqa: S608  our own text
_LINE_EVER: Final = f"""
{_LINE} SELECT CAST(SUM(counted_minor) AS BIGINT), CAST(SUM(counted) AS BIGINT)
FROM cards_card WHERE id IN (SELECT id FROM line)
"""  # noqa: S608  our own text
# A subscription that is paid every month may be due after four weeks, and a little earlier where another day began.
_PAID: Final = f"""
SELECT COUNT(*) FROM cards_cardauthorisation WHERE {_OF_LINE} AND at > %s AND counted_minor > 0
"""  # noqa: S608  our own text
_DAYS: Final = {Card.Every.WEEK: 6, Card.Every.MONTH: 27, Card.Every.YEAR: 360}
_PIN: Final = "SELECT hashed, tries FROM cards_cardpin WHERE card_id = %s"
_PLACES: Final = 11
# The account on which a member's debts stand.
DEBT: Final = "card debt"


class Seen(NamedTuple):
    """A message that was taken in before."""

    id: UUID
    kind: str
    digest: str
    use: UUID | None
    receipt: UUID | None


class Books(NamedTuple):
    """What stood on the card's account."""

    posted: int
    held: int
    floor: int | None
    status: str

    @property
    def available(self) -> int | None:
        return None if self.floor is None else self.posted - self.held - self.floor


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows. ``used`` is by scope (the card, all cards of its member), measure and span, ``since``
    when it counts there; ``paid`` is how often a subscription was paid since it may have been due, ``sets`` which rows
    the controls are."""

    seen: Seen | None
    use: CardAuthorisation | None
    controls: dict[str, Controls]
    sets: list[int]
    used: dict[tuple[str, Measure, Span], int]
    since: dict[Span, datetime]
    windows: dict[Period, Window]
    books: Books
    owed: int
    paid: int
    pin: CardPin | None
    limits: limits.Facts

    @property
    def unpayable(self) -> bool:
        """Whether what is there is owed, and could not be paid."""
        return self.owed > 0 and (self.books.available or 0) > 0


def know(card: Card, *, processor: str, message_id: str, reference: str, source: str, now: datetime) -> Facts:
    """All of it, about a message on ``card``, whose member is locked."""
    windows = calendar_windows(now, card.member.zone)
    since = _since(now, windows)
    asked = limits.ask(card.member, kind=LimitKind.CARD, currency=card.product.currency, source=source, at=now)
    answers = together(
        Question(_SEEN, (processor, message_id)),
        Question(_USE, (processor, reference)),
        Question(_CONTROLS, (card.pk, card.pk, card.member_id, card.product_id)),
        _own(card, since),
        _every(card, since),
        Question(_EVER, (card.product.currency, card.member_id)),
        Question(_BALANCE, (card.account_id,)),
        Question(_OWED, (card.member.owner, DEBT, card.product.currency)),
        Question(_PIN, (card.pk,)),
        Question(_LINE_EVER, (card.pk,)),
        Question(_PAID, (card.pk, now - timedelta(days=_DAYS[Card.Every(card.every)] if card.every else 0))),
        *asked.questions,
    )
    seen, use, controls, own, every, ever, balance, owed, pin, line, paid = answers[:_PLACES]
    limit_facts = limits.read(asked, answers[_PLACES:])
    if limit_facts.asked.windows != windows:
        # Whoever has lived in another zone meanwhile: what was used counts until the period is over there, too.
        windows = limit_facts.asked.windows
        since = _since(now, windows)
        own, every = together(_own(card, since), _every(card, since))
    used = {**_used("card", own[0], since), **_used("member", every[0], since)}
    used["card", Measure.AMOUNT, Span.EVER], used["card", Measure.COUNT, Span.EVER] = line[0]
    used["member", Measure.AMOUNT, Span.EVER], used["member", Measure.COUNT, Span.EVER] = ever[0]
    return Facts(
        seen=_seen(seen),
        use=_use(use),
        controls={scope: control_reading.read(_document(terms)) for _, scope, terms in controls},
        sets=sorted(key for key, _, _ in controls),
        used=used,
        since=since,
        windows=windows,
        books=Books(*balance[0]),
        owed=-owed[0][0] if owed else 0,
        paid=paid[0][0],
        pin=_pin(card, pin),
        limits=limit_facts,
    )


def _own(card: Card, since: dict[Span, datetime]) -> Question:
    """What the card, and those in whose place it stands, were used for."""
    return _sums(_OF_LINE, card, card.pk, since)


def _every(card: Card, since: dict[Span, datetime]) -> Question:
    """What all cards of its member were used for: amounts in its currency, and how often in all."""
    return _sums("member_id = %s", card, card.member_id, since)


def _since(now: datetime, windows: dict[Period, Window]) -> dict[Span, datetime]:
    calendar = {span: windows[period].since for span, period in CALENDAR.items()}
    return {**calendar, **{span: now - length for span, length in TRAILING.items()}}


def _sums(whose: str, card: Card, key: int, since: dict[Span, datetime]) -> Question:
    columns = ", ".join([_SUM] * len(since))
    values = [value for begun in since.values() for value in (begun, card.product.currency, begun)]
    # A moment more, for a clock that was moved back a little between two members.
    earliest = min(since.values()) - timedelta(seconds=1)
    return Question(_SUMS.format(columns=columns, whose=whose), [*values, key, earliest])


def _used(scope: str, row: Row, since: dict[Span, datetime]) -> dict[tuple[str, Measure, Span], int]:
    found = {}
    for place, span in enumerate(since):
        found[scope, Measure.AMOUNT, span], found[scope, Measure.COUNT, span] = row[2 * place : 2 * place + 2]
    return found


def _seen(rows: list[Row]) -> Seen | None:
    for key, kind, digest, use, receipt in rows:
        return Seen(_key(key), Kind(kind), digest, use and _key(use), receipt and _key(receipt))
    return None


def _use(rows: list[Row]) -> CardAuthorisation | None:
    if not rows:
        return None
    facts = dict(zip(_USE_COLUMNS, rows[0], strict=True))
    facts["id"], facts["hold_id"] = _key(facts["id"]), facts["hold_id"] and _key(facts["hold_id"])
    facts["at"], facts["expires_at"] = moment(facts["at"]), moment(facts["expires_at"])
    for name in ("over", "lapsed", "approved", "ended"):
        facts[name] = bool(facts[name])
    found = CardAuthorisation(**facts)
    found._state.adding = False  # noqa: SLF001  it was read, not made
    return found


def _pin(card: Card, rows: list[Row]) -> CardPin | None:
    for hashed, tries in rows:
        return CardPin(card=card, hashed=Envelope(bytes(hashed)), tries=tries)
    return None


def _key(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def _document(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found
