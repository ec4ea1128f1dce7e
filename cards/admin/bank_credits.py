"""Credits by banks, as operators see them: what came, where it is, and what waits for two people."""

import re
from contextlib import suppress
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from cards.admin.cards import ReasonForm
from cards.models import BankCredit, VirtualAccount
from cards.services import account_numbers, credit_decisions
from cards.services.account_life import NoSuchVirtualAccount
from members.admin.finding import MemberField, OfMembers
from members.admin.tiers import PROPOSED
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import deed
from paymentsite.core.disclosure import clear
from paymentsite.core.errors import DomainError
from paymentsite.core.formats import amount as formatted
from paymentsite.core.formats import read
from paymentsite.core.layout import NOTHING
from paymentsite.core.vault import Secret
from paymentsite.core.vault.fields import Encrypted
from wallets.numbers import compact

Outcome = BankCredit.Outcome
PROPOSE: Final = "cards.propose_credit"
_AMOUNT: Final = re.compile(r"(?P<amount>\d.*?)\s*(?P<unit>[A-Z]{3})")


class AccountField(forms.CharField):
    """Asks for a virtual account by its number; answers with it."""

    widget = UnfoldAdminTextInputWidget

    def clean(self, value: Any) -> VirtualAccount | None:
        number = compact(super().clean(value))
        if not number:
            return None
        found = VirtualAccount.objects.filter(number=number).first()
        if found is None:
            raise forms.ValidationError(str(NoSuchVirtualAccount()))
        return found


class AssignForm(ReasonForm):
    member = MemberField(label=_("Member"))
    account = AccountField(label=_("Account number for whose purpose it counts"), max_length=60, required=False)
    field_order = ("member", "account", "reason")


@admin.register(BankCredit)
class BankCredits(OfMembers[BankCredit]):
    list_display = ("value_date", "bank", "reference", "member", "money", "on_wallet", "left_aside", "why", "outcome")
    list_filter = ("outcome", "why", "currency", "bank")
    list_select_related = ("bank", "member")
    parties = ("member", "assigned_to__member")
    known_by = "public_id"
    search_help_text = _(
        "the bank's reference, an account number, an amount such as 12.50 CNY, an id, or a member's handle, e-mail"
        " address or id"
    )
    fields = (
        "public_id",
        "bank",
        "reference",
        "value_date",
        "received_at",
        "told",
        "money",
        "payer",
        "payers_account",
        "what_for",
        "account",
        "member",
        "on_wallet",
        "left_aside",
        "why",
        "outcome",
        "journal",
        "assigned_to",
        "counted_for",
        "settled_at",
        "settled_journal",
    )
    facts = ("bank", "reference", "value_date", "told", "money", "payer", "what_for", "left_aside", "why", "outcome")
    deeds = ("assign", "give_back")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[BankCredit], search_term: str
    ) -> tuple[QuerySet[BankCredit], bool]:
        found, more = super().get_search_results(request, queryset, search_term)
        if not (term := search_term.strip()):
            return found, more
        wanted = Q(reference=term) | Q(number_digest=Secret(compact(term)))
        if sum_ := _AMOUNT.fullmatch(term):
            with suppress(DomainError):
                amount = read(sum_["amount"], sum_["unit"])
                wanted |= Q(amount_minor=amount.minor, currency=amount.unit)
        return found | queryset.filter(wanted), more

    @admin.display(description=_("number as told"))
    def told(self, credit: BankCredit) -> str:
        return clear(account_numbers.written(credit.number.decrypt().reveal())) or NOTHING

    @admin.display(description=_("amount"))
    def money(self, credit: BankCredit) -> str:
        return formatted(credit.amount)

    @admin.display(description=_("on the wallet"))
    def on_wallet(self, credit: BankCredit) -> str:
        return formatted(credit.booked)

    @admin.display(description=_("set aside"))
    def left_aside(self, credit: BankCredit) -> str:
        return formatted(credit.set_aside)

    @admin.display(description=_("payer"))
    def payer(self, credit: BankCredit) -> str:
        return _read(credit.payer_name)

    @admin.display(description=_("payer's account"))
    def payers_account(self, credit: BankCredit) -> str:
        """Its last digits: enough to compare with what somebody says."""
        number = _read(credit.payer_account)
        return number if number == NOTHING else f"···· {number[-4:]}"

    @admin.display(description=_("note"))
    def what_for(self, credit: BankCredit) -> str:
        return _read(credit.note)

    @deed(
        _("Propose to assign"),
        permission=PROPOSE,
        form=AssignForm,
        offered=lambda _by, row: row.outcome == Outcome.SUSPENDED,
    )
    def assign(self, *, row: BankCredit, by: Actor, answers: dict[str, Any]) -> str | Promise:
        whose = {name: answers[name] for name in ("member", "account", "reason")}
        credit_decisions.assign(credit=row, by=by, **whose)
        return PROPOSED

    @deed(
        _("Propose to return"),
        permission=PROPOSE,
        form=ReasonForm,
        offered=lambda _by, row: row.outcome == Outcome.SUSPENDED,
    )
    def give_back(self, *, row: BankCredit, by: Actor, answers: dict[str, Any]) -> str | Promise:
        credit_decisions.give_back(credit=row, by=by, reason=answers["reason"])
        return PROPOSED


def _read(held: Encrypted | None) -> str:
    return clear(held.decrypt().reveal()) if held is not None else NOTHING
