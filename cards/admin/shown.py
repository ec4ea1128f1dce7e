"""What the pages of cards show alike: moments, amounts, kinds of merchants, and links to other pages."""

from datetime import datetime

from django.db.models import Model
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from cards import merchant_kinds
from cards.merchant_kinds import Group
from cards.models import CardControls
from paymentsite.core.formats import amount as formatted
from paymentsite.core.layout import NOTHING
from paymentsite.core.money import Money


def moment(at: datetime | None) -> str:
    """As it stands in tables: short."""
    return date_format(localtime(at), "SHORT_DATETIME_FORMAT") if at else NOTHING


def minor(value: int | None, currency: str) -> str:
    """So many smallest parts, whole; nothing where there are none to speak of."""
    return formatted(Money(value, currency)) if value and currency else NOTHING


def kind_of(category: str) -> str:
    """A kind of merchants by its code, and by the group that people know."""
    group = next((each for each in Group if merchant_kinds.named(category, [each])), None)
    return f"{category} {group.label}" if group else category


def link(model: type[Model], pk: object, text: object) -> SafeString:
    page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', page, text)


def whose(row: CardControls) -> str:
    """What a set of controls is for."""
    if row.card:
        return str(_("for this card, in place of the product's") if row.raised else _("for this card"))
    return str(_("for all cards of the member") if row.member else _("for the product"))
