"""What members may say of themselves, and in which form it is kept."""

import re
import zoneinfo
from datetime import date
from typing import Any, Final, TypedDict

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members import phones
from paymentsite.core import clock
from paymentsite.core.disclosure import clear
from paymentsite.core.errors import Conflict, Invalid
from paymentsite.core.units import OWN_UNITS, SCALES
from paymentsite.core.vault import Secret


class Field(TextChoices):
    HANDLE = "handle", _("handle")
    NAME = "display_name", _("name shown")
    PHONE = "phone", _("phone number")
    BIRTHDAY = "birthday", _("birthday")
    LANGUAGE = "language", _("language")
    TIME_ZONE = "time_zone", _("time zone")
    HOME_CURRENCY = "home_currency", _("currency")


class Form(TextChoices):
    """What a field must be and was not."""

    HANDLE = "letters_digits_underscores", _("3 to 30 letters, digits and underscores, a letter first")
    NAME = "short_and_printable", _("at most 80 printable characters")
    PHONE = "international", _("it begins with + and the country, and has 7 to 15 digits")
    BIRTHDAY = "in_the_past", _("it is a day between 1900 and today")
    LANGUAGE = "spoken_here", _("there is no such language here")
    TIME_ZONE = "known", _("there is no such zone")
    HOME_CURRENCY = "of_iso_4217", _("it is none of ISO 4217")


class InvalidProfile(Invalid, field=Field, why=Form):
    code = "invalid_profile"
    sentence = gettext_noop("The {field} cannot be that: {why}.")


class HandleTaken(Conflict):
    code = "handle_taken"
    sentence = gettext_noop("That handle is taken.")


class Profile(TypedDict, total=False):
    """What a member may say of themselves; what is left out stays."""

    handle: str | None
    display_name: str
    phone: Secret | None
    birthday: date | None
    language: str
    time_zone: str
    home_currency: str


def checked(name: str, value: Any) -> Any:
    """What is kept for the field ``name``; raises ``InvalidProfile``, or ``HandleTaken`` where nobody may have it."""
    return _CHECKS[name](value)


_HANDLE: Final = re.compile(r"[a-z][a-z0-9_]{2,29}")
_RESERVED: Final = frozenset({"admin", "support", "paymentsite", "help", "staff", "system", "operator"})
_OLDEST: Final = date(1900, 1, 1)


def _handle(value: str | None) -> str | None:
    if value is None:
        return None
    name = value.removeprefix("@").lower()
    if not _HANDLE.fullmatch(name):
        raise InvalidProfile(field=Field.HANDLE, why=Form.HANDLE)
    if name in _RESERVED:
        raise HandleTaken
    return name


def _display_name(value: str) -> str:
    name = " ".join(value.split())
    if len(name) > 80 or not name.isprintable():  # noqa: PLR2004  the column's width
        raise InvalidProfile(field=Field.NAME, why=Form.NAME)
    return clear(name)


def _phone(value: Secret | None) -> Secret | None:
    if value is None:
        return None
    number = phones.normal(value)
    if number is None:
        raise InvalidProfile(field=Field.PHONE, why=Form.PHONE)
    return number


def _birthday(value: date | None) -> Secret | None:
    if value is None:
        return None
    if not _OLDEST <= value <= clock.today():
        raise InvalidProfile(field=Field.BIRTHDAY, why=Form.BIRTHDAY)
    return Secret(value.isoformat())


def _language(value: str) -> str:
    if value not in dict(settings.LANGUAGES):
        raise InvalidProfile(field=Field.LANGUAGE, why=Form.LANGUAGE)
    return value


def _time_zone(value: str) -> str:
    if value not in zoneinfo.available_timezones():
        raise InvalidProfile(field=Field.TIME_ZONE, why=Form.TIME_ZONE)
    return value


def _home_currency(value: str) -> str:
    if value not in SCALES or value in OWN_UNITS:
        raise InvalidProfile(field=Field.HOME_CURRENCY, why=Form.HOME_CURRENCY)
    return value


_CHECKS: Final[dict[str, Any]] = {
    "handle": _handle,
    "display_name": _display_name,
    "phone": _phone,
    "birthday": _birthday,
    "language": _language,
    "time_zone": _time_zone,
    "home_currency": _home_currency,
}
