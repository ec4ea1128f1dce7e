"""What this app keeps about a person: how it is told, and how it is taken away. Registers both with ``privacy``."""

from typing import Any

from members.models import Member
from members.services import privacy
from paymentsite.core.actors import SYSTEM
from paymentsite.core.vault.fields import Encrypted
from wallets.models import BankAccount, Exchange, Instrument, OutsideCard
from wallets.services import instruments

_SAVED = (Instrument.Kind.CARD, Instrument.Kind.BANK_ACCOUNT)


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


@privacy.eraser("saved cards and accounts")
def unsaved(member: Member) -> None:
    """Numbers and holders are gone as when the member removes them, and what they called them too."""
    for found in Instrument.objects.of(member).active().filter(kind__in=_SAVED):
        instruments.remove(instrument=found, by=SYSTEM)
    Instrument.objects.of(member).exclude(label="").update(label="")
