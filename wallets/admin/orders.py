"""Orders to gateways, as operators see them: how they stand, what was said of them, and what may be done."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from members.admin.finding import OfMembers
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import deed, person
from paymentsite.core.formats import amount as formatted
from paymentsite.core.layout import NOTHING
from wallets.admin.wallets import ReasonForm
from wallets.models import GatewayOrder, OrderEvent, ProofDeposit, TopUp, Withdrawal
from wallets.models.orders import UNDECIDED, OrderT, State
from wallets.services import conflicts, janitor, orders, top_ups

_ASKABLE = frozenset({*UNDECIDED, State.CONFLICT, State.RETURNING, State.SUCCEEDED})


class GiveBackForm(ReasonForm):
    by_hand = forms.BooleanField(
        label=_("It was given back by hand, at the gateway, already"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )


class EndForm(ReasonForm):
    """Nothing is chosen before somebody chooses: either way money moves."""

    happened = forms.TypedChoiceField(
        label=_("What became of it"),
        choices=(("", "–"), ("yes", _("It happened as we asked for it")), ("no", _("It never happened"))),
        coerce=lambda chosen: chosen == "yes",
        widget=UnfoldAdminSelectWidget,
    )


# What there is of orders on wallets alone, or is not shown of others.
_OF_WALLETS = frozenset({"public_id", "member", "wallet", "asked", "price", "really_moved", "gone_again", "method"})


class _Orders(OfMembers[OrderT]):
    list_display: tuple[str, ...] = (
        "public_id",
        "member",
        "asked",
        "price",
        "method",
        "gateway",
        "state",
        "created_at",
    )
    list_filter: tuple[str, ...] = ("state", "gateway", "currency", "method")
    known_by = "public_id"
    otherwise = "gateway_reference"
    search_help_text = _("an id, a member's handle, e-mail address or id, or the gateway's reference")
    facts: ClassVar[tuple[str, ...]] = ("member", "asked", "price", "really_moved", "state", "reason")
    fields: tuple[str, ...] = (
        "public_id",
        "member",
        "wallet",
        "asked",
        "price",
        "really_moved",
        "gone_again",
        "method",
        "instrument",
        "gateway",
        "gateway_reference",
        "reference",
        "state",
        "reason",
        "booked_to",
        "journal",
        "return_journal",
        "created_at",
        "changed_at",
        "next_query_at",
        "queries",
        "history",
    )

    @admin.display(description=_("amount"))
    def asked(self, order: GatewayOrder) -> str:
        return formatted(order.amount)

    @admin.display(description=_("fee"))
    def price(self, order: GatewayOrder) -> str:
        return formatted(order.fee)

    @admin.display(description=_("really moved"))
    def really_moved(self, order: GatewayOrder) -> str:
        return NOTHING if order.moved_minor is None else formatted(order.moved)

    @admin.display(description=_("came back"))
    def gone_again(self, order: GatewayOrder) -> str:
        return formatted(order.came_back) if order.came_back_minor else NOTHING

    @admin.display(description=_("what happened"))
    def history(self, order: GatewayOrder) -> str:
        rows = (
            (
                event.at.strftime("%Y-%m-%d %H:%M:%S"),
                event.get_origin_display(),
                event.get_state_display(),
                event.reason,
            )
            for event in orders.events(order)
        )
        return format_html_join("", "<div>{} {}: {} {}</div>", rows)

    @deed(
        _("Ask the gateway now"),
        permission="wallets.ask_gateway",
        offered=lambda _by, row: row.state in _ASKABLE,
    )
    def ask(self, *, row: OrderT, by: Actor, answers: dict[str, Any]) -> str | Promise:
        del answers
        found = janitor.ask(order=row, by=by)
        return gettext("The gateway was asked. The order is: {state}.").format(
            state=found.get_state_display() if found else NOTHING
        )

    @deed(
        _("Accept what moved"),
        permission="wallets.propose_order",
        form=ReasonForm,
        offered=lambda _by, row: row.state == State.CONFLICT,
    )
    def accept(self, *, row: OrderT, by: Actor, answers: dict[str, Any]) -> str | Promise:
        conflicts.accept(order=row, by=by, reason=answers["reason"])
        return _("Proposed. Somebody else has to approve it.")

    @deed(
        _("Say how it ended"),
        permission="wallets.propose_order",
        form=EndForm,
        offered=lambda _by, row: row.state in UNDECIDED,
    )
    def end(self, *, row: OrderT, by: Actor, answers: dict[str, Any]) -> str | Promise:
        conflicts.end(order=row, happened=answers["happened"], by=by, reason=answers["reason"])
        return _("Proposed. Somebody else has to approve it.")


@admin.register(TopUp)
class TopUps(_Orders[TopUp]):
    deeds = ("ask", "end", "cancel", "accept", "give_back", "given_back", "not_given_back")

    @deed(
        _("Take it back from the member"),
        permission="wallets.ask_gateway",
        offered=lambda _by, row: row.state == State.REQUIRES_ACTION,
    )
    def cancel(self, *, row: TopUp, by: Actor, answers: dict[str, Any]) -> str | Promise:
        del answers
        found = top_ups.cancel(order=row, by=by)
        return gettext("The gateway was asked. The order is: {state}.").format(state=found.get_state_display())

    @deed(
        _("Give back what came"),
        permission="wallets.propose_order",
        form=GiveBackForm,
        offered=lambda _by, row: row.state == State.CONFLICT,
    )
    def give_back(self, *, row: TopUp, by: Actor, answers: dict[str, Any]) -> str | Promise:
        conflicts.give_back(order=row, by_hand=answers["by_hand"], by=by, reason=answers["reason"])
        return _("Proposed. Somebody else has to approve it.")

    @deed(
        _("It was given back by hand"),
        permission="wallets.propose_order",
        form=ReasonForm,
        offered=lambda _by, row: row.state == State.RETURNING,
    )
    def given_back(self, *, row: TopUp, by: Actor, answers: dict[str, Any]) -> str | Promise:
        conflicts.give_back(order=row, by_hand=True, by=by, reason=answers["reason"])
        return _("Proposed. Somebody else has to approve it.")

    @deed(
        _("It was not given back"),
        permission="wallets.propose_order",
        form=ReasonForm,
        offered=lambda _by, row: row.state == State.RETURNING,
    )
    def not_given_back(self, *, row: TopUp, by: Actor, answers: dict[str, Any]) -> str | Promise:
        conflicts.not_given_back(order=row, by=by, reason=answers["reason"])
        return _("Proposed. Somebody else has to approve it.")


@admin.register(Withdrawal)
class Withdrawals(_Orders[Withdrawal]):
    deeds = ("ask", "end", "accept", "returned")
    fields = (*_Orders.fields, "destination", "hold")

    @deed(
        _("It came back"),
        permission="wallets.propose_order",
        form=ReasonForm,
        offered=lambda _by, row: row.state in {State.CONFLICT, State.SUCCEEDED},
    )
    def returned(self, *, row: Withdrawal, by: Actor, answers: dict[str, Any]) -> str | Promise:
        conflicts.returned(order=row, by=by, reason=answers["reason"])
        return _("Proposed. Somebody else has to approve it.")


@admin.register(ProofDeposit)
class ProofDeposits(_Orders[ProofDeposit]):
    """Their amounts are not shown: who knows both can verify the account."""

    deeds = ("ask", "end")
    list_display = ("public_id", "member", "destination", "gateway", "state", "created_at")
    list_filter = ("state", "gateway", "currency")
    list_select_related = ("member", "proof")
    facts = ("member", "proof", "destination", "state", "reason")
    fields = (
        "public_id",
        "member",
        "proof",
        "destination",
        *(name for name in _Orders.fields if name not in _OF_WALLETS),
    )


@admin.register(OrderEvent)
class OrderEvents(OfMembers[OrderEvent]):
    list_display = ("at", "order", "origin", "outcome", "state", "gateway", "by", "reason")
    list_filter = ("origin", "state", "gateway")
    list_select_related = ("top_up", "withdrawal", "proof_deposit")
    parties = ("top_up__member", "withdrawal__member", "proof_deposit__member")
    people = ("actor",)

    by = person("actor", _("by"))

    @admin.display(description=_("order"))
    def order(self, event: OrderEvent) -> str:
        return str(event.top_up or event.withdrawal or event.proof_deposit)
