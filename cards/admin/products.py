"""Card products, ranges of numbers and keys of codes: proposed by one person, approved by another."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from cards.admin.control_forms import ControlsForm
from cards.models import CardControls, CardProduct, CodeKey, NumberRange
from cards.models.products import LENGTHS, PREFIX_MAX
from cards.services import codes, controls, products
from members.admin.tiers import PROPOSED, text, whole
from members.models import Tier
from paymentsite.core.actors import Actor
from paymentsite.core.amount_forms import AmountField, AmountForm, PercentField
from paymentsite.core.backoffice import BackOffice, add_deed, deed, in_percent
from paymentsite.core.formats import amount as formatted

PROPOSE: Final = "cards.propose_products"
TERMS: Final = tuple(products.Terms.__annotations__)


class ReasonForm(forms.Form):
    reason = text(_("Reason"), 255)


class RangeForm(forms.Form):
    beginning = text(_("Beginning of its numbers"), PREFIX_MAX)
    length = forms.TypedChoiceField(
        label=_("Digits of a number"),
        coerce=int,
        choices=[(length, str(length)) for length in range(LENGTHS[0], LENGTHS[1] + 1)],
        initial=16,
        widget=UnfoldAdminSelectWidget,
    )
    reason = text(_("Reason"), 255)


class ProductForm(AmountForm):
    code = forms.SlugField(label=_("Code"), max_length=40, widget=UnfoldAdminTextInputWidget)
    name_en = text(_("Name in English"), 60)
    name_zh = text(_("Name in Chinese"), 60, needed=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=CardProduct.Kind, widget=UnfoldAdminSelectWidget)
    currency = text(_("Currency"), 3)
    numbers = forms.ModelChoiceField(
        label=_("Numbers"), queryset=NumberRange.objects.order_by("prefix"), widget=UnfoldAdminSelectWidget
    )
    validity = whole(_("Lasts"))
    validity_unit = forms.ChoiceField(label=_("counted in"), choices=CardProduct.Unit, widget=UnfoldAdminSelectWidget)
    code_kind = forms.ChoiceField(label=_("Security code"), choices=CardProduct.Code, widget=UnfoldAdminSelectWidget)
    held_max = whole(_("How many a member may have at once"))
    tier = forms.ModelChoiceField(
        label=_("From this tier on"),
        queryset=Tier.objects.order_by("rank"),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    issue_fee_minor = AmountField(label=_("Price"), required=False, otherwise=0)
    monthly_fee_minor = AmountField(label=_("Fee a month"), required=False, otherwise=0)
    fx_margin_bp = PercentField(label=_("Exchange margin"))
    cash_fee_minor = AmountField(label=_("Fee for cash"), required=False, otherwise=0)
    cash_fee_bp = PercentField(label=_("Fee for cash, as a share"))
    design = text(_("Design"), 20)
    reason = text(_("Reason"), 255)


@admin.register(NumberRange)
class NumberRanges(BackOffice[NumberRange]):
    list_display = ("numbers", "length", "issued", "capacity", "filled")
    fields = ("numbers", "length", "issued", "capacity", "filled")
    add_deeds = ("propose",)
    ordering = ("prefix",)

    @admin.display(description=_("numbers"))
    def numbers(self, row: NumberRange) -> str:
        return str(row)

    @admin.display(description=_("how many there are"))
    def capacity(self, row: NumberRange) -> int:
        return row.capacity

    @admin.display(description=_("given, in percent"))
    def filled(self, row: NumberRange) -> str:
        return f"{100 * row.issued / row.capacity:.1f}"

    @add_deed(_("Propose a range"), permission=PROPOSE, form=RangeForm)
    def propose(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        products.add_range(prefix=answers["beginning"], length=answers["length"], by=by, reason=answers["reason"])
        return PROPOSED


@admin.register(CardProduct)
class CardProducts(BackOffice[CardProduct]):
    list_display = ("code", "name_en", "name_zh", "kind", "currency", "lasts", "price", "held_max", "tier", "state")
    list_filter = ("kind", "currency", "state")
    list_select_related = ("tier", "numbers")
    fields = (
        "public_id",
        "code",
        "name_en",
        "name_zh",
        "kind",
        "currency",
        "numbers",
        "lasts",
        "code_kind",
        "held_max",
        "tier",
        "price",
        "monthly_fee",
        "fx_margin",
        "cash_fee",
        "cash_fee_share",
        "design",
        "state",
        "allowed",
    )
    facts = ("code", "name_en", "kind", "currency", "state")
    deeds = ("control", "close")
    add_deeds = ("propose",)
    ordering = ("code",)

    @admin.display(description=_("lasts"))
    def lasts(self, row: CardProduct) -> str:
        return f"{row.validity} {row.get_validity_unit_display()}"

    @admin.display(description=_("price"))
    def price(self, row: CardProduct) -> str:
        return formatted(row.issue_fee)

    fx_margin = in_percent("fx_margin_bp", _("exchange margin"))
    cash_fee_share = in_percent("cash_fee_bp", _("fee for cash, as a share"))

    @admin.display(description=_("fee a month"))
    def monthly_fee(self, row: CardProduct) -> str:
        return formatted(row.monthly_fee)

    @admin.display(description=_("fee for cash"))
    def cash_fee(self, row: CardProduct) -> str:
        return formatted(row.cash_fee)

    @admin.display(description=_("what its cards may be used for"))
    def allowed(self, row: CardProduct) -> str:
        set_ = CardControls.objects.about(row).order_by("-pk").first()
        return controls.row_words(set_) if set_ else str(_("everything"))

    @deed(
        _("Propose what its cards may be used for"),
        permission="cards.set_product_controls",
        form=ControlsForm,
        initial=lambda row: {"controls": controls.in_force(row), "currency": row.currency},
    )
    def control(self, *, row: CardProduct, by: Actor, answers: dict[str, Any]) -> str | Promise:
        controls.set_for_product(product=row, terms=answers["terms"], by=by, reason=answers["reason"])
        return PROPOSED

    @add_deed(
        _("Propose a product"),
        permission=PROPOSE,
        form=ProductForm,
        initial=lambda _row: {"held_max": 1, "design": "plain", "fx_margin_bp": 0, "cash_fee_bp": 0},
    )
    def propose(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        terms: Any = {name: answers[name] for name in TERMS}
        products.add(terms=terms, by=by, reason=answers["reason"])
        return PROPOSED

    @deed(
        _("Close"),
        permission=PROPOSE,
        form=ReasonForm,
        offered=lambda _by, row: row.state == CardProduct.State.OPEN,
    )
    def close(self, *, row: CardProduct, by: Actor, answers: dict[str, Any]) -> str | Promise:
        products.close(product=row, by=by, reason=answers["reason"])
        return _("Nobody gets a new one. The cards that are there stay.")


@admin.register(CodeKey)
class CodeKeys(BackOffice[CodeKey]):
    list_display = fields = ("public_id", "made_at", "cards")
    add_deeds = ("renew",)
    ordering = ("-pk",)

    @admin.display(description=_("cards with its codes"))
    def cards(self, row: CodeKey) -> int:
        return row.cards.count()

    @add_deed(_("Make a new key"), permission="cards.renew_code_key", form=forms.Form)
    def renew(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        del answers
        codes.renew(by=by)
        return _("New cards have codes of the new key. Those that are there keep theirs.")
