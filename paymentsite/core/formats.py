"""Amounts as people read them, per locale. For display only: nothing reads these texts back."""

from copy import copy

from babel import Locale
from babel.numbers import format_decimal
from django.utils.translation import get_language, ngettext, override
from django.utils.translation import to_locale as locale_name

from paymentsite.core.money import Money
from paymentsite.core.units import OWN_UNITS, SCALES


def amount(money: Money, *, language: str | None = None) -> str:
    """``money`` as readers of ``language`` (of the active one, when none is given) write it: ``12,50 €``."""
    language = language or get_language() or "en"
    locale = Locale.parse(locale_name(language))
    if money.unit in OWN_UNITS:
        return _points(money, language=language, locale=locale)

    # ISO 4217 says how many decimals there are; Babel would round thirteen currencies away.
    scale = SCALES[money.unit]
    pattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (scale, scale)
    return str(pattern.apply(money.decimal, locale, currency=money.unit, currency_digits=False))


def _points(money: Money, *, language: str, locale: Locale) -> str:
    count = abs(money.minor)
    with override(language):
        words = (
            ngettext("%(count)s qualifying point", "%(count)s qualifying points", count)
            if money.unit == "QPT"
            else ngettext("%(count)s point", "%(count)s points", count)
        )
    return words % {"count": format_decimal(money.minor, locale=locale)}
