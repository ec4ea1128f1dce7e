"""Amounts and shares as people read and type them, per locale. Machines use ``Money.parse`` and the wire form."""

import re
from copy import copy
from decimal import Decimal
from typing import Final

from babel import Locale
from babel.numbers import format_decimal
from django.utils.translation import get_language, ngettext, override
from django.utils.translation import to_locale as locale_name

from paymentsite.core.money import AmountMalformed, Money
from paymentsite.core.units import OWN_UNITS, SCALES

_DIGITS_MAX: Final = 12


def amount(money: Money, *, language: str | None = None) -> str:
    """``money`` as readers of ``language`` (of the active one, when none is given) write it: ``12,50 €``."""
    language = language or get_language() or "en"
    locale = _locale(language)
    if money.unit in OWN_UNITS:
        return _points(money, language=language, locale=locale)

    # ISO 4217 says how many decimals there are; Babel would round thirteen currencies away.
    scale = SCALES[money.unit]
    pattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (scale, scale)
    return str(pattern.apply(money.decimal, locale, currency=money.unit, currency_digits=False))


def read(text: str, unit: str, *, language: str | None = None) -> Money:
    """The amount that a reader of ``language`` typed: with that language's point, and its groups of three or none.

    ``1.234,5`` is German for what is ``1,234.5`` in English; either way round it is refused in the other, not guessed.
    """
    if (number := _number(text, _locale(language))) is None:
        raise AmountMalformed(given=text[:40])
    return Money.parse(number, unit)


def share(bp: int, *, language: str | None = None) -> str:
    """Hundredths of a percent as a share of the whole: ``12.5 %``."""
    return f"{percent(bp, language=language)} %"


def percent(bp: int, *, language: str | None = None) -> str:
    """The same as a number: ``12.5``."""
    return str(format_decimal(Decimal(bp) / 100, format="0.##", locale=_locale(language)))


def read_percent(text: str, *, language: str | None = None) -> int | None:
    """The hundredths of a percent that a reader of ``language`` typed as percent, with the sign or without it; None
    where it is no such number."""
    number = _number(text.strip().rstrip("%％"), _locale(language))
    if number is None or len(number) > _DIGITS_MAX:
        return None
    bp = Decimal(number) * 100
    return int(bp) if bp == int(bp) else None


def _locale(language: str | None) -> Locale:
    return Locale.parse(locale_name(language or get_language() or "en"))


def _number(text: str, locale: Locale) -> str | None:
    """What was typed, as machines write it."""
    point = re.escape(locale.number_symbols["latn"]["decimal"])
    group = locale.number_symbols["latn"]["group"]
    between = r"\s" if group.isspace() else re.escape(group)
    whole = rf"[0-9]{{1,3}}(?:{between}[0-9]{{3}})+|[0-9]+"
    written = re.fullmatch(rf"\s*(?P<whole>{whole})(?:{point}(?P<decimals>[0-9]+))?\s*", text)
    if written is None:
        return None
    digits = re.sub(between, "", written["whole"])
    return digits if written["decimals"] is None else f"{digits}.{written['decimals']}"


def _points(money: Money, *, language: str, locale: Locale) -> str:
    count = abs(money.minor)
    with override(language):
        words = (
            ngettext("%(count)s qualifying point", "%(count)s qualifying points", count)
            if money.unit == "QPT"
            else ngettext("%(count)s point", "%(count)s points", count)
        )
    return words % {"count": format_decimal(money.minor, locale=locale)}
