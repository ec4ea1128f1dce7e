"""Cards, as operators see them: last four digits, never a number, never a code."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cards.admin.control_forms import ControlsForm
from cards.admin.shown import link, minor, moment, whose
from cards.control_rules import Measure
from cards.models import Card, CardAuthorisation, CardControls, CardEvent, CardLoad, CardReveal
from cards.services import controls, debts, ending, life, loading, settling
from cards.services.life import Channel
from cards.services.receipts import Scope, cap_words, counted
from members.admin.finding import OfMembers
from members.admin.tiers import PROPOSED, text
from paymentsite.core import clock, queries
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import deed, person
from paymentsite.core.formats import amount as formatted
from paymentsite.core.layout import NOTHING
from paymentsite.ledger.admin.tables import LINES, table

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
        "subscribed",
        "state",
        "on_it",
        "owed",
        "expires_on",
        "replaces",
        "reference",
        "issued_at",
        "ended_at",
        "allowed",
        "left",
        "last_uses",
        "monthly_fees",
        "what_happened",
    )
    facts = ("member", "product", "shown", "state", "owed")
    deeds = ("block", "unblock", "let_more", "write_off", "close")

    @admin.display(description=_("number"))
    def shown(self, card: Card) -> str:
        return f"{card.prefix} ···· {card.last_four}"

    @admin.display(description=_("on it, and not on hold"))
    def on_it(self, card: Card) -> str:
        return formatted(loading.left_on(card))

    @admin.display(description=_("for the subscription"))
    def subscribed(self, card: Card) -> str:
        parts = [formatted(card.fixed) if card.fixed else "", str(card.get_every_display()) if card.every else ""]
        return ", ".join(part for part in parts if part) or NOTHING

    @admin.display(description=_("owed because of cards"))
    def owed(self, card: Card) -> str:
        return minor(debts.owed(card.member, card.product.currency).minor, card.product.currency)

    @admin.display(description=_("what it may be used for"))
    def allowed(self, card: Card) -> str:
        rows = [
            (link(CardControls, row.pk, whose(row)), controls.row_words(row)) for row in controls.rows_in_force(card)
        ]
        return str(table((_("set"), _("what is allowed")), rows))

    @admin.display(description=_("what is left of its limits"))
    def left(self, card: Card) -> str:
        headings = (_("whose"), _("limit"), _("at most"), _("used"), _("left"), _("begins anew"))
        return str(table(headings, [_left(each, card.product.currency) for each in controls.left(card, clock.now())]))

    @admin.display(description=_("last uses"))
    def last_uses(self, card: Card) -> str:
        headings = (_("at"), _("merchant"), _("paid"), _("set aside"), _("state"))
        rows = [
            (
                moment(use.at),
                link(CardAuthorisation, use.pk, use.merchant_name),
                minor(use.captured_minor, use.currency),
                minor(use.figures.held, use.currency),
                use.get_state_display(),
            )
            for use in card.authorisations.order_by("-at", "-pk")[:LINES]
        ]
        return str(table(headings, rows))

    @admin.display(description=_("monthly fees"))
    def monthly_fees(self, card: Card) -> str:
        headings = (_("due"), _("amount"), _("state"), _("tries"), _("at"))
        rows = [
            (
                date_format(fee.due_on, "SHORT_DATE_FORMAT"),
                formatted(fee.amount),
                fee.get_state_display(),
                fee.tries,
                moment(fee.at),
            )
            for fee in card.fees.order_by("-due_on")[:LINES]
        ]
        return str(table(headings, rows))

    @admin.display(description=_("what happened"))
    def what_happened(self, card: Card) -> str:
        headings = (_("at"), _("became"), _("by way of"), _("by"), _("reason"))
        events = list(card.events.order_by("-pk")[:50])
        names = queries.names(event.actor for event in events)
        rows = [
            (
                moment(event.at),
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
        _("Propose to let it do more"),
        permission="cards.raise_controls",
        form=ControlsForm,
        initial=lambda row: {"controls": controls.for_product(row), "currency": row.product.currency},
        offered=lambda _by, row: not row.ended,
    )
    def let_more(self, *, row: Card, by: Actor, answers: dict[str, Any]) -> str | Promise:
        controls.raise_for(card=row, terms=answers["terms"], by=by, reason=answers["reason"])
        return PROPOSED

    @deed(
        _("Propose to write off what its member owes"),
        permission="cards.propose_write_off",
        form=ReasonForm,
        offered=lambda _by, row: bool(debts.owed(row.member, row.product.currency).minor),
    )
    def write_off(self, *, row: Card, by: Actor, answers: dict[str, Any]) -> str | Promise:
        currency = row.product.currency
        settling.write_off_debt(member=row.member, currency=currency, by=by, reason=answers["reason"])
        return PROPOSED

    @deed(
        _("Close the card"),
        permission="cards.close_card",
        form=ReasonForm,
        offered=lambda _by, row: not row.ended,
    )
    def close(self, *, row: Card, by: Actor, answers: dict[str, Any]) -> str | Promise:
        ending.close(card=row, by=by, channel=Channel.ADMIN, reason=answers["reason"])
        return _("The card is over. What was on it is in the wallet, as far as it can go there.")


def _left(left: controls.Left, currency: str) -> tuple[Any, ...]:
    unit = currency if left.cap.measure == Measure.AMOUNT else ""
    return (
        str(Scope(left.scope).label),
        cap_words(left.cap.name),
        counted(left.cap.most, unit),
        NOTHING if left.used is None else counted(left.used, unit),
        counted(left.left, unit),
        moment(left.resets_at),
    )


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
