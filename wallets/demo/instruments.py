"""A saved card and two bank accounts, with the numbers that card schemes and banks publish for tests."""

from collections.abc import Iterator
from contextlib import suppress

from members.models import Member
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.errors import DomainError
from paymentsite.core.vault import Secret
from wallets.models import Instrument
from wallets.services import account_proofs, bank_accounts, outside_cards, small_deposits


def fill(member: Member) -> Iterator[str]:
    """The member has saved a card and two accounts; one is verified, one waits for its deposits. Done once."""
    by, holder = Actor.of(member.user), Secret("Mei Lin")
    if not Instrument.objects.of(member).filter(kind__in=["card", "bank_account"]).exists():
        outside_cards.save(
            member=member,
            number=Secret("4111 1111 1111 1111"),
            holder=holder,
            year=clock.today().year + 3,
            month=5,
            label="Everyday",
            by=by,
        )
        verified = bank_accounts.save(
            member=member,
            number=Secret("6222020200112230012"),
            holder=holder,
            currency="CNY",
            country="CN",
            bank_code="102100099996",
            by=by,
        )
        account_proofs.match_name(instrument=verified, legal_name=holder, by=by)
        waiting = bank_accounts.save(
            member=member, number=Secret("DE89370400440532013000"), holder=holder, currency="EUR", by=by
        )
        with suppress(DomainError):  # no gateway pays there; then nothing waits
            small_deposits.start(instrument=waiting, by=by)
    saved = Instrument.objects.of(member).active().with_details().order_by("pk")
    yield f"  saved     {', '.join(found.shown for found in saved if not found.owned)}"
