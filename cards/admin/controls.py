"""What cards may be used for, as it was set: by members, and by two people for products and single cards."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from cards.models import CardControls
from cards.services import controls
from members.admin.finding import OfMembers
from paymentsite.core.backoffice import person
from paymentsite.core.errors import listed
from paymentsite.core.layout import NOTHING


@admin.register(CardControls)
class ControlsOfCards(OfMembers[CardControls]):
    list_display = ("at", "whose", "raised", "parts", "channel", "who")
    list_filter = ("raised", "channel", "product")
    list_select_related = ("card__product", "card__member", "member", "product")
    parties = ("card__member", "member")
    fields = ("at", "whose", "card", "member", "product", "raised", "shown", "channel", "who", "reason")
    people = ("actor",)

    who = person("actor", _("by"))

    @admin.display(description=_("whose"))
    def whose(self, row: CardControls) -> str:
        if row.card:
            return _("card ···· {last_four} of {member}").format(last_four=row.card.last_four, member=row.card.member)
        if row.member:
            return _("all cards of {member}").format(member=row.member)
        return _("each card of {product}").format(product=row.product)

    @admin.display(description=_("it speaks of"))
    def parts(self, row: CardControls) -> str:
        return listed(controls.parts_of(row)) or NOTHING

    @admin.display(description=_("what is allowed"))
    def shown(self, row: CardControls) -> str:
        return controls.row_words(row)
