"""Cards, as operators see them: last four digits, never a number, never a code."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from cards.models import Card, CardEvent, CardLoad, CardReveal
from cards.services import ending, life, loading
from cards.services.life import Channel
from members.admin.finding import OfMembers
from members.admin.tiers import text
from paymentsite.core import queries
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import deed, person
from paymentsite.core.formats import amount as formatted
from paymentsite.ledger.admin.tables import table

State = Card.State


class ReasonForm(forms.Form):
    reason = text(_("Reason"), 255)


@admin.register(Card)
class Cards(OfMembers[Card]):
    list_display = ("public_id", "member", "product", "shown", "use", "state", "expires_on", "issued_at")
    list_filter = ("state", "product", "use")
    list_select_related = ("member", "product")
    known_by = "public_id"
    otherwise = "last_four"
    search_help_text = _("an id, the last four digits, or a member's handle, e-mail address or id")
    fields = (
        "public_id",
        "member",
        "product",
        "shown",
        "label",
        "use",
        "uses_max",
        "uses_left",
        "category",
        "merchant",
        "state",
        "on_it",
        "expires_on",
        "replaces",
        "reference",
        "issued_at",
        "ended_at",
        "what_happened",
    )
    facts = ("member", "product", "shown", "state")
    deeds = ("block", "unblock", "close")

    @admin.display(description=_("number"))
    def shown(self, card: Card) -> str:
        return f"{card.prefix} ···· {card.last_four}"

    @admin.display(description=_("on it, and not on hold"))
    def on_it(self, card: Card) -> str:
        return formatted(loading.left_on(card))

    @admin.display(description=_("what happened"))
    def what_happened(self, card: Card) -> str:
        headings = (_("at"), _("became"), _("by way of"), _("by"), _("reason"))
        events = list(card.events.order_by("-pk")[:50])
        names = queries.names(event.actor for event in events)
        rows = [
            (
                date_format(localtime(event.at), "DATETIME_FORMAT"),
                event.get_after_display(),
                event.get_channel_display(),
                names.get(event.actor, event.actor),
                event.reason,
            )
            for event in events
        ]
        return str(table(headings, rows))

    @deed(
        _("Block"),
        permission="cards.block_card",
        form=ReasonForm,
        offered=lambda _by, row: row.state in {State.INACTIVE, State.ACTIVE, State.FROZEN},
    )
    def block(self, *, row: Card, by: Actor, answers: dict[str, Any]) -> str | Promise:
        life.block(card=row, by=by, reason=answers["reason"])
        return _("The card is blocked, and its member was told.")

    @deed(
        _("Unblock"),
        permission="cards.unblock_card",
        form=ReasonForm,
        offered=lambda _by, row: row.state == State.BLOCKED,
    )
    def unblock(self, *, row: Card, by: Actor, answers: dict[str, Any]) -> str | Promise:
        life.unblock(card=row, by=by, reason=answers["reason"])
        return _("The card is what it was before, and its member was told.")

    @deed(
        _("Close the card"),
        permission="cards.close_card",
        form=ReasonForm,
        offered=lambda _by, row: not row.ended,
    )
    def close(self, *, row: Card, by: Actor, answers: dict[str, Any]) -> str | Promise:
        ending.close(card=row, by=by, channel=Channel.ADMIN, reason=answers["reason"])
        return _("The card is over. What was on it is in the wallet.")


@admin.register(CardEvent)
class CardEvents(OfMembers[CardEvent]):
    list_display = ("at", "card", "before", "after", "channel", "who", "reason")
    list_filter = ("after", "channel")
    list_select_related = ("card",)
    parties = ("card__member",)
    fields = ("at", "card", "before", "after", "channel", "who", "reason")
    people = ("actor",)

    who = person("actor", _("by"))


@admin.register(CardLoad)
class CardLoads(OfMembers[CardLoad]):
    list_display = ("public_id", "card", "way", "shown_amount", "at")
    list_filter = ("way", "currency")
    list_select_related = ("card",)
    parties = ("card__member",)
    known_by = "public_id"
    fields = ("public_id", "card", "way", "shown_amount", "reference", "journal", "at")

    @admin.display(description=_("amount"))
    def shown_amount(self, load: CardLoad) -> str:
        return formatted(load.amount)


@admin.register(CardReveal)
class CardReveals(OfMembers[CardReveal]):
    list_display = ("asked_at", "card", "proof", "channel", "shown_at")
    list_filter = ("proof", "channel")
    list_select_related = ("card",)
    parties = ("card__member",)
    known_by = "public_id"
    fields = ("public_id", "card", "proof", "channel", "asked_at", "expires_at", "shown_at")
