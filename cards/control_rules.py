"""Controls: what a card may be used for, and how much. Pure: what one set allows, and whether a use is within it.

A set belongs to a card, to a member (for all their cards together), or to a product (for each of its cards); what is
asked for must be within each of them, so that the strictest wins.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from cards import merchant_kinds
from members.periods import Period, Window, window


class Entry(TextChoices):
    """How a card's number got to the merchant."""

    ECOMMERCE = "ecommerce", _("typed into a page or an app")
    CONTACTLESS = "contactless", _("held to a terminal")
    CHIP = "chip", _("chip")
    STRIPE = "stripe", _("magnetic stripe")
    ATM = "atm", _("cash machine")
    RECURRING = "recurring", _("kept by the merchant")


class Measure(TextChoices):
    AMOUNT = "amount", _("amount")
    COUNT = "count", _("number of times")


class Span(TextChoices):
    """Over what a cap counts: each use, a period of the member's calendar, the time just before, or always."""

    EACH = "each", _("each time")
    DAY = "day", _("a day")
    WEEK = "week", _("a week")
    MONTH = "month", _("a month")
    YEAR = "year", _("a year")
    LAST_DAY = "last_day", _("within 24 hours")
    LAST_WEEK = "last_week", _("within 7 days")
    LAST_MONTH = "last_month", _("within 30 days")
    LAST_YEAR = "last_year", _("within 365 days")
    EVER = "ever", _("in all")


TRAILING: Final = {
    Span.LAST_DAY: timedelta(days=1),
    Span.LAST_WEEK: timedelta(days=7),
    Span.LAST_MONTH: timedelta(days=30),
    Span.LAST_YEAR: timedelta(days=365),
}
CALENDAR: Final = {Span(period.value): period for period in (Period.DAY, Period.WEEK, Period.MONTH, Period.YEAR)}


class Rule(TextChoices):
    """What of a set a use may be against."""

    CAP = "cap", _("a limit of the card")
    CATEGORY = "category", _("kinds of merchants")
    COUNTRY = "country", _("countries")
    MERCHANT = "merchant", _("merchants")
    ENTRY = "entry", _("ways of use")
    CURRENCY = "currency", _("currencies")
    HOUR = "hour", _("time of day")
    WEEKDAY = "weekday", _("day of the week")


class Malformed(ValueError):
    """A set that cannot be; says of which part."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


@dataclass(frozen=True, slots=True)
class Cap:
    """``currency`` is what an amount of all of a member's cards is counted in; those of a card are in the card's."""

    measure: Measure
    span: Span
    most: int
    currency: str = ""

    @property
    def name(self) -> str:
        return f"{self.measure}.{self.span}"

    def counts(self, currency: str) -> bool:
        """Whether it holds for a use of a card in ``currency``."""
        return self.currency in {"", currency}


@dataclass(frozen=True, slots=True)
class Names:
    """``only`` these, where it is not None; ``never`` those."""

    only: tuple[str, ...] | None = None
    never: tuple[str, ...] = ()

    def let(self, name: str) -> bool:
        return name not in self.never and (self.only is None or name in self.only)


@dataclass(frozen=True, slots=True)
class Controls:
    """One set. What it does not speak of it allows."""

    caps: tuple[Cap, ...] = ()
    categories: Names = field(default_factory=Names)
    countries: Names = field(default_factory=Names)
    merchants: Names = field(default_factory=Names)
    entries: tuple[Entry, ...] | None = None
    currencies: tuple[str, ...] | None = None
    hours: tuple[int, int] | None = None
    weekdays: tuple[int, ...] | None = None

    def kept(self) -> dict[str, Any]:
        """As it is stored: what it does not speak of is left out. To allow none of something is to speak of it."""
        silent = Controls()
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: _plain(value) for name, value in told.items() if value != getattr(silent, name)}


def _plain(value: Any) -> Any:
    match value:
        case Names():
            only = {} if value.only is None else {"only": list(value.only)}
            return {**only, **({"never": list(value.never)} if value.never else {})}
        case Cap():
            told = {"measure": str(value.measure), "span": str(value.span), "most": value.most}
            return {**told, "currency": value.currency} if value.currency else told
        case tuple():
            return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Use:
    """A use that is asked for. ``at`` is the moment on the member's clock."""

    amount: int
    merchant: str
    category: str
    country: str
    currency: str
    entry: Entry
    at: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a cap is used before: None where each use is judged for itself."""

    cap: Cap
    used: int | None
    resets_at: datetime | None = None

    @property
    def left(self) -> int:
        return max(0, self.cap.most - (self.used or 0))


def against(controls: Controls, use: Use) -> Iterator[Rule]:
    """The rules, but for caps, that ``use`` is against."""
    names = controls.categories
    if merchant_kinds.named(use.category, names.never) or not (
        names.only is None or merchant_kinds.named(use.category, names.only)
    ):
        yield Rule.CATEGORY
    if not controls.countries.let(use.country):
        yield Rule.COUNTRY
    if not controls.merchants.let(use.merchant):
        yield Rule.MERCHANT
    if controls.entries is not None and use.entry not in controls.entries:
        yield Rule.ENTRY
    if controls.currencies is not None and use.currency not in controls.currencies:
        yield Rule.CURRENCY
    if controls.hours is not None and not _within(use.at.time(), *controls.hours):
        yield Rule.HOUR
    if controls.weekdays is not None and use.at.weekday() not in controls.weekdays:
        yield Rule.WEEKDAY


def _within(moment: time, first: int, end: int) -> bool:
    """From the hour ``first`` to before ``end``; over midnight where that is earlier."""
    hour = moment.hour
    return first <= hour < end if first < end else hour >= first or hour < end


def since(span: Span, moment: datetime, windows: Mapping[Period, Window]) -> datetime | None:
    """Since when what was used counts; None for each use, and always."""
    if span in TRAILING:
        return moment - TRAILING[span]
    return windows[CALENDAR[span]].since if span in CALENDAR else None


def calendar_windows(moment: datetime, zone: Any) -> dict[Period, Window]:
    return {period: window(period, moment, zone) for period in CALENDAR.values()}
