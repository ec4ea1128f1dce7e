"""Gateways, as operators see them: what they told us, and which one executes what."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.amount_forms import AmountField, AmountForm, PercentField
from paymentsite.core.backoffice import BackOffice, add_deed, as_is, deed, in_percent
from paymentsite.core.formats import amount as formatted
from paymentsite.core.layout import NOTHING
from paymentsite.core.money import Money
from wallets.gateways.base import OrderKind
from wallets.models import GatewayRoute, Notification
from wallets.services import notifications, routing
from wallets.services.small_deposits import MOST_MINOR


@admin.register(Notification)
class Notifications(BackOffice[Notification]):
    """Without their bodies: these are encrypted, and nobody needs them to look around."""

    list_display = ("received_at", "gateway", "event_id", "kind", "about", "outcome", "said", "state")
    list_filter = ("state", "gateway", "outcome")
    search_fields = ("about",)
    search_help_text = _("the id of an order, without dashes, or of an event")
    fields = (*list_display, "gateway_reference", "reason", "processed_at")
    facts = ("gateway", "about", "outcome", "said", "state")
    deeds = ("process",)
    ordering = ("-pk",)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By what an index answers."""
        del request
        term = search_term.strip()
        if not term:
            return queryset, False
        about = term.replace("-", "")
        return queryset.filter(about=about) | queryset.filter(event_id=term), False

    @admin.display(description=_("amount"))
    def said(self, told: Notification) -> str:
        # What is so small and goes out proves an account: who knows the two amounts can verify it.
        small = told.kind == OrderKind.PAYOUT and (told.amount_minor or 0) <= MOST_MINOR
        if told.amount_minor is None or small:
            return NOTHING
        return formatted(Money(told.amount_minor, told.currency))

    @deed(
        _("Take into account now"),
        permission="wallets.ask_gateway",
        offered=lambda _by, row: row.state == Notification.State.RECEIVED,
    )
    def process(self, *, row: Notification, by: Actor, answers: dict[str, Any]) -> str | Promise:
        del by, answers
        notifications.process(notification=row)
        return _("It is taken into account.")


class RouteForm(AmountForm):
    """What of a route can be changed; for whom it is cannot."""

    from_minor = AmountField(label=_("from"), required=False, otherwise=1)
    to_minor = AmountField(label=_("to"), required=False)
    cost_bp = PercentField(label=_("cost, as a share"))
    cost_minor = AmountField(label=_("cost for each order"), required=False, otherwise=0)
    priority = forms.IntegerField(
        label=_("priority"), min_value=0, max_value=32_767, widget=UnfoldAdminIntegerFieldWidget
    )
    is_on = forms.BooleanField(label=_("on"), required=False, widget=UnfoldBooleanSwitchWidget)
    reason = forms.CharField(label=_("Reason"), max_length=255, widget=UnfoldAdminTextInputWidget)


class NewRouteForm(RouteForm):
    kind = forms.ChoiceField(label=_("kind"), choices=GatewayRoute.Kind, widget=UnfoldAdminSelectWidget)
    method = forms.CharField(label=_("method"), max_length=40, widget=UnfoldAdminTextInputWidget)
    currency = forms.CharField(label=_("currency"), max_length=3, widget=UnfoldAdminTextInputWidget)
    gateway = forms.CharField(label=_("gateway"), max_length=40, widget=UnfoldAdminTextInputWidget)

    field_order = ("kind", "method", "currency", "gateway")


_NEW = {"cost_bp": 0, "priority": 100, "is_on": True}


@admin.register(GatewayRoute)
class Routes(BackOffice[GatewayRoute]):
    list_display = (
        "kind",
        "method",
        "currency",
        "gateway",
        "least",
        "most",
        "cost_share",
        "cost",
        "priority",
        "is_on",
        "well",
    )
    list_filter = ("kind", "method", "currency", "gateway", "is_on")
    fields = list_display
    facts = ("kind", "method", "currency", "gateway")
    deeds = ("edit",)
    add_deeds = ("begin",)
    ordering = ("kind", "currency", "method", "priority", "pk")

    cost_share = in_percent("cost_bp", _("cost, as a share"))

    @admin.display(description=_("from"))
    def least(self, route: GatewayRoute) -> str:
        return formatted(Money(route.from_minor, route.currency))

    @admin.display(description=_("to"))
    def most(self, route: GatewayRoute) -> str:
        return NOTHING if route.to_minor is None else formatted(Money(route.to_minor, route.currency))

    @admin.display(description=_("cost for each order"))
    def cost(self, route: GatewayRoute) -> str:
        return formatted(Money(route.cost_minor, route.currency))

    @admin.display(description=_("reached of late"), boolean=True)
    def well(self, route: GatewayRoute) -> bool:
        return routing.healthy(route.gateway, clock.now())

    @deed(
        _("Change"),
        permission="wallets.edit_route",
        form=RouteForm,
        initial=as_is("currency", "from_minor", "to_minor", "cost_bp", "cost_minor", "priority", "is_on"),
    )
    def edit(self, *, row: GatewayRoute, by: Actor, answers: dict[str, Any]) -> str | Promise:
        routing.change(route=row, by=by, **answers)
        return _("The route is changed. What is under way stays where it is.")

    @add_deed(_("Add a route"), permission="wallets.edit_route", form=NewRouteForm, initial=lambda _row: dict(_NEW))
    def begin(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        routing.add(by=by, **answers)
        return _("There is such a route from now on.")
