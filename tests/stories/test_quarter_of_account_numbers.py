"""A quarter of account numbers, told on the sandbox clock: all that a bank can tell, and the proof after each step."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from cards.models import AccountRange, Bank, BankCredit, VirtualAccount
from cards.services import account_life, accounts, bank_credits, banks, credit_decisions
from cards.services.accounts import Expected
from cards.services.bank_credits import Advice, CreditDiffers
from cards.services.credits_left import CreditsLeft
from cards.services.life import Channel
from members.models import Member, Notice
from members.services import members, privacy
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM, Actor
from paymentsite.core.models import Approval, ClockShift
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from paymentsite.ledger import queries as books
from tests.cards.banking import at_bank, set_aside
from tests.factories import cny
from tests.members.factories import member
from tests.members.limiting import cap
from tests.wallets import gateways
from tests.wallets.deciding import decide, staff
from tests.wallets.factories import emptied
from tests.wallets.saved import bank_account
from wallets.models import Wallet
from wallets.services import leaving, wallets

pytestmark = [pytest.mark.story, pytest.mark.django_db(transaction=True)]


class Quarter:
    """Ada, her wallet, and a bank that tells of what comes."""

    def __init__(self) -> None:
        self.operator = staff()
        self.ada: Member = member()
        self.purse: Wallet = wallets.open(member=self.ada, currency="CNY", by=SYSTEM)
        self.told = 0

    @property
    def bank(self) -> Bank:
        return Bank.objects.get()

    @property
    def numbers(self) -> AccountRange:
        return AccountRange.objects.get(currency="CNY")

    @property
    def by(self) -> Actor:
        return Actor.of(self.ada.user)

    def tell(
        self, number: str, amount: Money, *, day: date | None = None, reference: str = "", payer: str = "Bo Li"
    ) -> BankCredit:
        self.told += 1
        told = Advice(
            reference or f"b{self.told}", Secret(number), amount, day or clock.today(), payer_name=Secret(payer)
        )
        return bank_credits.receive(bank=self.bank, advice=told, by=SYSTEM)

    def wants(self, minor: int, reference: str, **terms: object) -> VirtualAccount:
        return accounts.open_for_purpose(
            wallet=self.purse,
            numbers=self.numbers,
            expected=Expected(cny(minor), **terms),  # type: ignore[arg-type]
            reference=reference,
            by=self.by,
            channel=Channel.WEB,
        )

    def assigned(self, credit: BankCredit, to: Member, account: VirtualAccount | None = None) -> None:
        found_out = {"member": to, "account": account, "reason": "she showed the receipt"}
        decide(credit_decisions.assign(credit=credit, by=self.operator, **found_out))  # type: ignore[arg-type]

    def returned(self, credit: BankCredit) -> None:
        decide(credit_decisions.give_back(credit=credit, by=self.operator, reason="nobody's"))

    def stands(self, *, wallet: int, aside: int = 0) -> None:
        """What is in the wallet and set aside in yuan; and nothing is wrong with anything."""
        assert (books.standing(self.purse.account).posted, set_aside()) == (cny(wallet), cny(aside))
        report = StringIO()
        call_command("verify", stdout=report)
        assert "all is well" in " ".join(report.getvalue().split())


def purpose_of(account: VirtualAccount) -> tuple[str, Money]:
    account.refresh_from_db()
    return account.purpose, account.paid


def test_quarter_of_account_numbers(tmp_path: Path) -> None:
    begin = datetime(datetime.now(UTC).year + 1, 1, 10, 2, tzinfo=UTC)
    ClockShift.objects.create(shift=begin - datetime.now(UTC))
    quarter = Quarter()
    two_people_add_a_bank(quarter)
    salary = salary_comes(quarter)
    invoices_are_paid(quarter)
    what_is_lost_is_found(quarter, salary)
    what_is_doubtful_waits(quarter, salary)
    what_is_late_waits(quarter)
    what_she_may_not_hold_waits(quarter, salary)
    she_takes_it_home(quarter, salary, tmp_path)
    she_leaves(quarter, salary)


def two_people_add_a_bank(quarter: Quarter) -> None:
    decide(banks.add_bank(code="harbour", name="Harbour Bank", by=quarter.operator, reason="our new bank"))
    terms: banks.RangeTerms = {"bank": quarter.bank, "scheme": "mod97", "country": "", "held_max": 9}
    terms |= {"prefix": "8888", "length": 22, "currency": "CNY"}
    decide(banks.add_range(terms=terms, by=quarter.operator, reason="our first numbers"))
    iban: banks.RangeTerms = {**terms, "scheme": "iban", "country": "DE", "prefix": "50010517", "currency": "EUR"}
    decide(banks.add_range(terms=iban, by=quarter.operator, reason="for euros"))
    assert Approval.objects.filter(state="approved").count() == 3
    quarter.stands(wallet=0)


def salary_comes(quarter: Quarter) -> VirtualAccount:
    """A number for good, linked to her own account; the bank tells of one salary twice, and once wrongly."""
    own = bank_account(of=quarter.ada, currency="CNY", verified=True)
    salary = accounts.open_permanent(
        wallet=quarter.purse,
        numbers=quarter.numbers,
        reference="salary",
        by=quarter.by,
        channel=Channel.WEB,
        linked=own,
        label="salary",
    )
    quarter.stands(wallet=0)
    for _ in range(2):
        quarter.tell(salary.number, cny(8_000_00), reference="january")
        quarter.stands(wallet=8_000_00)
    with pytest.raises(CreditDiffers):
        quarter.tell(salary.number, cny(80_000_00), reference="january")
    quarter.stands(wallet=8_000_00)
    return salary


def invoices_are_paid(quarter: Quarter) -> None:
    """In parts; with more, which she keeps; and with more, which she does not want."""
    dinner = quarter.wants(300_00, "dinner")
    quarter.tell(dinner.number, cny(100_00))
    assert purpose_of(dinner) == ("part_paid", cny(100_00))
    quarter.tell(dinner.number, cny(200_00))
    assert purpose_of(dinner) == ("paid", cny(300_00))
    quarter.tell(dinner.number, cny(20_00))
    assert purpose_of(dinner) == ("overpaid", cny(320_00))
    quarter.stands(wallet=8_320_00)

    rent = quarter.wants(2_000_00, "rent", over=VirtualAccount.Over.ASIDE)
    twice = quarter.tell(rent.number, cny(4_000_00))
    assert purpose_of(rent) == ("paid", cny(2_000_00))
    quarter.stands(wallet=10_320_00, aside=2_000_00)
    quarter.returned(twice)
    quarter.stands(wallet=10_320_00)


def what_is_lost_is_found(quarter: Quarter, salary: VirtualAccount) -> None:
    """One digit was wrong; and dollars came where yuan are kept."""
    lesson = quarter.wants(150_00, "lesson")
    wrong = lesson.number[:-1] + str((int(lesson.number[-1]) + 1) % 10)
    lost = quarter.tell(wrong, cny(150_00))
    quarter.stands(wallet=10_320_00, aside=150_00)
    quarter.assigned(lost, quarter.ada, lesson)
    assert purpose_of(lesson) == ("paid", cny(150_00))
    quarter.stands(wallet=10_470_00)

    dollars = quarter.tell(salary.number, Money(50_00, "USD"))
    assert set_aside("USD") == Money(50_00, "USD")
    quarter.stands(wallet=10_470_00)
    quarter.assigned(dollars, quarter.ada)
    assert books.standing(wallets.of(member=quarter.ada, currency="USD").account).posted == Money(50_00, "USD")
    quarter.stands(wallet=10_470_00)


def what_is_doubtful_waits(quarter: Quarter, salary: VirtualAccount) -> None:
    """A number that we suspended takes nothing; a member whom we suspended, and a wallet that is frozen, do."""
    account_life.suspend(account=salary, by=quarter.operator, reason="odd payers")
    odd = quarter.tell(salary.number, cny(70_00))
    quarter.stands(wallet=10_470_00, aside=70_00)
    account_life.reopen(account=salary, by=quarter.operator, reason="all explained")
    quarter.assigned(odd, quarter.ada)
    quarter.stands(wallet=10_540_00)

    members.suspend(member=quarter.ada, by=quarter.operator, reason="papers missing")
    wallets.freeze(wallet=quarter.purse, by=quarter.operator, reason="papers missing")
    quarter.tell(salary.number, cny(60_00))
    quarter.stands(wallet=10_600_00)
    wallets.thaw(wallet=quarter.purse, by=quarter.operator, reason="papers are here")
    members.resume(member=quarter.ada, by=quarter.operator, reason="papers are here")
    quarter.stands(wallet=10_600_00)


def what_is_late_waits(quarter: Quarter) -> None:
    """The last day passes; what the bank dates after it waits, what it dates before it counts, whenever it is told."""
    trip = quarter.wants(900_00, "trip", expires_on=clock.today() + timedelta(days=20))
    assert trip.expires_on is not None
    quarter.tell(trip.number, cny(400_00))
    clock.advance(by=timedelta(days=22))
    assert purpose_of(trip) == ("expired", cny(400_00))
    assert Notice.objects.of(quarter.ada).filter(kind="virtual_account_expired").count() == 1
    quarter.stands(wallet=11_000_00)

    late = quarter.tell(trip.number, cny(100_00))
    quarter.stands(wallet=11_000_00, aside=100_00)
    quarter.tell(trip.number, cny(500_00), day=trip.expires_on)
    assert purpose_of(trip) == ("paid", cny(900_00))
    quarter.stands(wallet=11_500_00, aside=100_00)
    quarter.returned(late)
    quarter.stands(wallet=11_500_00)


def what_she_may_not_hold_waits(quarter: Quarter, salary: VirtualAccount) -> None:
    cap(12_000_00, measure="balance", period="always", currency="CNY", member=quarter.ada)
    much = quarter.tell(salary.number, cny(8_000_00), reference="february")
    quarter.stands(wallet=11_500_00, aside=8_000_00)
    quarter.returned(much)
    quarter.tell(salary.number, cny(500_00))
    quarter.stands(wallet=12_000_00)


def she_takes_it_home(quarter: Quarter, salary: VirtualAccount, folder: Path) -> None:
    gateways.wallet(of=quarter.ada)  # with a payment PIN
    with gateways.sandboxes(folder, "sandbox"):
        gateways.route("payout", currency="CNY")
        order = accounts.withdraw(
            account=salary, amount=cny(2_000_00), reference="home", by=quarter.by, pin=gateways.PIN
        )
        assert order.state == "succeeded"
        quarter.stands(wallet=10_000_00)


def she_leaves(quarter: Quarter, salary: VirtualAccount) -> None:
    """Not while anything is set aside. What comes to her numbers afterwards is sent back; and she is forgotten."""
    last = quarter.tell(salary.number, Money(1_00, "EUR"))
    emptied(quarter.ada)
    with pytest.raises(CreditsLeft):
        leaving.leave(member=quarter.ada, by=quarter.by, reason="moving")
    quarter.returned(last)
    leaving.leave(member=quarter.ada, by=quarter.by, reason="moving")
    assert set(VirtualAccount.objects.values_list("state", flat=True)) == {"closed"}
    quarter.stands(wallet=0)

    too_late = quarter.tell(salary.number, cny(8_000_00), reference="march")
    quarter.stands(wallet=0, aside=8_000_00)
    with pytest.raises(CreditsLeft):
        privacy.erase(member=quarter.ada, by=quarter.operator, reason="she asked for it")
    quarter.returned(too_late)
    decide(privacy.erase(member=quarter.ada, by=quarter.operator, reason="she asked for it"))
    assert not BankCredit.objects.filter(member=quarter.ada, payer_name__isnull=False).exists()
    quarter.stands(wallet=0)
    # What is in the bank is what came and was not sent back.
    kept = 8_000_00 + 320_00 + 2_000_00 + 150_00 + 70_00 + 60_00 + 900_00 + 500_00
    assert at_bank() == cny(-kept)
