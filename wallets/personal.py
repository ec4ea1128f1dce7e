"""What this app keeps about a person: how it is told, and how it is taken away. Registers both with ``privacy``."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, Final

from django.db.models import Prefetch, Q
from django.utils.translation import gettext_noop

from members.models import Member, Notice
from members.queries.payees import HIDDEN
from members.services import privacy
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.errors import Refused
from paymentsite.core.vault.fields import Encrypted
from wallets import personal_books  # noqa: F401  registers what it tells
from wallets.models import (
    BankAccount,
    Exchange,
    Gift,
    Instrument,
    MoneyRequest,
    Notification,
    OutsideCard,
    ProofDeposit,
    RequestBlock,
    StandingOrder,
    StandingRun,
    TopUp,
    Transfer,
    Withdrawal,
)
from wallets.models.orders import ENDED, ORDER_KINDS
from wallets.queries import notes
from wallets.services import instruments, requests, standing_orders
from wallets.services.transfers import called

_SAVED = (Instrument.Kind.CARD, Instrument.Kind.BANK_ACCOUNT)
_CHUNK: Final = 500


class OrdersUnderWay(Refused):
    code = "erasure_orders_under_way"
    sentence = gettext_noop("Top-ups and withdrawals that have not ended yet: {count}. Wait until they have.")


@privacy.exporter("saved cards and accounts")
def saved(member: Member) -> Any:
    cards = OutsideCard.objects.filter(member=member).select_related("instrument").order_by("pk")
    accounts = BankAccount.objects.filter(member=member).select_related("instrument").order_by("pk")
    return [
        *({**_told(card), "brand": card.brand, "expires": card.expires_on} for card in cards),
        *({**_told(account), "country": account.country, "verified": account.verified_at} for account in accounts),
    ]


def _told(details: OutsideCard | BankAccount) -> dict[str, Any]:
    found = details.instrument
    return {
        "kind": found.kind,
        "label": found.label,
        "number": _clear(details.number),
        "last four": details.last_four,
        "holder": _clear(details.holder),
        "added": found.added_at,
        "removed": found.removed_at,
    }


def _clear(held: Encrypted | None) -> str | None:
    return held.decrypt().reveal() if held is not None else None


@privacy.exporter("exchanges")
def exchanged(member: Member) -> Any:
    done = Exchange.objects.filter(member=member).select_related("quote").order_by("pk")
    return [
        {
            "sold": each.quote.sold,
            "bought": each.quote.bought,
            "fee": each.quote.fee,
            "rate": each.quote.rate,
            "at": each.at,
        }
        for each in done
    ]


@privacy.exporter("transfers")
def transferred(member: Member) -> Any:
    found = Transfer.objects.of(member).select_related("sender", "receiver").order_by("pk")
    return [_sent(each) if each.sender_id == member.pk else _received(each) for each in found]


def _sent(transfer: Transfer) -> dict[str, Any]:
    paid = {"amount": transfer.amount, "fee": transfer.fee, "reference": transfer.reference}
    return {"to": called(transfer.receiver), **paid, "note": transfer.note, "at": transfer.sent_at}


def _received(transfer: Transfer) -> dict[str, Any]:
    return {
        "from": called(transfer.sender),
        "amount": transfer.amount,
        "note": transfer.note,
        "at": transfer.sent_at,
    }


@privacy.exporter("requests to pay")
def asked(member: Member) -> Any:
    found = MoneyRequest.objects.filter(Q(asker=member) | Q(payer=member)).select_related("asker", "payer")
    return [
        {
            **({"asked": called(each.payer)} if each.asker_id == member.pk else {"asked by": called(each.asker)}),
            "amount": each.amount,
            "note": each.note,
            "state": each.state,
            "at": each.asked_at,
            "ended": each.ended_at,
        }
        for each in found.order_by("pk")
    ]


@privacy.exporter("gifts")
def given(member: Member) -> Any:
    """Those that they made and those that they took."""
    found = Gift.objects.filter(Q(sender=member) | Q(claimed_by=member)).select_related("sender", "claimed_by")
    return [
        {
            **(
                {"taken by": called(each.claimed_by) if each.claimed_by else None, "fee": each.fee}
                if each.sender_id == member.pk
                else {"from": called(each.sender)}
            ),
            "amount": each.amount,
            "note": each.note,
            "state": each.state,
            "made": each.made_at,
            "ended": each.ended_at,
        }
        for each in found.order_by("pk")
    ]


@privacy.exporter("standing orders")
def ordered(member: Member) -> Any:
    runs = Prefetch("runs", StandingRun.objects.order_by("due_on"))
    found = StandingOrder.objects.filter(member=member).select_related("payee").prefetch_related(runs).order_by("pk")
    return [
        {
            "to": called(each.payee),
            "amount": each.amount,
            "note": each.note,
            "every": each.every,
            "from": each.starts_on,
            "until": each.ends_on,
            "times": each.count,
            "state": each.state,
            "made": each.made_at,
            "days": [{"due": run.due_on, "state": run.state, "at": run.at} for run in each.runs.all()],
        }
        for each in found
    ]


@privacy.exporter("top-ups and withdrawals")
def moved(member: Member) -> Any:
    """Of a withdrawal also the account that the gateway was told."""
    columns = ("amount", "fee", "method", "state", "reference")
    came, went = TopUp.objects.of(member).order_by("pk"), Withdrawal.objects.of(member).order_by("pk")
    return {
        "top-ups": [{**{name: getattr(each, name) for name in columns}, "at": each.created_at} for each in came],
        "withdrawals": [
            {
                **{name: getattr(each, name) for name in columns},
                "to": each.destination,
                "account": _clear(each.payee),
                "at": each.created_at,
            }
            for each in went
        ],
    }


@privacy.exporter("small deposits")
def deposited(member: Member) -> Any:
    """Without their amounts: these are what whoever reads the account's statements is asked for."""
    sent = ProofDeposit.objects.of(member).order_by("pk")
    return [
        {"to": each.destination, "account": _clear(each.payee), "state": each.state, "at": each.created_at}
        for each in sent
    ]


