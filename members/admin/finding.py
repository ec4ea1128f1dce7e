"""Finding rows by what an operator has in hand: whose they are, or what they are called; each is in an index."""

from contextlib import suppress
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from members.models import Member
from members.services.members import NotAMember
from paymentsite.core.backoffice import BackOffice, M

IDS_BELOW = 2**63


def members_called(term: str) -> list[int]:
    """Whose id, handle or e-mail address ``term`` is; the whole of it."""
    term = term.strip().lower()
    called = Q(user__email=term) if "@" in term[1:] else Q(handle=term.removeprefix("@"))
    if term.isascii() and term.isdecimal() and int(term) < IDS_BELOW:
        called |= Q(pk=int(term))
    return list(Member.objects.filter(called).values_list("pk", flat=True))


class MemberField(forms.CharField):
    """Asks for a member by whatever an operator has in hand: a handle, an e-mail address, an id; answers with them."""

    widget = UnfoldAdminTextInputWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"help_text": _("a handle, an e-mail address or an id"), "max_length": 254, **options})

    def clean(self, value: Any) -> Member | None:
        term = super().clean(value)
        if not term:
            return None
        called = Q(pk__in=members_called(term))
        with suppress(ValueError):
            called |= Q(public_id=UUID(term))
        found = Member.objects.filter(called)
        if len(found) != 1:
            raise forms.ValidationError(str(NotAMember()))
        return found[0]


class OfMembers(BackOffice[M]):
    """Rows that are found by their members, named by the paths in ``parties``; by the public id in ``known_by``; or,
    where what was typed is neither, by the whole of the column ``otherwise``."""

    parties: ClassVar[tuple[str, ...]] = ("member",)
    known_by: ClassVar[str] = ""
    otherwise: ClassVar[str] = ""

    # That there is anything is what makes Django show the field.
    search_fields = ("pk",)
    search_help_text = _("a member's handle, e-mail address or id")
    list_select_related: Any = ("member",)
    ordering = ("-pk",)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.known_by and "search_help_text" not in cls.__dict__:
            cls.search_help_text = _("an id, or a member's handle, e-mail address or id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        del request
        if not (term := search_term.strip()):
            return queryset, False
        wanted = Q()
        if members := members_called(term):
            for path in self.parties:
                wanted |= Q(**{f"{path}__in": members})
        elif self.known_by:
            with suppress(ValueError):
                wanted |= Q(**{self.known_by: UUID(term)})
        if not wanted and self.otherwise:
            wanted = Q(**{self.otherwise: term})
        return (queryset.filter(wanted) if wanted else queryset.none()), False
