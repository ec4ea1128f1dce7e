"""Points that became money, as operators see them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from members.admin.finding import OfMembers
from paymentsite.core.formats import amount as formatted
from wallets.models import PointsCredit


@admin.register(PointsCredit)
class PointsCredits(OfMembers[PointsCredit]):
    list_display = ("public_id", "member", "points", "money", "wallet", "at")
    list_select_related = ("member", "wallet__member", "value")
    known_by = "public_id"
    fields = ("public_id", "member", "points", "value", "money", "wallet", "reference", "journal", "at")

    @admin.display(description=_("amount"))
    def money(self, credit: PointsCredit) -> str:
        return formatted(credit.amount)
