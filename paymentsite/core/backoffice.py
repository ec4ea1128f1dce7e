"""What every admin page of ours is: read-only, with deeds.

A *deed* is what an operator may do to one row: a page of its own that shows what it is about and asks what it needs,
and one service that does it. An *add deed* is one without a row, offered on the list: what it is about is made by it.
There are no bulk actions, and nothing is saved past a service.

A deed that edits is one whose form begins with what the row says:

    @deed(_("Change"), permission="…", form=LimitForm, initial=as_is("cap_minor", "ends_at"))
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import display_for_field, label_for_field, lookup_field, quote, unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from paymentsite.core import queries
from paymentsite.core.actors import Actor
from paymentsite.core.errors import DomainError
from paymentsite.core.formats import share
from paymentsite.core.layout import NOTHING

M = TypeVar("M", bound=Model)
Work = Callable[..., str | Promise]


@dataclass(frozen=True, slots=True)
class Deed:
    """See ``deed``."""

    name: str
    label: str | Promise
    work: Work
    permission: str
    form: type[forms.Form]
    initial: Callable[[Any], dict[str, Any]]
    offered: Callable[[Actor, Any], bool]


def deed(
    label: str | Promise,
    *,
    permission: str,
    form: type[forms.Form] = forms.Form,
    initial: Callable[[Any], dict[str, Any]] = lambda _row: {},
    offered: Callable[[Actor, Any], bool] = lambda _by, _row: True,
) -> Callable[[Work], Work]:
    """Make a method ``(self, *, row, by, answers) -> message`` a deed; name it in the class's ``deeds``.

    Its page takes the right to see the row and ``permission``; its button is shown while ``offered`` says so, which
    is a courtesy: the service is who refuses, and its refusals are shown above what was answered.
    """

    def declare(work: Work) -> Work:
        work.deed = Deed(work.__name__, label, work, permission, form, initial, offered)  # type: ignore[attr-defined]
        return work

    return declare


def add_deed(
    label: str | Promise,
    *,
    permission: str,
    form: type[forms.Form],
    initial: Callable[[Any], dict[str, Any]] = lambda _row: {},
) -> Callable[[Work], Work]:
    """Make a method ``(self, *, by, answers) -> message`` an add deed; name it in the class's ``add_deeds``.

    Its page takes the right to see the model's rows and ``permission``. Refused, it shows why above what was answered.
    """
    return deed(label, permission=permission, form=form, initial=initial)


def as_is(*fields: str) -> Callable[[Any], dict[str, Any]]:
    """For ``initial``: the form begins with what the row says in ``fields``; the form calls them the same."""
    return lambda row: {name: getattr(row, name) for name in fields}


# How the links of Django's own filters ask.
_NARROWED_BY = ("exact", "isnull", "in", "gte", "lt", "id__exact")


class BackOffice(ModelAdmin[M]):  # type: ignore[misc]
    """Read-only pages of one model, with the deeds named in ``deeds``, and in ``add_deeds`` on the list.

    ``people`` names the fields that hold actors: pages show what those people sign in as, at one query a page.
    ``facts`` names what a deed's page shows of the row. Lists do not count their table, however long it is.
    """

    deeds: ClassVar[tuple[str, ...]] = ()
    add_deeds: ClassVar[tuple[str, ...]] = ()
    people: ClassVar[tuple[str, ...]] = ()
    facts: ClassVar[tuple[str, ...]] = ()

    actions = None
    list_per_page = 50
    show_full_result_count = False
    paginator = InfinitePaginator
    change_form_outer_before_template = "admin/deeds.html"
    list_before_template = "admin/deeds.html"
    # Whoever reads a time there has to know whose it is.
    change_form_outer_after_template = "admin/zone.html"
    list_after_template = "admin/zone.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  Django's signature
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:  # noqa: ARG002
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Lists are narrowed by what they offer and by nothing else: Django would also answer whether a column holds
        what is asked in the address, and so tell, question by question, what no page shows."""
        del value
        offered = {
            getattr(found, "parameter_name", found[0] if isinstance(found, tuple | list) else found)
            for found in (self.get_list_filter(request) if request else self.list_filter)
        }
        return any(lookup == name or lookup in {f"{name}__{how}" for how in _NARROWED_BY} for name in offered)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        page: ChangeList = super().get_changelist_instance(request)
        self._introduce(page.result_list)
        return page

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> M | None:
        row: M | None = super().get_object(request, object_id, from_field)
        if row is not None:
            self._introduce([row])
        return row

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "deeds": partial(self._offers, request, unquote(object_id))}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {**(extra_context or {}), "deeds": partial(self._add_offers, request)}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def get_urls(self) -> list[URLPattern]:
        adding = [
            path(
                f"{name}/",
                self.admin_site.admin_view(partial(self._add_view, deed=self._deed(name))),
                name=self._route(name),
            )
            for name in self.add_deeds
        ]
        own = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(partial(self._deed_view, deed=self._deed(name))),
                name=self._route(name),
            )
            for name in self.deeds
        ]
        return adding + own + list(super().get_urls())

    def _route(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def _deed(self, name: str) -> Deed:
        found: Deed = getattr(self, name).deed
        return found

    def _offers(self, request: HttpRequest, object_id: str) -> list[dict[str, Any]]:
        """The buttons on a row's page."""
        row, by = self.get_object(request, object_id), Actor.of(request.user)
        return [
            {"label": found.label, "url": reverse(f"admin:{self._route(name)}", args=[quote(object_id)])}
            for name in self.deeds
            if row and request.user.has_perm((found := self._deed(name)).permission) and found.offered(by, row)
        ]

    def _add_offers(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The buttons on the list."""
        return [
            {"label": found.label, "url": reverse(f"admin:{self._route(name)}")}
            for name in self.add_deeds
            if request.user.has_perm((found := self._deed(name)).permission)
        ]

    def _add_view(self, request: HttpRequest, *, deed: Deed) -> HttpResponse:
        self._check_may(request, deed)
        back = reverse(f"admin:{self._route('changelist')}")

        form = deed.form(request.POST if request.method == "POST" else None, initial=deed.initial(None))
        if form.is_valid():
            try:
                said = deed.work(self, by=Actor.of(request.user), answers=form.cleaned_data)
            except DomainError as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, str(said))
                return HttpResponseRedirect(back)
        return self._asked(request, deed, form, back)

    def _check_may(self, request: HttpRequest, deed: Deed) -> None:
        if not (self.has_view_permission(request) and request.user.has_perm(deed.permission)):
            raise PermissionDenied

    def _deed_view(self, request: HttpRequest, object_id: str, *, deed: Deed) -> HttpResponse:
        self._check_may(request, deed)
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404

        form = deed.form(request.POST if request.method == "POST" else None, initial=deed.initial(row))
        if form.is_valid():
            try:
                said = deed.work(self, row=row, by=Actor.of(request.user), answers=form.cleaned_data)
            except DomainError as refusal:
                if form.hidden_fields():
                    # What was decided on as it was shown is looked at anew, not sent again.
                    messages.error(request, str(refusal))
                    return HttpResponseRedirect(self._page(row))
                form.add_error(None, str(refusal))
                row = self.get_object(request, unquote(object_id)) or row
            else:
                messages.success(request, str(said))
                return HttpResponseRedirect(self._page(row))
        return self._asked(
            request,
            deed,
            form,
            self._page(row),
            subtitle=str(row),
            original=row,
            facts=self._shown_facts(row),
        )

    def _asked(self, request: HttpRequest, deed: Deed, form: forms.Form, back: str, **about: Any) -> HttpResponse:
        """The page that asks what ``deed`` needs, and says what it is ``about``."""
        page = {"title": deed.label, "opts": self.opts, "form": form, "back": back}
        context = {**self.admin_site.each_context(request), **page, **about}
        return TemplateResponse(request, "admin/deed.html", context)

    def _page(self, row: M) -> str:
        return reverse(f"admin:{self._route('change')}", args=[quote(row.pk)])

    def _shown_facts(self, row: M) -> list[tuple[str, Any]]:
        shown: list[tuple[str, Any]] = []
        for name in self.facts:
            field, _attribute, value = lookup_field(name, row, self)
            text = value if field is None else display_for_field(value, field, NOTHING)
            shown.append((str(label_for_field(name, self.model, self)), text))
        return shown

    def _introduce(self, rows: Iterable[M]) -> None:
        rows = list(rows)
        texts = {text for row in rows for field in self.people if (text := getattr(row, field))}
        names = queries.names(texts)
        for row in rows:
            row.introduced = names  # type: ignore[attr-defined]


def in_percent(field: str, label: str | Promise) -> Callable[[BackOffice[Any], Any], str]:
    """A column that shows in percent what ``field`` has in hundredths of one."""

    @admin.display(description=cast("str", label), ordering=field)
    def column(_self: BackOffice[Any], row: Any) -> str:
        bp = getattr(row, field)
        return NOTHING if bp is None else share(bp)

    return column


def person(field: str, label: str | Promise) -> Callable[[BackOffice[Any], Any], str]:
    """A column that shows what the actor in ``field``, one of ``people``, signs in as."""

    @admin.display(description=cast("str", label), ordering=field)
    def column(_self: BackOffice[Any], row: Any) -> str:
        actor = getattr(row, field)
        return str(row.introduced.get(actor, actor) or NOTHING)

    return column
