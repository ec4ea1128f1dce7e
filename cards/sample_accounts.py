"""Account numbers to look at: one of each sample member's, with something that came; and what waits for people."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from cards.models import AccountRange, Bank, VirtualAccount
from cards.services import accounts, bank_credits, banks
from cards.services.accounts import Expected
from cards.services.bank_credits import Advice
from cards.services.life import Channel
from members.demo import people
from members.models import Member, User
from members.services import members
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from wallets.services import wallets

BANK: Final = ("harbour", "Harbour Bank (sample)")
# Of banks that there are not: a German one, and a country without IBANs.
RANGES: Final[tuple[dict[str, Any], ...]] = (
    {"scheme": "mod97", "country": "", "prefix": "8888", "length": 22, "currency": "CNY"},
    {"scheme": "iban", "country": "DE", "prefix": "99999999", "length": 22, "currency": "EUR"},
)

_HOW: Final[dict[str, Any]] = {"by": SYSTEM, "reason": "sample data"}


def fill(buyer: Member) -> Iterator[str]:
    """Each sample member has an account number to which something came; run again, nothing is added."""
    bank = Bank.objects.filter(code=BANK[0]).first() or banks.put_bank(code=BANK[0], name=BANK[1], **_HOW)
    yuan, _euros = [_range(bank, terms) for terms in RANGES]
    if VirtualAccount.objects.of(buyer).exists():
        return
    joined = [members.join(user=User.objects.get(email=each.email)) for each in (people.MEMBER, *people.OTHERS)]
    for member in joined:
        found = _permanent(member, yuan)
        _came(found, 88_00, f"sample {found.member_id}", "Sample & Sons")
    _purposes(buyer, yuan)
    unknown = Advice("sample lost", Secret("8888000011112222333344"), Money(45_00, "CNY"), clock.today())
    bank_credits.receive(bank=bank, advice=unknown, by=SYSTEM)
    yield f"  accounts  one of each of {len(joined)} members, two for purposes of the sample member"


def _range(bank: Bank, terms: dict[str, Any]) -> AccountRange:
    first = AccountRange.objects.filter(bank=bank, prefix=terms["prefix"]).first()
    return first or banks.put_range({"bank": bank, "held_max": 20, **terms}, **_HOW)  # type: ignore[typeddict-item]


def _permanent(member: Member, numbers: AccountRange) -> VirtualAccount:
    return accounts.open_permanent(
        wallet=wallets.open(member=member, currency=numbers.currency, by=SYSTEM),
        numbers=numbers,
        reference="demo account",
        by=Actor.of(member.user),
        channel=Channel.WEB,
    )


def _purposes(member: Member, numbers: AccountRange) -> None:
    wallet = wallets.of(member=member, currency=numbers.currency)

    def wanted(reference: str, minor: int, over: VirtualAccount.Over) -> VirtualAccount:
        last_day = clock.today() + timedelta(days=30)
        return accounts.open_for_purpose(
            wallet=wallet,
            numbers=numbers,
            expected=Expected(Money(minor, "CNY"), expires_on=last_day, over=over, payer=Secret("Bo Sample")),
            reference=reference,
            by=Actor.of(member.user),
            channel=Channel.WEB,
            label="Shared dinner",
        )

    _came(wanted("demo part", 120_00, VirtualAccount.Over.KEEP), 40_00, "sample part", "Bo Sample")
    _came(wanted("demo over", 60_00, VirtualAccount.Over.ASIDE), 75_00, "sample over", "Bo Sample")


def _came(account: VirtualAccount, minor: int, reference: str, payer: str) -> None:
    told = Advice(
        reference=reference,
        number=Secret(account.number),
        amount=Money(minor, account.currency),
        value_date=clock.today(),
        payer_name=Secret(payer),
        note=Secret("Thank you"),
    )
    bank_credits.receive(bank=account.numbers.bank, advice=told, by=SYSTEM)
