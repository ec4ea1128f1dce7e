"""What is kept about a person with their account numbers: how it is told, and how it is taken away."""

from typing import Any

from django.db.models import Prefetch, Q
from django.utils.translation import gettext_noop

from cards.models import BankCredit, VirtualAccount, VirtualAccountEvent
from cards.services import credits_left
from members.models import Member
from members.services import privacy
from paymentsite.core.vault.fields import Encrypted


@privacy.exporter("account numbers")
def given(member: Member) -> Any:
    events = Prefetch("events", VirtualAccountEvent.objects.order_by("pk"))
    found = VirtualAccount.objects.of(member).select_related("linked__bank_account").prefetch_related(events)
    return [
        {
            "number": account.number,
            "currency": account.currency,
            "kind": account.kind,
            "label": account.label,
            "expected": account.expected,
            "came": account.paid,
            "payer": _clear(account.payer),
            "last day": account.expires_on,
            "more than is expected is": account.over,
            "purpose": account.purpose,
            "linked to": account.linked.shown if account.linked else None,
            "state": account.state,
            "reference": account.reference,
            "opened": account.opened_at,
            "closed": account.closed_at,
            "events": [
                {
                    "became": event.after,
                    "purpose": event.purpose,
                    "by way of": event.channel,
                    "reason": event.reason,
                    "at": event.at,
                }
                for event in account.events.all()
            ],
        }
        for account in found.order_by("pk")
    ]


@privacy.exporter("credits by banks")
def credited(member: Member) -> Any:
    theirs = Q(member=member) | Q(assigned_to__member=member)
    return [
        {
            "bank": credit.bank.name,
            "reference": credit.reference,
            "number": _clear(credit.number),
            "amount": credit.amount,
            "set aside": credit.set_aside,
            "why": credit.why,
            "became": credit.outcome,
            "value date": credit.value_date,
            "payer": _clear(credit.payer_name),
            "payer's account": _clear(credit.payer_account),
            "note": _clear(credit.note),
            "told": credit.received_at,
            "decided": credit.settled_at,
        }
        for credit in BankCredit.objects.filter(theirs).select_related("bank").order_by("pk")
    ]


def _clear(held: Encrypted | None) -> str | None:
    return held.decrypt().reveal() if held is not None else None


@privacy.eraser(gettext_noop("account numbers"))
def unsaid(member: Member) -> None:
    """What their account numbers were for, and who paid to them; not while it may still have to be sent back. The
    numbers themselves stay: they are ours, and nobody else is given them."""
    credits_left.check(member)
    accounts = VirtualAccount.objects.of(member)
    accounts.exclude(label="", payer__isnull=True).update(label="", payer=None)
    theirs = Q(member=member) | Q(member=None, assigned_to__member=member)
    BankCredit.objects.filter(theirs).update(payer_name=None, payer_account=None, note=None)
