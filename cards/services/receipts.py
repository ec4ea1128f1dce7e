"""Receipts of decisions in words, in the active language: each check, each limit, and what the member was told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import TextChoices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cards.control_rules import Measure, Rule, Span
from cards.models import CardControls, DecisionReceipt
from cards.models.messages import Code
from cards.services import sayings, uses
from members.models import Notice
from members.models.limits import limit_words
from members.services import notices
from paymentsite.core.errors import DomainError
from paymentsite.core.formats import amount as formatted
from paymentsite.core.money import Money


class Check(TextChoices):
    """What is looked at, in this order."""

    CARD = "card", _("the card, its member and the account")
    SECURITY = "security", _("PIN, expiry date and security code")
    USE = "use", _("what the card is for")
    CONTROLS = "controls", _("what it may be used for")
    RATE = "rate", _("exchange rate")
    CARD_LIMITS = "card_limits", _("limits of the card")
    MEMBER_LIMITS = "member_limits", _("limits of the member")
    FUNDS = "funds", _("what is on it")


class Scope(TextChoices):
    """Whose a control or a limit is."""

    CARD = "card", _("of the card")
    MEMBER = "member", _("of all cards of the member")
    PRODUCT = "product", _("of the product")
    LIMITS = "limits", _("of the member")


_FACTS: Final = {"check", "passed", "code", "refusal"}


@dataclass(frozen=True, slots=True)
class Checked:
    name: str
    passed: bool
    why: str


@dataclass(frozen=True, slots=True)
class Counted:
    """How far a limit was used before and after; None where each use is judged for itself."""

    scope: str
    name: str
    most: str
    before: str | None
    after: str | None
    resets_at: datetime | None


def checks(receipt: DecisionReceipt) -> list[Checked]:
    """Each check that was made; the last one decided where it was against it."""
    currency = _currency(receipt)
    return [
        Checked(_label(Check, row["check"]), row["passed"], "" if row["passed"] else _against(row, currency))
        for row in receipt.checks
    ]


def limits(receipt: DecisionReceipt) -> list[Counted]:
    """Each limit that was looked at, amounts whole."""
    return [
        Counted(
            _label(Scope, row["scope"]),
            limit_words(row["limit"]) if row["scope"] == Scope.LIMITS else cap_words(row["limit"]),
            counted(row["most"], row["currency"]),
            None if row["before"] is None else counted(row["before"], row["currency"]),
            None if row["after"] is None else counted(row["after"], row["currency"]),
            datetime.fromisoformat(row["resets_at"]) if row["resets_at"] else None,
        )
        for row in receipt.limits
    ]


def seen(receipt: DecisionReceipt) -> list[tuple[str, str]]:
    """What was seen of the books, and what was set aside."""
    if not receipt.seen or not (currency := _currency(receipt)):
        return []
    labels = {
        "posted": gettext("stood on the account"),
        "held": gettext("of that was set aside before"),
        "aside": gettext("was set aside for this"),
    }
    return [(label, counted(receipt.seen[name], currency)) for name, label in labels.items()]


def sets(receipt: DecisionReceipt) -> list[CardControls]:
    """Which sets of controls it was decided by."""
    return list(CardControls.objects.filter(pk__in=receipt.seen.get("controls", [])).order_by("pk"))


def said(receipt: DecisionReceipt) -> str:
    """The sentence that the member was told; nothing where there was none to tell, or nothing to say."""
    kinds = [sayings.SPENT.name, sayings.DECLINED.name]
    source = uses.source_of(receipt.message_id)
    told = Notice.objects.filter(kind__in=kinds, subject=source)
    use = receipt.message.use
    found = told.filter(member=use.member_id).first() if use else None
    return notices.sentence(found) if found else ""


def cap_words(name: str) -> str:
    """A limit of a card by its name: ``amount.day`` is "amount, a day"."""
    measure, _dot, span = name.partition(".")
    return gettext("{measure}, {span}").format(measure=_label(Measure, measure), span=_label(Span, span))


def _against(row: Mapping[str, Any], currency: str) -> str:
    """Why a check was against it, with its facts."""
    label, more = _label(Code, row["code"]), ""
    match row:
        case {"scope": scope, "rule": rule}:
            more = _of(_label(Rule, rule), scope)
        case {"scope": scope, "limit": limit, "most": most, "left": left}:
            unit = currency if limit.startswith(f"{Measure.AMOUNT}.") else None
            told = gettext("{limit}, at most {most}, {left} left")
            told = told.format(limit=cap_words(limit), most=counted(most, unit), left=counted(left, unit))
            more = _of(told, scope)
        case {"refusal": str(refusal)} if refusal in DomainError.catalogue():
            more = str(DomainError.of(refusal, {name: value for name, value in row.items() if name not in _FACTS}))
        case {"asked": asked, "available": available}:
            told = gettext("{asked} was asked for, {available} was there")
            more = told.format(asked=_money(asked), available=_money(available))
        case {"most": most}:
            more = gettext("at most {most}").format(most=_money(most))
        case {"tries": tries}:
            more = gettext("{count} in a row").format(count=tries)
    return gettext("{why}: {facts}").format(why=label, facts=more) if more else label


def _of(told: str, scope: str) -> str:
    return gettext("{what} ({whose})").format(what=told, whose=_label(Scope, scope))


def _currency(receipt: DecisionReceipt) -> str:
    return receipt.message.use.currency if receipt.message.use else ""


def counted(value: int, currency: str | None) -> str:
    """An amount whole, or how many times where there is no currency."""
    return formatted(Money(value, currency)) if currency else str(value)


def _money(wire: Mapping[str, Any]) -> str:
    return formatted(Money(wire["amount"], wire["currency"]))


def _label(kinds: type[TextChoices], value: str) -> str:
    return str(dict(kinds.choices).get(value, value))
