"""A bank that there is not: tells of money that came to an account number, in a sandbox."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cards.models import Bank, VirtualAccount
from cards.services import bank_credits
from cards.services.bank_credits import Advice
from paymentsite.core import clock
from paymentsite.core.actors import SYSTEM
from paymentsite.core.errors import DomainError
from paymentsite.core.ids import uuid7
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret
from wallets.numbers import compact


class Command(BaseCommand):
    help = "In a sandbox, have a bank credit an account number. Told again with the same reference, nothing happens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", help="the account number, as the payer wrote it")
        parser.add_argument("amount", help="in whole units, such as 12.50")
        parser.add_argument("--currency", help="the account's, unless said otherwise")
        parser.add_argument("--bank", help="the code of the bank that tells; the account's, unless said otherwise")
        parser.add_argument("--reference", help="the bank's own; a new one, unless said otherwise")
        parser.add_argument("--value-date", type=date.fromisoformat, help="such as 2027-01-31; today's, unless said")
        parser.add_argument("--payer", help="who paid")
        parser.add_argument("--payer-account", help="from which account")
        parser.add_argument("--note", help="what the payer wrote")

    def handle(self, *, number: str, amount: str, **given: Any) -> None:
        if not settings.SANDBOX:
            raise CommandError("Money that no bank has: only with SANDBOX=1.")
        account = VirtualAccount.objects.filter(number=compact(number)).select_related("numbers__bank").first()
        try:
            credit = bank_credits.receive(
                bank=_bank(account, given["bank"]),
                advice=Advice(
                    reference=given["reference"] or f"simulated {uuid7(clock.now())}",
                    number=Secret(number),
                    amount=Money.parse(amount, given["currency"] or (account.currency if account else "CNY")),
                    value_date=given["value_date"] or clock.today(),
                    payer_name=_secret(given["payer"]),
                    payer_account=_secret(given["payer_account"]),
                    note=_secret(given["note"]),
                ),
                by=SYSTEM,
            )
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        aside = f", {credit.set_aside} set aside: {credit.get_why_display()}" if credit.aside_minor else ""
        self.stdout.write(f"{credit.reference}: {credit.booked} on the wallet{aside}.")


def _bank(account: VirtualAccount | None, code: str | None) -> Bank:
    if account and code is None:
        return account.numbers.bank
    banks = Bank.objects.filter(code=code) if code else Bank.objects.all()
    if banks.count() != 1:
        known = ", ".join(Bank.objects.order_by("code").values_list("code", flat=True))
        raise CommandError(f"Name the bank with --bank: {known or 'there is none yet'}.")
    return banks.get()


def _secret(text: str | None) -> Secret | None:
    return Secret(text) if text else None