@privacy.eraser(gettext_noop("saved cards and accounts"))
def unsaved(member: Member) -> None:
    """Numbers and holders are gone as when the member removes them, and what they called them too."""
    for found in Instrument.objects.of(member).active().filter(kind__in=_SAVED):
        instruments.remove(instrument=found, by=SYSTEM)
    Instrument.objects.of(member).exclude(label="").update(label="")


@privacy.eraser(gettext_noop("orders to gateways"))
def forgotten(member: Member) -> None:
    """To which account money went, where to confirm it, and what the gateway wrote; how much and when stays."""
    orders = [order for kind in ORDER_KINDS for order in kind.objects.of(member)]
    if under_way := [each.source for each in orders if each.state not in ENDED]:
        raise OrdersUnderWay(count=len(under_way), orders=under_way)
    for payouts in (Withdrawal.objects.of(member), ProofDeposit.objects.of(member)):
        payouts.filter(payee__isnull=False).update(payee=None, destination="")
    TopUp.objects.of(member).exclude(action_url="", action_code="").update(action_url="", action_code="")
    refunds = [each.refund_id for each in orders if isinstance(each, TopUp) and each.refund_id]
    for some in _batches(each.hex for each in [*(order.public_id for order in orders), *refunds]):
        Notification.objects.filter(about__in=some, body__isnull=False).update(body=None)


@privacy.eraser(gettext_noop("standing orders and requests"))
def ended(member: Member) -> None:
    """What would go on by itself is over, without a word to anybody."""
    for order in StandingOrder.objects.filter(member=member).exclude(state=StandingOrder.State.ENDED):
        standing_orders.end(order=order, by=SYSTEM)
    theirs = Q(asker=member) | Q(payer=member)
    for request in MoneyRequest.objects.open().filter(theirs, expires_at__gt=clock.now()):
        requests.cancel(request=request, by=SYSTEM)
    for block in RequestBlock.objects.filter(member=member).select_related("blocked"):
        requests.unblock(member=member, other=block.blocked, by=SYSTEM)


@privacy.eraser(gettext_noop("notes"))
def unwritten(member: Member) -> None:
    """What they wrote, and what others wrote to them, who may be named in it. The money stays told without words."""
    for rows in notes.of([member.pk]):
        rows.update(note="")


@privacy.eraser(gettext_noop("what others were told"))
def unnamed(member: Member) -> None:
    """Notices to others say with whom they dealt, as that was called then: they say it no more."""
    for some in _batches(_subjects(member)):
        for notice in Notice.objects.filter(subject__in=some).exclude(member=member):
            if notice.facts.get("whom", HIDDEN) != HIDDEN:
                notice.facts["whom"] = HIDDEN
                notice.save(update_fields=["facts"])


def _subjects(member: Member) -> Iterable[str]:
    """What notices to others can be about in which the member is named."""
    orders = StandingOrder.objects.filter(payee=member)
    paused = (Notice.objects.filter(subject__startswith=f"standing_order:{order.public_id}:") for order in orders)
    rows: Iterable[Any] = chain(
        Transfer.objects.of(member),
        MoneyRequest.objects.filter(Q(asker=member) | Q(payer=member)),
        Gift.objects.filter(Q(sender=member) | Q(claimed_by=member)),
        StandingRun.objects.filter(order__in=orders),
    )
    return chain((row.source for row in rows), (notice.subject for notice in chain.from_iterable(paused)))


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    left = iter(texts)
    while some := list(islice(left, _CHUNK)):
        yield some
