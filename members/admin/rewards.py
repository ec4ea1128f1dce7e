"""The rewards catalogue, what was taken from it, and coupons: their codes are not shown here."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
)

from members.admin.finding import OfMembers
from members.admin.tiers import PROPOSED, text, whole
from members.models import Coupon, Redemption, Reward, Tier
from members.services import catalogue, rewards
from paymentsite.core.actors import Actor
from paymentsite.core.amount_forms import AmountField, AmountForm, PercentField
from paymentsite.core.backoffice import BackOffice, add_deed, deed, in_percent, person
from paymentsite.core.formats import amount as formatted
from paymentsite.core.layout import NOTHING

TERMS = (
    "kind",
    "name_en",
    "name_zh",
    "description_en",
    "description_zh",
    "points",
    "stock",
    "tier",
    "from_at",
    "until_at",
    "credit_minor",
    "currency",
    "discount_bp",
    "coupon_days",
)

SHOWN = {"discount_bp": "discount"}


def moment(label: Any) -> forms.SplitDateTimeField:
    return forms.SplitDateTimeField(label=label, required=False, widget=UnfoldAdminSplitDateTimeWidget)


def long_text(label: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=1_000, required=False, widget=UnfoldAdminTextareaWidget)


class ReasonForm(forms.Form):
    reason = text(_("Reason"), 255)


class RewardForm(AmountForm):
    kind = forms.ChoiceField(label=_("Kind"), choices=Reward.Kind, widget=UnfoldAdminSelectWidget)
    name_en = text(_("Name in English"), 80)
    name_zh = text(_("Name in Chinese"), 80, needed=False)
    description_en = long_text(_("Description in English"))
    description_zh = long_text(_("Description in Chinese"))
    points = whole(_("Price in points"))
    stock = whole(_("Stock, empty where it cannot run out"), needed=False)
    tier = forms.ModelChoiceField(
        label=_("From this tier on"),
        queryset=Tier.objects.order_by("rank"),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    from_at = moment(_("From"))
    until_at = moment(_("Until"))
    credit_minor = AmountField(label=_("Value of a credit"), required=False)
    currency = text(_("Currency"), 3, needed=False)
    discount_bp = PercentField(label=_("Discount"), required=False)
    coupon_days = whole(_("Days that a coupon lasts"), needed=False)
    reason = text(_("Reason"), 255)


class RestockForm(ReasonForm):
    more = whole(_("How many more"))
    field_order = ("more",)


@admin.register(Reward)
class Rewards(BackOffice[Reward]):
    list_display = ("name_en", "name_zh", "kind", "points", "stock", "stock_left", "tier", "until_at", "withdrawn_at")
    list_filter = ("kind",)
    list_select_related = ("tier",)
    fields = ("public_id", *(SHOWN.get(name, name) for name in TERMS), "stock_left", "offered_at", "withdrawn_at")
    facts = ("name_en", "kind", "points", "stock", "stock_left")
    deeds = ("restock", "withdraw")
    add_deeds = ("offer",)
    ordering = ("-pk",)

    discount = in_percent("discount_bp", _("discount"))

    @add_deed(_("Propose a reward"), permission="members.propose_rewards", form=RewardForm)
    def offer(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        terms: Any = {name: answers[name] for name in TERMS}
        catalogue.offer(terms=terms, by=by, reason=answers["reason"])
        return PROPOSED

    @deed(
        _("Propose to restock"),
        permission="members.propose_rewards",
        form=RestockForm,
        offered=lambda _by, row: row.stock is not None and row.withdrawn_at is None,
    )
    def restock(self, *, row: Reward, by: Actor, answers: dict[str, Any]) -> str | Promise:
        catalogue.restock(reward=row, more=answers["more"], by=by, reason=answers["reason"])
        return PROPOSED

    @deed(
        _("Withdraw"),
        permission="members.propose_rewards",
        form=ReasonForm,
        offered=lambda _by, row: row.withdrawn_at is None,
    )
    def withdraw(self, *, row: Reward, by: Actor, answers: dict[str, Any]) -> str | Promise:
        catalogue.withdraw(reward=row, by=by, reason=answers["reason"])
        return _("Nobody can take it any more.")


def _was_money(row: Redemption) -> bool:
    return bool(row.reward.kind == Reward.Kind.WALLET_CREDIT)


@admin.register(Redemption)
class Redemptions(OfMembers[Redemption]):
    list_display = ("at", "member", "reward", "points", "state", "by")
    list_filter = ("state",)
    list_select_related = ("member", "reward")
    fields = (
        "public_id",
        "member",
        "reward",
        "reference",
        "points",
        "journal",
        "state",
        "at",
        "cancelled_at",
        "cancel_reason",
        "cancel_journal",
    )
    facts = ("member", "reward", "points", "state")
    people = ("cancelled_by",)
    deeds = ("cancel", "take_back")

    by = person("cancelled_by", _("cancelled by"))

    @deed(
        _("Cancel"),
        permission="members.cancel_redemption",
        form=ReasonForm,
        offered=lambda _by, row: row.state == Redemption.State.DONE and not _was_money(row),
    )
    def cancel(self, *, row: Redemption, by: Actor, answers: dict[str, Any]) -> str | Promise:
        rewards.cancel(redemption=row, by=by, reason=answers["reason"])
        return _("Cancelled: the points are back, and so is the stock.")

    @deed(
        _("Propose to take it back"),
        permission="members.cancel_redemption",
        form=ReasonForm,
        offered=lambda _by, row: row.state == Redemption.State.DONE and _was_money(row),
    )
    def take_back(self, *, row: Redemption, by: Actor, answers: dict[str, Any]) -> str | Promise:
        rewards.take_back(redemption=row, by=by, reason=answers["reason"])
        return _("Proposed: it is done when another person approves it.")


@admin.register(Coupon)
class Coupons(OfMembers[Coupon]):
    list_display = ("public_id", "owner", "worth", "discount", "state", "expires_at", "by")
    list_filter = ("state",)
    list_select_related = ("redemption__member",)
    parties = ("redemption__member",)
    known_by = "public_id"
    fields = (
        "public_id",
        "redemption",
        "owner",
        "worth",
        "discount",
        "state",
        "made_at",
        "expires_at",
        "used_at",
        "used_for",
        "ended_at",
    )
    people = ("used_by",)

    by = person("used_by", _("used by"))
    discount = in_percent("discount_bp", _("discount"))

    @admin.display(description=_("member"))
    def owner(self, coupon: Coupon) -> str:
        return str(coupon.redemption.member)

    @admin.display(description=_("worth"))
    def worth(self, coupon: Coupon) -> str:
        return formatted(coupon.value) if coupon.value else NOTHING
