"""What a member says for level 2, and what of it can be."""

import re
from datetime import date
from typing import Any, Final, TypedDict

from django.utils.translation import gettext_noop

from members.models import KycCase
from paymentsite.core import clock
from paymentsite.core.errors import Invalid
from paymentsite.core.vault import Secret

Proof = KycCase.Proof


class Facts(TypedDict, total=False):
    """What a member says for level 2; what is left out stays. ``country`` is who issued the document (ISO 3166)."""

    legal_name: Secret
    birthday: date
    document: KycCase.Document
    country: str
    number: Secret


class InvalidFact(Invalid, field=Proof):
    code = "kyc_invalid"
    sentence = gettext_noop("The {field} cannot be that.")


_NUMBER: Final = re.compile(r"[0-9A-Z]{5,30}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_SPACING: Final = re.compile(r"[\s./-]")


def _legal_name(value: Secret) -> Secret:
    name = " ".join(value.reveal().split())
    if not 1 <= len(name) <= 120 or not name.isprintable():  # noqa: PLR2004  longer than names in law are
        raise InvalidFact(field=Proof.LEGAL_NAME)
    return Secret(name)


def _number(value: Secret) -> Secret:
    number = _SPACING.sub("", value.reveal()).upper()
    if not _NUMBER.fullmatch(number):
        raise InvalidFact(field=Proof.NUMBER)
    return Secret(number)


def _document(value: str) -> str:
    if value not in KycCase.Document.values:
        raise InvalidFact(field=Proof.DOCUMENT)
    return value


def _country(value: str) -> str:
    if not _COUNTRY.fullmatch(value.upper()):
        raise InvalidFact(field=Proof.COUNTRY)
    return value.upper()


def _birthday(value: date) -> Secret:
    if not date(1900, 1, 1) <= value <= clock.today():
        raise InvalidFact(field=Proof.BIRTHDAY)
    return Secret(value.isoformat())


CHECKS: Final[dict[str, Any]] = {
    "legal_name": _legal_name,
    "birthday": _birthday,
    "document": _document,
    "country": _country,
    "number": _number,
}
