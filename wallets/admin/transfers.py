"""Transfers and what leads to them, as operators see them: to look at, to stop, to give back."""

from typing import Any

from django.contrib import admin
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.admin.finding import OfMembers
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import M, deed
from paymentsite.core.errors import worded
from paymentsite.core.formats import amount as formatted
from paymentsite.core.layout import NOTHING
from wallets.admin.wallets import ReasonForm
from wallets.models import Gift, MoneyRequest, RequestBlock, StandingOrder, StandingRun, Transfer
from wallets.services import gift_links, requests, standing_orders, standing_pauses


class Movements(OfMembers[M]):
    """What these pages have in common: an amount, and members to look for."""

    known_by = "public_id"

    @admin.display(description=_("amount"))
    def money(self, row: Any) -> str:
        return formatted(row.amount)

    @admin.display(description=_("fee"))
    def price(self, row: Any) -> str:
        return formatted(row.fee)


@admin.register(Transfer)
class Transfers(Movements[Transfer]):
    parties = ("sender", "receiver")
    list_display = ("public_id", "sender", "receiver", "money", "price", "sent_at")
    list_filter = ("currency",)
    list_select_related = ("sender", "receiver")
    fields = (
        "public_id", "sender", "receiver", "money", "price", "note", "occasion", "reference", "journal", "sent_at",
    )  # fmt: skip


@admin.register(MoneyRequest)
class MoneyRequests(Movements[MoneyRequest]):
    parties = ("asker", "payer")
    list_display = ("public_id", "asker", "payer", "money", "state", "asked_at", "expires_at")
    list_filter = ("state", "currency")
    list_select_related = ("asker", "payer")
    fields = (
        "public_id", "asker", "payer", "money", "note", "reference", "state", "transfer", "asked_at", "expires_at",
        "ended_at",
    )  # fmt: skip
    facts = ("asker", "payer", "money")
    deeds = ("withdraw",)

    @deed(
        _("Withdraw"),
        permission="wallets.end_request",
        form=ReasonForm,
        offered=lambda _by, row: row.state == MoneyRequest.State.OPEN,
    )
    def withdraw(self, *, row: MoneyRequest, by: Actor, answers: dict[str, Any]) -> str | Promise:
        requests.cancel(request=row, by=by, reason=answers["reason"])
        return _("The request is withdrawn.")


@admin.register(RequestBlock)
class RequestBlocks(OfMembers[RequestBlock]):
    parties = ("member", "blocked")
    list_display = ("at", "member", "blocked")
    list_select_related = ("member", "blocked")


@admin.register(StandingOrder)
class StandingOrders(Movements[StandingOrder]):
    parties = ("member", "payee")
    list_display = ("public_id", "member", "payee", "money", "every", "state", "next_at", "refused_in_a_row")
    list_filter = ("state", "every", "currency")
    list_select_related = ("member", "payee")
    fields = (
        "public_id", "member", "payee", "money", "note", "reference", "every", "starts_on", "ends_on", "count",
        "runs_done", "refused_in_a_row", "state", "next_on", "next_at", "paused_by", "made_at",
    )  # fmt: skip
    facts = ("member", "payee", "money", "every", "next_on")
    deeds = ("pause", "resume", "end")

    @deed(
        _("Pause"),
        permission="wallets.pause_order",
        form=ReasonForm,
        # Staff hold also what its member or the system has paused, so that its member cannot resume it.
        offered=lambda _by, row: row.state != StandingOrder.State.ENDED and not standing_pauses.held(row),
    )
    def pause(self, *, row: StandingOrder, by: Actor, answers: dict[str, Any]) -> str | Promise:
        standing_orders.pause(order=row, by=by, reason=answers["reason"])
        return _("The standing order is paused.")

    @deed(
        _("Resume"),
        permission="wallets.pause_order",
        form=ReasonForm,
        offered=lambda _by, row: row.state == StandingOrder.State.PAUSED and not standing_pauses.paused_by_member(row),
    )
    def resume(self, *, row: StandingOrder, by: Actor, answers: dict[str, Any]) -> str | Promise:
        order = standing_orders.resume(order=row, by=by, reason=answers["reason"])
        if standing_pauses.paused_by_member(order):
            return _("Its member paused it, too, and can resume the standing order now.")
        return _("The standing order goes on.")

    @deed(
        _("End"),
        permission="wallets.pause_order",
        form=ReasonForm,
        offered=lambda _by, row: row.state != StandingOrder.State.ENDED,
    )
    def end(self, *, row: StandingOrder, by: Actor, answers: dict[str, Any]) -> str | Promise:
        standing_orders.end(order=row, by=by, reason=answers["reason"])
        return _("The standing order is over.")


@admin.register(StandingRun)
class StandingRuns(OfMembers[StandingRun]):
    list_display = ("due_on", "order", "state", "tries", "at")
    list_filter = ("state",)
    list_select_related = ("order__member", "order__payee")
    parties = ("order__member", "order__payee")
    known_by = "public_id"
    fields = ("public_id", "order", "due_on", "state", "tries", "transfer", "why_not", "at")

    @admin.display(description=_("why not"))
    def why_not(self, run: StandingRun) -> str:
        return worded(run.refusal) if run.refusal else NOTHING


@admin.register(Gift)
class Gifts(Movements[Gift]):
    parties = ("sender", "claimed_by")
    list_display = ("public_id", "sender", "money", "state", "taker", "made_at", "expires_at")
    list_filter = ("state", "currency")
    list_select_related = ("sender", "claimed_by")
    fields = (
        "public_id", "sender", "money", "price", "note", "reference", "state", "taker", "hold", "journal", "made_at",
        "expires_at", "ended_at",
    )  # fmt: skip
    facts = ("sender", "money", "expires_at")
    deeds = ("give_back",)

    @admin.display(description=_("claimed by"))
    def taker(self, gift: Gift) -> str:
        return str(gift.claimed_by or NOTHING)

    @deed(
        _("Return to the sender"),
        permission="wallets.return_gift",
        form=ReasonForm,
        offered=lambda _by, row: row.state == Gift.State.OPEN,
    )
    def give_back(self, *, row: Gift, by: Actor, answers: dict[str, Any]) -> str | Promise:
        gift_links.give_back(gift=row, by=by, reason=answers["reason"])
        return _("The gift is with its sender again.")
