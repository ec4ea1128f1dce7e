"""Uses of cards and what was said about them, as operators see them."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from cards.admin.cards import ReasonForm
from cards.admin.shown import kind_of, link, minor, moment
from cards.models import CardAuthorisation, CardMessage, DecisionReceipt
from cards.models.messages import Outcome
from cards.queries.finding import named_by_processors
from cards.services import refunds_aside, settling, stray_losses
from members.admin.finding import MemberField, OfMembers
from members.admin.tiers import PROPOSED
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import deed
from paymentsite.core.errors import listed
from paymentsite.core.formats import amount as formatted
from paymentsite.core.layout import NOTHING
from paymentsite.ledger.admin.tables import table
from paymentsite.ledger.models import Journal

_DIGITS = 4


class PlaceForm(ReasonForm):
    member = MemberField(label=_("Member"))
    field_order = ("member", "reason")


@admin.register(CardAuthorisation)
class CardUses(OfMembers[CardAuthorisation]):
    list_display = ("at", "member", "ending", "merchant_name", "kind", "amount", "state")
    list_filter = ("state", "entry", "currency")
    list_select_related = ("member", "card")
    known_by = "id"
    search_help_text = _(
        "the network's reference, a receipt's id, an id, the card's last four digits, or a member's handle, e-mail"
        " address or id"
    )
    fields = (
        "id",
        "at",
        "member",
        "card",
        "merchant_name",
        "merchant",
        "kind",
        "city",
        "country",
        "entry",
        "state",
        "approved_amount",
        "set_aside",
        "cancelled",
        "paid",
        "refunded",
        "counts",
        "expires_at",
        "processor",
        "reference",
        "time_line",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[CardAuthorisation]:
        found: QuerySet[CardAuthorisation] = super().get_queryset(request)
        first = CardMessage.objects.filter(use=OuterRef("pk")).order_by("at", "pk").values("card_minor")
        return found.annotate(first_minor=Subquery(first[:1]))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CardAuthorisation], search_term: str
    ) -> tuple[QuerySet[CardAuthorisation], bool]:
        found, more = super().get_search_results(request, queryset, search_term)
        if not (term := search_term.strip()):
            return found, more
        wanted = named_by_processors(CardAuthorisation, "reference", term)
        if len(term) == _DIGITS:
            wanted |= Q(card__last_four=term)
        with suppress(ValueError):
            wanted |= Q(pk__in=CardMessage.objects.filter(receipt=UUID(term)).values("use"))
        return found | queryset.filter(wanted), more

    @admin.display(description=_("card"))
    def ending(self, use: CardAuthorisation) -> str:
        return f"···· {use.card.last_four}"

    @admin.display(description=_("kind of merchant"), ordering="category")
    def kind(self, use: CardAuthorisation) -> str:
        return kind_of(use.category)

    @admin.display(description=_("amount"))
    def amount(self, use: Any) -> str:
        """What was paid, else approved, else asked for."""
        return minor(use.captured_minor or use.authorised_minor or use.first_minor, use.currency)

    @admin.display(description=_("approved"))
    def approved_amount(self, use: CardAuthorisation) -> str:
        return minor(use.authorised_minor, use.currency)

    @admin.display(description=_("set aside"))
    def set_aside(self, use: CardAuthorisation) -> str:
        return minor(use.figures.held, use.currency)

    @admin.display(description=_("cancelled"))
    def cancelled(self, use: CardAuthorisation) -> str:
        return minor(use.cancelled_minor, use.merchant_currency)

    @admin.display(description=_("paid"))
    def paid(self, use: CardAuthorisation) -> str:
        return minor(use.captured_minor, use.currency)

    @admin.display(description=_("refunded"))
    def refunded(self, use: CardAuthorisation) -> str:
        return minor(use.refunded_minor, use.currency)

    @admin.display(description=_("counts against limits"))
    def counts(self, use: CardAuthorisation) -> str:
        return minor(use.counted_minor, use.currency)

    @admin.display(description=_("message by message"))
    def time_line(self, use: CardAuthorisation) -> str:
        headings = (_("at"), _("message"), _("at the merchant"), _("on the card"), _("outcome"), _("kept as"))
        messages = use.messages.select_related("receipt").order_by("at", "pk")
        return str(table(headings, [_line(message, use.currency) for message in messages]))


def _line(message: CardMessage, currency: str) -> tuple[Any, ...]:
    receipt = getattr(message, "receipt", None)
    kept = [link(DecisionReceipt, receipt.pk, _("Receipt"))] if receipt else []
    kept += [link(Journal, message.journal_id, _("Journal"))] if message.journal_id else []
    return (
        moment(message.at),
        link(CardMessage, message.pk, message.get_kind_display()),
        minor(message.merchant_minor, message.merchant_currency),
        minor(message.card_minor, currency),
        listed(_outcome(message, currency)),
        format_html_join(" ", "{}", ((each,) for each in kept)) or NOTHING,
    )


def _outcome(message: CardMessage, currency: str) -> Iterator[str]:
    yield message.get_outcome_display()
    if message.outcome == Outcome.DECLINED:
        yield message.get_code_display()
    if message.outcome == Outcome.PARTIAL:
        yield minor(message.approved_minor, currency)
    if message.final:
        yield str(_("the last one"))
    if message.debt_minor:
        yield f"{_('became a debt')} {minor(message.debt_minor, currency)}"


@admin.register(CardMessage)
class CardMessages(OfMembers[CardMessage]):
    list_display = ("at", "whose", "ending", "merchant", "kind", "asked", "outcome", "code")
    list_filter = ("kind", "outcome", "code")
    list_select_related = ("use__member", "use__card", "card__member")
    parties = ("use__member", "card__member")
    known_by = "id"
    search_help_text = _("the processor's id of a message, an id, or a member's handle, e-mail address or id")
    fields = (
        "id",
        "at",
        "told_at",
        "kind",
        "use",
        "whose",
        "ending",
        "merchant",
        "asked",
        "settled",
        "rate",
        "margin",
        "fee",
        "on_card",
        "approved_amount",
        "set_aside",
        "debt",
        "final",
        "outcome",
        "code",
        "decided",
        "journal",
        "left_aside",
        "processor",
        "message_id",
    )
    facts = ("at", "kind", "whose", "merchant", "asked", "left_aside")
    deeds = ("place", "pay", "lose")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CardMessage], search_term: str
    ) -> tuple[QuerySet[CardMessage], bool]:
        found, more = super().get_search_results(request, queryset, search_term)
        if not (term := search_term.strip()):
            return found, more
        return found | queryset.filter(named_by_processors(CardMessage, "message_id", term)), more

    @admin.display(description=_("member"))
    def whose(self, message: CardMessage) -> str:
        return str(message.whose) if message.whose else NOTHING

    @admin.display(description=_("card"))
    def ending(self, message: CardMessage) -> str:
        card = message.use.card if message.use else message.card
        return str(card) if card else str(_("a card that is none of ours"))

    @admin.display(description=_("merchant"))
    def merchant(self, message: CardMessage) -> str:
        return message.use.merchant_name if message.use else NOTHING

    @admin.display(description=_("amount at the merchant"))
    def asked(self, message: CardMessage) -> str:
        return minor(message.merchant_minor, message.merchant_currency)

    @admin.display(description=_("amount settled"))
    def settled(self, message: CardMessage) -> str:
        return minor(message.settlement_minor, message.settlement_currency)

    @admin.display(description=_("margin"))
    def margin(self, message: CardMessage) -> str:
        return minor(message.margin_minor, _currency(message))

    @admin.display(description=_("fee"))
    def fee(self, message: CardMessage) -> str:
        return minor(message.fee_minor, _currency(message))

    @admin.display(description=_("amount of the card"))
    def on_card(self, message: CardMessage) -> str:
        return minor(message.card_minor, _currency(message))

    @admin.display(description=_("approved"))
    def approved_amount(self, message: CardMessage) -> str:
        return minor(message.approved_minor, _currency(message))

    @admin.display(description=_("set aside"))
    def set_aside(self, message: CardMessage) -> str:
        return minor(message.aside_minor, _currency(message))

    @admin.display(description=_("became a debt"))
    def debt(self, message: CardMessage) -> str:
        return minor(message.debt_minor, _currency(message))

    @admin.display(description=_("receipt"))
    def decided(self, message: CardMessage) -> str:
        receipt = getattr(message, "receipt", None)
        return link(DecisionReceipt, receipt.pk, receipt.pk) if receipt else NOTHING

    @admin.display(description=_("of a refund, waits to be put on a wallet"))
    def left_aside(self, message: CardMessage) -> str:
        left = refunds_aside.left_of(message)
        return formatted(left) if left else NOTHING

    @deed(
        _("Propose to put it on a wallet"),
        permission="cards.propose_refund_place",
        form=PlaceForm,
        initial=lambda row: {"member": row.whose.handle or row.whose.pk} if row.whose else {},
        offered=lambda _by, row: refunds_aside.left_of(row) is not None and not refunds_aside.has_left(row),
    )
    def place(self, *, row: CardMessage, by: Actor, answers: dict[str, Any]) -> str | Promise:
        settling.place_refund(message=row, member=answers["member"], by=by, reason=answers["reason"])
        return PROPOSED

    @deed(
        _("Say that it was paid by hand"),
        permission="cards.propose_refund_place",
        form=ReasonForm,
        offered=lambda _by, row: refunds_aside.left_of(row) is not None and refunds_aside.has_left(row),
    )
    def pay(self, *, row: CardMessage, by: Actor, answers: dict[str, Any]) -> str | Promise:
        if row.whose is None:
            raise settling.RefundNotAside
        settling.pay_refund(message=row, member=row.whose, by=by, reason=answers["reason"])
        return PROPOSED

    @deed(
        _("Propose to write it off"),
        permission="cards.propose_write_off",
        form=ReasonForm,
        offered=lambda _by, row: stray_losses.open_amount(row) is not None,
    )
    def lose(self, *, row: CardMessage, by: Actor, answers: dict[str, Any]) -> str | Promise:
        stray_losses.write_off(message=row, by=by, reason=answers["reason"])
        return PROPOSED


def _currency(message: CardMessage) -> str:
    return message.use.currency if message.use else ""
