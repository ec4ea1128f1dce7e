"""Merchants that there are not: use a card, in a sandbox, and say what becomes of it."""

from argparse import ArgumentParser
from dataclasses import replace
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from cards.control_rules import Entry
from cards.messages import Merchant
from cards.models import Card
from cards.models.messages import Outcome
from cards.services import simulating
from cards.services.authorising import Answer
from cards.services.simulating import PRESETS, Heard, Saying, What
from members.models import Member
from paymentsite.core.actors import SYSTEM
from paymentsite.core.errors import DomainError
from paymentsite.core.money import Money
from paymentsite.core.vault import Secret

_ID_DIGITS: Final = 18


class Command(BaseCommand):
    help = (
        "In a sandbox, have a merchant say something about a card: ask for money, take it, give it back."
        " Give the reference that is printed to go on with the same use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=[what.value for what in What], help="what is said")
        parser.add_argument("card", help="its id, its number, or, with --member, its last four digits")
        parser.add_argument("amount", nargs="?", help="at the merchant, in whole units; to reverse all, leave it out")
        parser.add_argument("--member", help="whose card it is: a handle, an e-mail address or an id")
        parser.add_argument("--currency", help="the merchant's; CNY, or EUR abroad, unless said otherwise")
        parser.add_argument("--at", choices=list(PRESETS), help="the merchant; the use's own, or a shop")
        parser.add_argument("--merchant", metavar="ID", help="instead of the merchant's own id")
        parser.add_argument("--name", help="instead of the merchant's own name")
        parser.add_argument("--category", help="instead of the merchant's own kind, four digits")
        parser.add_argument("--country", help="instead of the merchant's own, two letters")
        parser.add_argument("--entry", choices=Entry.values, help="instead of the merchant's usual way of use")
        parser.add_argument("--reference", default="", help="of the use; a new one, unless said otherwise")
        parser.add_argument("--message", default="", help="id of the message; a new one, unless said otherwise")
        parser.add_argument("--settled", help="what the network settles, such as 12.50 EUR, where it is not the same")
        parser.add_argument("--final", action="store_true", help="nothing more will be taken of this use")
        parser.add_argument("--partial", action="store_true", help="a part of it would do")
        parser.add_argument("--page", action="store_true", help="typed into a page, with what stands on the card")
        parser.add_argument("--expires", help="what was typed as the expiry date, such as 2027-03")
        parser.add_argument("--code", help="what was typed as the security code")
        parser.add_argument("--pin", help="what was typed as the card's PIN")

    def handle(self, *, what: str, card: str, amount: str | None, **given: Any) -> None:
        try:
            found = simulating.card_called(card, member=_member(given["member"]))
            saying = Saying(
                card=found,
                amount=None if amount is None else Money.parse(amount, _currency(given)),
                merchant=_merchant(given),
                entry=_entry(given),
                reference=given["reference"],
                message_id=given["message"],
                settlement=_settled(given["settled"]),
                final=given["final"],
                partial=given["partial"],
                page=given["page"],
                expires=_month(given["expires"]),
                code=_secret(given["code"]),
                pin=_secret(given["pin"]),
            )
            heard = simulating.say(what=What(what), saying=saying, by=SYSTEM)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        for line in _words(heard, found):
            self.stdout.write(line)


def _words(heard: Heard, card: Card | Secret) -> list[str]:
    again = ", as before" if heard.answer.replayed else ""
    lines = [f"reference {heard.reference}, message {heard.message_id}"]
    if isinstance(heard.answer, Answer):
        answer = heard.answer
        why = "" if answer.outcome == Outcome.APPROVED else f": {answer.code.label}"
        lines.append(f"{answer.outcome.label}{again}{why}; receipt {answer.receipt}")
        if answer.outcome != Outcome.DECLINED:
            lines.append(f"approved {answer.approved}, at the merchant {answer.at_merchant}")
    else:
        lines.append(f"{Outcome.TOLD.label}{again}")
        if heard.answer.debt and heard.answer.debt.minor:
            lines.append(f"{heard.answer.debt} became a debt of the member's")
    if heard.use is not None:
        lines.append(f"the use stands as {heard.use.get_state_display()}")
    if not isinstance(card, Card):
        lines.append("the card is none of ours")
    lines.append(f"available {heard.available}" if heard.available is not None else "")
    return [line for line in lines if line]


def _member(term: str | None) -> Member | None:
    if term is None:
        return None
    name = term.strip().lower()
    called = Q(handle=name.removeprefix("@")) | Q(user__email=name)
    if name.isascii() and name.isdecimal() and len(name) <= _ID_DIGITS:
        called |= Q(pk=int(name))
    found = list(Member.objects.filter(called)[:2])
    if len(found) != 1:
        raise CommandError("There is no such member.")
    return found[0]


def _currency(given: dict[str, Any]) -> str:
    known = simulating.currency_of(given["reference"]) if given["reference"] and not given["at"] else None
    return given["currency"] or known or PRESETS[given["at"] or "shop"].currency


def _merchant(given: dict[str, Any]) -> Merchant | None:
    """None where the use's own, or the usual one, is meant."""
    parts = {"merchant": "id", "name": "name", "category": "category", "country": "country"}
    changed = {field: given[name] for name, field in parts.items() if given[name]}
    if given["at"] is None and not changed:
        return None
    return replace(PRESETS[given["at"] or "shop"].merchant, **changed)


def _entry(given: dict[str, Any]) -> Entry | None:
    if given["entry"]:
        return Entry(given["entry"])
    return PRESETS[given["at"]].entry if given["at"] else None


def _settled(text: str | None) -> Money | None:
    if text is None:
        return None
    number, _, unit = text.partition(" ")
    return Money.parse(number, unit)


def _month(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    year, _, month = text.partition("-")
    if not (year.isdecimal() and month.isdecimal()):
        raise CommandError("Write the expiry date as 2027-03.")
    return int(year), int(month)


def _secret(text: str | None) -> Secret | None:
    return Secret(text) if text else None
