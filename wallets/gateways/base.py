"""The protocol between us and whoever moves money between us and the world. Pure: no models, no HTTP.

What an adapter answers decides about money, so its words are strict:

- ``FAILED`` only where the gateway surely did nothing and never will under this reference;
- ``UNKNOWN`` wherever that is not sure: a time-out, a cut line, a 5xx, an answer that cannot be understood;
- ``ABSENT`` is an answer to ``query`` alone: the gateway knows of no such order. A request still on its way may yet
  arrive, so it is not ``FAILED``.

- ``RETURNED`` where money that was paid out has come back, however the gateway words it: a payout that "failed" after
  it had been "paid" is that. A payment in that was taken back (a charge-back) is too. Its amount is all that came back
  until now; without one, all of it did.

An adapter raises nothing for any of these; what it raises is a bug, and the order counts as unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol

from paymentsite.core.money import Money
from paymentsite.core.vault.secret import Secret

REFERENCE_MAX: Final = 32
# A failure for this reason is ``untried`` too: not a byte of the request left us.
NOT_REACHED: Final = "not_reached"


class Capability(StrEnum):
    """What a gateway can do."""

    TOP_UP = "top_up"
    PAYOUT = "payout"
    REFUND = "refund"
    WEBHOOK = "webhook"
    QUERY = "query"
    CANCEL = "cancel"


class OrderKind(StrEnum):
    """What an order asks of a gateway: money in, money out, money in given back."""

    TOP_UP = "top_up"
    PAYOUT = "payout"
    REFUND = "refund"


class Outcome(StrEnum):
    """What became of an order as far as the gateway says; see this module."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    RETURNED = "returned"


class NotAuthentic(Exception):
    """It does not prove that it comes from the gateway: wrong or missing signature, too old, or no message at all."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card that the member saved and pays with; its security code is never kept, so there is none."""

    number: Secret
    holder: str
    expires_on: date


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where a payout goes. ``number`` is an IBAN or an account number; ``bank`` a BIC or the country's bank code."""

    number: Secret
    holder: str
    bank: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What we ask of a gateway.

    ``reference`` is ours, at most 32 ASCII letters and digits, and idempotent at the gateway: asked again with it, the
    gateway does nothing new and answers as things then stand. ``method`` is what pays ("card", "alipay_qr", "bank").
    ``original`` is, of a refund, the reference of the top-up that it gives back; ``gateway_reference`` what the
    gateway called this order (of a refund: that top-up), where it has told.
    """

    kind: OrderKind
    reference: str
    amount: Money
    method: str
    subject: str = ""
    return_url: str = ""
    notify_url: str = ""
    original: str = ""
    gateway_reference: str = ""
    card: Card | None = None
    account: BankAccount | None = None
    language: str = "en"
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the gateway says of one order now.

    ``amount`` is what really moved, where it says: it may differ from what we asked. ``reason`` is a short code or
    sentence for people, without personal data; ``action_url`` where the member goes on (a redirect, 3-D Secure), and
    ``action_code`` what is shown as a QR code instead. ``untried`` says of a failure that the gateway never looked at
    the order (it was not reached, or does not take such orders now), so that another gateway may be asked; a card that
    was declined is not that.
    """

    outcome: Outcome
    gateway_reference: str = ""
    amount: Money | None = None
    reason: str = ""
    action_url: str = ""
    action_code: str = ""
    untried: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A verified notification: what is said of which order.

    ``event_id`` is the gateway's own name of the message, the same when it is sent again. ``about`` is None for a
    message about nothing of ours (a test, an event that we do not use): it is kept and nothing follows.
    ``safe_body`` is what may be stored of it: the body without card or account numbers.
    """

    event_id: str
    kind: OrderKind = OrderKind.TOP_UP
    about: str | None = None
    answer: Answer | None = None
    at: datetime | None = None
    safe_body: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the gateway wants to hear once its notification is stored (HTTP 200 with this body)."""

    body: str = ""
    content_type: str = "text/plain"


class Gateway(Protocol):
    """Somebody who executes orders.

    ``begin``, ``pay_out``, ``refund``, ``query`` and ``cancel`` answer within a bounded time, twenty seconds for each
    request at most, and raise nothing for what the network or the gateway does.
    """

    @property
    def name(self) -> str:
        """Under which it is configured, stored with each order, and notifies: ``/hooks/<name>/``."""

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    @property
    def receipt(self) -> Receipt: ...

    def supports(self, *, method: str, currency: str) -> bool: ...

    def begin(self, order: Order) -> Answer:
        """Take money in."""

    def pay_out(self, order: Order) -> Answer:
        """Send money to ``order.account``."""

    def refund(self, order: Order) -> Answer:
        """Give back money that came in with ``order.original``; ``order.reference`` is the refund's own."""

    def query(self, reference: str, kind: OrderKind, *, gateway_reference: str = "") -> Answer:
        """How the order under our ``reference`` stands. Never does anything."""

    def cancel(self, order: Order) -> Answer:
        """Take back what the member has not acted on (``REQUIRES_ACTION``), so that it can never be paid any more.

        ``FAILED`` only where that is sure. Whatever the gateway says to it otherwise, the answer is how the order then
        stands; asked again, it does nothing new. Only where it has ``Capability.CANCEL``, and only money in.
        """

    def read(self, headers: Mapping[str, str], body: bytes) -> Told:
        """What a notification says, when it proves to come from the gateway; raises ``NotAuthentic``.

        ``headers`` may be asked in any case (lower-case names). Replays are ours to see, by ``event_id``.
        """
