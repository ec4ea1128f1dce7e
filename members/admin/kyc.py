"""Identity cases, as those see them who decide. What they hold is on a page of its own that leaves a trace."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from members.admin.finding import OfMembers
from members.models import KycCase, KycEvent, KycImage
from members.services import kyc, kyc_images
from paymentsite.core import queries
from paymentsite.core.actors import Actor
from paymentsite.core.backoffice import deed, person
from paymentsite.core.layout import NOTHING, laid_out

State = KycCase.State


class DecideForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=KycEvent.Reason, widget=UnfoldAdminSelectWidget)
    note = forms.CharField(
        label=_("Note to the member"), max_length=500, required=False, widget=UnfoldAdminTextareaWidget
    )


def _waiting(by: Actor, row: KycCase) -> bool:
    return row.state == State.SUBMITTED and by.person != f"user:{row.member_id}"


def _told(event: KycEvent, names: Mapping[str, str]) -> str:
    when = date_format(localtime(event.at), "DATETIME_FORMAT")
    what = (event.get_state_display(), event.get_reason_display())
    return " · ".join(filter(None, (when, *map(str, what), names.get(event.actor, event.actor))))


@admin.register(KycCase)
class KycCases(OfMembers[KycCase]):
    list_display = ("member", "level", "state", "submitted_at", "decided_at")
    list_filter = ("state", "level")
    fields = (
        *("member", "level", "state", "document", "country", "note", "opened_at", "submitted_at", "decided_at"),
        *("history", "contents"),
    )
    facts = ("member", "level", "document", "country", "contents")
    deeds = ("approve", "ask_more", "reject")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<path:object_id>/contents/", view(never_cache(self.contents_view)), name=self._route("contents")),
            path("<int:object_id>/image/<uuid:image>/", view(never_cache(self.image_view)), name=self._route("image")),
        ]
        return own + list(super().get_urls())

    @admin.display(description=_("what happened"))
    def history(self, case: KycCase) -> str:
        events = list(case.events.all())
        names = queries.names(event.actor for event in events)
        return laid_out([_told(event, names) for event in events])

    @admin.display(description=_("name, number and images"))
    def contents(self, case: KycCase) -> str:
        if case.level < kyc.NAMED or not (case.number or case.images.exists()):
            return NOTHING
        url = reverse(f"admin:{self._route('contents')}", args=[case.pk])
        return format_html('<a class="underline" href="{}">{}</a>', url, _("Look, which is put on record"))

    @deed(_("Approve"), permission="members.review_kyc", offered=_waiting)
    def approve(self, *, row: KycCase, by: Actor, answers: dict[str, Any]) -> str | Promise:
        del answers
        kyc.approve(case=row, by=by)
        return _("The member has this level now.")

    @deed(_("Ask for more"), permission="members.review_kyc", form=DecideForm, offered=_waiting)
    def ask_more(self, *, row: KycCase, by: Actor, answers: dict[str, Any]) -> str | Promise:
        kyc.ask_more(case=row, reason=KycEvent.Reason(answers["reason"]), note=answers["note"], by=by)
        return _("The member is asked for more.")

    @deed(_("Reject"), permission="members.review_kyc", form=DecideForm, offered=_waiting)
    def reject(self, *, row: KycCase, by: Actor, answers: dict[str, Any]) -> str | Promise:
        kyc.reject(case=row, reason=KycEvent.Reason(answers["reason"]), note=answers["note"], by=by)
        return _("The request is rejected.")

    def contents_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The case's contents, to who may see them; that they looked is on the trail."""
        case = self._seen(request, object_id)
        shown = kyc_images.look_at_facts(case=case, by=Actor.of(request.user))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Name, number and images"),
            "subtitle": str(case),
            "opts": self.opts,
            "original": case,
            "shown": shown,
            "images": [
                (image, reverse(f"admin:{self._route('image')}", args=[case.pk, image.public_id]))
                for image in case.images.order_by("pk")
            ],
            "back": self._page(case),
        }
        return _kept_nowhere(TemplateResponse(request, "admin/kyc_contents.html", context))

    def image_view(self, request: HttpRequest, object_id: int, image: UUID) -> HttpResponse:
        """One image, to who may see it; that they looked is on the trail."""
        case = self._seen(request, str(object_id))
        found = KycImage.objects.select_related("case").filter(case=case, public_id=image).first()
        if found is None:
            raise Http404
        content = kyc_images.look(image=found, by=Actor.of(request.user))
        response = HttpResponse(content, content_type=found.media_type)
        # A PDF may hold scripts: the reviewer's own reader opens it, not a page of this site.
        way = "attachment" if found.media_type == "application/pdf" else "inline"
        response["Content-Disposition"] = f'{way}; filename="{found.side}-{found.public_id}"'
        return _kept_nowhere(response)

    def _seen(self, request: HttpRequest, object_id: str) -> KycCase:
        if not (self.has_view_permission(request) and request.user.has_perm(kyc_images.RIGHT)):
            raise PermissionDenied
        case = self.get_object(request, object_id)
        if case is None:
            raise Http404
        return case


@admin.register(KycEvent)
class KycEvents(OfMembers[KycEvent]):
    list_display = ("at", "case", "state", "reason", "by")
    list_filter = ("state", "reason")
    list_select_related = ("case__member",)
    parties = ("case__member",)
    people = ("actor",)

    by = person("actor", _("by"))


def _kept_nowhere(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    return response
