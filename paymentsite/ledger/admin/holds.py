"""Holds and lots."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from paymentsite.core.backoffice import BackOffice
from paymentsite.core.formats import amount as formatted
from paymentsite.core.money import Money
from paymentsite.ledger.admin.tables import link, table
from paymentsite.ledger.models import Hold, Lot


@admin.register(Hold)
class Holds(BackOffice[Hold]):
    list_display = ("id", "account", "left_now", "state", "placed_at", "expires_at")
    list_filter = ("state",)
    list_select_related = ("account",)
    search_fields = ("id",)
    fields = (
        "id",
        "account",
        "authorised",
        "captured",
        "released",
        "left_now",
        "state",
        "placed_at",
        "expires_at",
        "events",
    )
    ordering = ("-pk",)

    @admin.display(description=_("left"))
    def left_now(self, hold: Hold) -> str:
        return formatted(hold.left)

    @admin.display(description=_("authorised"))
    def authorised(self, hold: Hold) -> str:
        return formatted(Money(hold.authorised_minor, hold.unit))

    @admin.display(description=_("captured"))
    def captured(self, hold: Hold) -> str:
        return formatted(Money(hold.captured_minor, hold.unit))

    @admin.display(description=_("released"))
    def released(self, hold: Hold) -> str:
        return formatted(Money(hold.released_minor, hold.unit))

    @admin.display(description=_("what happened"))
    def events(self, hold: Hold) -> str:
        rows = [
            (
                event.journal.recorded_at.strftime("%Y-%m-%d %H:%M:%S"),
                event.get_kind_display(),
                formatted(Money(event.amount_minor, hold.unit)),
                link("journal", event.journal_id, event.journal.kind),
            )
            for event in hold.events.select_related("journal").order_by("pk")
        ]
        return table((_("at (UTC)"), _("what"), _("amount"), _("journal")), rows)


@admin.register(Lot)
class Lots(BackOffice[Lot]):
    list_display = ("account", "origin", "active_on", "expires_on", "issued_minor", "left")
    list_select_related = ("account",)
    search_fields = ("id",)
    fields = (
        "account",
        "origin",
        "active_on",
        "expires_on",
        "issued_minor",
        "used_minor",
        "expired_minor",
        "held_minor",
        "left",
    )
    ordering = ("-pk",)

    @admin.display(description=_("left"))
    def left(self, lot: Lot) -> str:
        return formatted(Money(lot.left_minor, lot.account.unit))
