"""Instruments to arrange tests with."""

from typing import Any

from members.models import KycCase, Member
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.ids import uuid7
from paymentsite.core.vault import Secret
from tests.members.factories import member
from wallets.models import Instrument
from wallets.services import account_proofs, bank_accounts, outside_cards

VISA = "4111 1111 1111 1111"
MASTERCARD = "5555 5555 5555 4444"
IBAN = "DE89 3704 0044 0532 0130 00"


def card(*, of: Member | None = None, number: str = VISA, **fields: Any) -> Instrument:
    facts = {"holder": Secret("Ada Lovelace"), "year": clock.today().year + 2, "month": 7, **fields}
    return outside_cards.save(member=of or member(), number=Secret(number), by=SYSTEM, **facts)


def bank_account(*, of: Member | None = None, verified: bool = False, number: str = IBAN, **fields: Any) -> Instrument:
    facts = {"holder": Secret("Ada Lovelace"), "currency": "EUR", **fields}
    saved = bank_accounts.save(member=of or member(), number=Secret(number), by=SYSTEM, **facts)
    if verified:
        account_proofs.match_name(instrument=saved, legal_name=facts["holder"], by=SYSTEM)
        saved = Instrument.objects.with_details().get(pk=saved.pk)
    return saved


def known_as(name: str, who: Member, *, level: int = 2, state: str = "approved") -> None:
    """The member's identity was verified by that name, or is to be."""
    KycCase.objects.create(
        public_id=uuid7(clock.now()),
        member=who,
        level=level,
        state=state,
        legal_name=Secret(name),
        opened_at=clock.now(),
        submitted_at=clock.now(),
        decided_at=clock.now() if state == "approved" else None,
    )
