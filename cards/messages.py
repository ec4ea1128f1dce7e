"""What processors say: each message once, under an id of theirs, about one use of a card."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cards.control_rules import Entry
from paymentsite.core.disclosure import clear
from paymentsite.core.errors import Conflict, Invalid
from paymentsite.core.logs import HIDDEN
from paymentsite.core.money import Money
from paymentsite.core.units import OWN_UNITS, SCALES
from paymentsite.core.vault import Secret

AMOUNT_MAX: Final = 10**15
_WIDTHS: Final = {"processor": 40, "message_id": 64, "reference": 64}
_MERCHANT: Final = {"id": 40, "name": 80, "city": 60}


class Part(TextChoices):
    PROCESSOR = "processor", _("processor")
    MESSAGE = "message_id", _("id of the message")
    REFERENCE = "reference", _("reference of the network")
    AMOUNT = "amount", _("amount")
    SETTLEMENT = "settlement", _("amount settled")
    MERCHANT = "merchant", _("merchant")
    CATEGORY = "category", _("kind of merchant")
    COUNTRY = "country", _("country")
    CARD = "card", _("card")
    EXPIRY = "expires", _("expiry date")


class MessageMalformed(Invalid, part=Part):
    code = "card_message_malformed"
    sentence = gettext_noop("This message cannot be taken in: look at its {part}.")


class MessageDiffers(Conflict):
    code = "card_message_differs"
    sentence = gettext_noop("Message {message} was taken in before, and said something else.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """Where the card was used. ``category`` is of ISO 18245, ``country`` of ISO 3166."""

    id: str
    name: str
    category: str
    country: str
    city: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message. ``reference`` is the same in all that are about one use; the card is named by number or by its id.

    ``amount`` is what the merchant asked for, in the merchant's currency; None in a cancellation of all of it.
    ``settlement`` is what the network settles with us for it, where that is another currency.
    """

    processor: str
    message_id: str
    reference: str
    merchant: Merchant
    entry: Entry
    told_at: datetime
    amount: Money | None = None
    settlement: Money | None = None
    number: Secret | None = field(default=None, repr=False)
    card: UUID | None = None
    final: bool = False

    def check(self) -> None:
        """Raise ``MessageMalformed`` for what no processor could mean."""
        for name, most in _WIDTHS.items():
            _check_text(Part(name), getattr(self, name), most)
            self._check_id(Part(name), getattr(self, name))
        for name, most in _MERCHANT.items():
            _check_text(Part.MERCHANT, getattr(self.merchant, name), most, empty=name == "city")
        if not (len(self.merchant.category) == 4 and self.merchant.category.isascii()) or (  # noqa: PLR2004  ISO 18245
            not self.merchant.category.isdecimal()
        ):
            raise MessageMalformed(part=Part.CATEGORY)
        country = self.merchant.country
        if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):  # noqa: PLR2004
            raise MessageMalformed(part=Part.COUNTRY)
        for part, money in ((Part.AMOUNT, self.amount), (Part.SETTLEMENT, self.settlement)):
            if money is not None and not (money.unit in SCALES and money.unit not in OWN_UNITS):
                raise MessageMalformed(part=part)
            if money is not None and not 0 <= money.minor <= AMOUNT_MAX:
                raise MessageMalformed(part=part)
        if (self.number is None) == (self.card is None):
            raise MessageMalformed(part=Part.CARD)

    @property
    def merchant_name(self) -> str:
        """What the merchant is called, as it may be kept and shown."""
        return self._shown(self.merchant.name)[: _MERCHANT["name"]]

    @property
    def city(self) -> str:
        """The same for where the merchant is."""
        return self._shown(self.merchant.city)[: _MERCHANT["city"]]

    def _shown(self, text: str) -> str:
        own = self.number.reveal() if self.number else ""
        return clear(text.replace(own, HIDDEN) if own else text)

    def _check_id(self, part: Part, value: str) -> None:
        """Names that are asked for again cannot have the card's number hidden in them. Other long numbers are none of
        our business: one in ten of those by which networks count reads like a card's."""
        if self.number is not None and self.number.reveal() in value:
            raise MessageMalformed(part=part)

    def digest(self, kind: str, card: UUID | None) -> str:
        """Of all that it says about ``card``, secrets aside: the same id must say the same again."""
        told: dict[str, Any] = {
            "kind": str(kind),
            "card": str(card),
            "reference": self.reference,
            "merchant": [self.merchant.id, self.merchant.category, self.merchant.country],
            "entry": str(self.entry),
            "amount": _written(self.amount),
            "settlement": _written(self.settlement),
            "final": self.final,
        }
        return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Told):
    """A question. ``expires`` is the year and month on the card; a merchant that keeps the number has no code."""

    expires: tuple[int, int] | None = None
    code: Secret | None = field(default=None, repr=False)
    pin: Secret | None = field(default=None, repr=False)
    partial: bool = False

    def check(self) -> None:
        super(Ask, self).check()
        if self.amount is None:
            raise MessageMalformed(part=Part.AMOUNT)
        if self.expires is not None and not 1 <= self.expires[1] <= 12:  # noqa: PLR2004  months
            raise MessageMalformed(part=Part.EXPIRY)


def _check_text(part: Part, value: str, most: int, *, empty: bool = False) -> None:
    if not ((value or empty) and len(value) <= most and value.isprintable()):
        raise MessageMalformed(part=part)


def _written(money: Money | None) -> list[Any] | None:
    return [money.minor, money.unit] if money is not None else None
