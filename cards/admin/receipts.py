"""Receipts of decisions, as operators read them: why something was approved or declined, in words."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from cards.admin.shown import kind_of, link, minor, moment, whose
from cards.models import CardAuthorisation, CardControls, DecisionReceipt
from cards.services import receipts
from cards.services.controls import row_words
from members.admin.finding import OfMembers
from paymentsite.core.layout import NOTHING
from paymentsite.ledger.admin.tables import table


@admin.register(DecisionReceipt)
class DecisionReceipts(OfMembers[DecisionReceipt]):
    list_display = ("at", "whose", "ending", "where", "asked", "outcome", "code")
    list_filter = ("outcome", "code")
    list_select_related = ("message__use__member", "message__use__card")
    parties = ("card__member",)
    known_by = "id"
    fields = (
        "id",
        "at",
        "used",
        "whose",
        "ending",
        "where",
        "kind",
        "entry",
        "asked",
        "on_card",
        "outcome",
        "code",
        "told",
        "what_was_checked",
        "controls",
        "how_limits_stood",
        "what_was_seen",
    )

    @admin.display(description=_("member"))
    def whose(self, receipt: DecisionReceipt) -> str:
        use = receipt.message.use
        return str(use.member) if use else NOTHING

    @admin.display(description=_("card"))
    def ending(self, receipt: DecisionReceipt) -> str:
        use = receipt.message.use
        return f"···· {use.card.last_four}" if use else str(_("a card that is none of ours"))

    @admin.display(description=_("merchant"))
    def where(self, receipt: DecisionReceipt) -> str:
        use = receipt.message.use
        return use.merchant_name if use else NOTHING

    @admin.display(description=_("use of a card"))
    def used(self, receipt: DecisionReceipt) -> str:
        use = receipt.message.use
        return link(CardAuthorisation, use.pk, use) if use else NOTHING

    @admin.display(description=_("kind of merchant"))
    def kind(self, receipt: DecisionReceipt) -> str:
        use = receipt.message.use
        return kind_of(use.category) if use else NOTHING

    @admin.display(description=_("way of use"))
    def entry(self, receipt: DecisionReceipt) -> str:
        use = receipt.message.use
        return str(use.get_entry_display()) if use else NOTHING

    @admin.display(description=_("amount at the merchant"))
    def asked(self, receipt: DecisionReceipt) -> str:
        return minor(receipt.message.merchant_minor, receipt.message.merchant_currency)

    @admin.display(description=_("amount of the card"))
    def on_card(self, receipt: DecisionReceipt) -> str:
        use = receipt.message.use
        return minor(receipt.message.card_minor, use.currency if use else "")

    @admin.display(description=_("what the member was told"))
    def told(self, receipt: DecisionReceipt) -> str:
        return receipts.said(receipt) or NOTHING

    @admin.display(description=_("what was looked at"))
    def what_was_checked(self, receipt: DecisionReceipt) -> str:
        headings = (_("looked at"), _("result"), _("why"))
        rows = [
            (each.name, _("nothing against it") if each.passed else _("against it"), each.why or NOTHING)
            for each in receipts.checks(receipt)
        ]
        return str(table(headings, rows))

    @admin.display(description=_("what the card might be used for"))
    def controls(self, receipt: DecisionReceipt) -> str:
        rows = [(link(CardControls, row.pk, whose(row)), row_words(row)) for row in receipts.sets(receipt)]
        return str(table((_("set"), _("what is allowed")), rows))

    @admin.display(description=_("limits"))
    def how_limits_stood(self, receipt: DecisionReceipt) -> str:
        headings = (_("whose"), _("limit"), _("at most"), _("before"), _("after"), _("begins anew"))
        rows = [
            (
                *(each.scope, each.name, each.most, each.before or NOTHING, each.after or NOTHING),
                moment(each.resets_at),
            )
            for each in receipts.limits(receipt)
        ]
        return str(table(headings, rows))

    @admin.display(description=_("seen of the books"))
    def what_was_seen(self, receipt: DecisionReceipt) -> str:
        rows = [(label, value) for label, value in receipts.seen(receipt)]
        return str(table((_("what"), _("amount")), rows))
