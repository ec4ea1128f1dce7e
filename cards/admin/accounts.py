"""Virtual accounts, as operators see them: the number whole, for it is ours and no secret."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from cards.admin.cards import ReasonForm
from cards.models import VirtualAccount, VirtualAccountEvent
from cards.services import account_life, account_numbers
from cards.services.life import Channel
from members.admin.finding import OfMembers
from paymentsite.core import queries
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import deed, person
from paymentsite.core.disclosure import clear
from paymentsite.core.formats import amount as formatted
from paymentsite.core.layout import NOTHING
from paymentsite.ledger.admin.tables import table
from wallets.numbers import compact

State = VirtualAccount.State


@admin.register(VirtualAccount)
class VirtualAccounts(OfMembers[VirtualAccount]):
    list_display = ("shown", "member", "kind", "currency", "wanted", "came", "purpose", "state", "opened_at")
    list_filter = ("state", "kind", "purpose", "currency")
    list_select_related = ("member",)
    known_by = "public_id"
    search_help_text = _("an account number, an id, or a member's handle, e-mail address or id")
    fields = (
        "public_id",
        "member",
        "shown",
        "numbers",
        "wallet",
        "kind",
        "label",
        "wanted",
        "came",
        "by_whom",
        "expires_on",
        "over",
        "purpose",
        "linked",
        "state",
        "reference",
        "opened_at",
        "closed_at",
        "what_happened",
    )
    facts = ("member", "shown", "kind", "purpose", "state")
    deeds = ("suspend", "reopen", "close")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[VirtualAccount], search_term: str
    ) -> tuple[QuerySet[VirtualAccount], bool]:
        found, more = super().get_search_results(request, queryset, search_term)
        return (found | queryset.filter(number=number) if (number := compact(search_term)) else found), more

    @admin.display(description=_("number"))
    def shown(self, account: VirtualAccount) -> str:
        return account_numbers.written(account.number)

    @admin.display(description=_("expected"))
    def wanted(self, account: VirtualAccount) -> str:
        return formatted(account.expected) if account.expected else NOTHING

    @admin.display(description=_("payer"))
    def by_whom(self, account: VirtualAccount) -> str:
        return clear(account.payer.decrypt().reveal()) if account.payer else NOTHING

    @admin.display(description=_("came"))
    def came(self, account: VirtualAccount) -> str:
        return formatted(account.paid) if account.expected else NOTHING

    @admin.display(description=_("what happened"))
    def what_happened(self, account: VirtualAccount) -> str:
        headings = (_("at"), _("became"), _("purpose"), _("by way of"), _("by"), _("reason"))
        events = list(account.events.order_by("-pk")[:50])
        names = queries.names(event.actor for event in events)
        rows = [
            (
                date_format(localtime(event.at), "DATETIME_FORMAT"),
                event.get_after_display(),
                event.get_purpose_display(),
                event.get_channel_display(),
                names.get(event.actor, event.actor),
                event.reason,
            )
            for event in events
        ]
        return str(table(headings, rows))

    @deed(
        _("Suspend"),
        permission="cards.suspend_account",
        form=ReasonForm,
        offered=lambda _by, row: row.state == State.OPEN,
    )
    def suspend(self, *, row: VirtualAccount, by: Actor, answers: dict[str, Any]) -> str | Promise:
        account_life.suspend(account=row, by=by, reason=answers["reason"])
        return _("What comes to this number is set aside, and its member was told.")

    @deed(
        _("Reopen"),
        permission="cards.suspend_account",
        form=ReasonForm,
        offered=lambda _by, row: row.state == State.SUSPENDED,
    )
    def reopen(self, *, row: VirtualAccount, by: Actor, answers: dict[str, Any]) -> str | Promise:
        account_life.reopen(account=row, by=by, reason=answers["reason"])
        return _("What comes to this number is put on the wallet again.")

    @deed(
        _("Close the account"),
        permission="cards.close_account",
        form=ReasonForm,
        offered=lambda _by, row: row.state != State.CLOSED,
    )
    def close(self, *, row: VirtualAccount, by: Actor, answers: dict[str, Any]) -> str | Promise:
        account_life.close(account=row, by=by, channel=Channel.ADMIN, reason=answers["reason"])
        return _("This number is closed for ever. What comes to it is set aside.")


@admin.register(VirtualAccountEvent)
class VirtualAccountEvents(OfMembers[VirtualAccountEvent]):
    list_display = ("at", "account", "before", "after", "purpose", "channel", "who", "reason")
    list_filter = ("after", "purpose", "channel")
    list_select_related = ("account",)
    parties = ("account__member",)
    fields = ("at", "account", "before", "after", "purpose", "channel", "who", "reason")
    people = ("actor",)

    who = person("actor", _("by"))
