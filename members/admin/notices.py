"""What members were told, as they read it."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from members.admin.finding import OfMembers
from members.models import Notice
from members.services import notices


@admin.register(Notice)
class Notices(OfMembers[Notice]):
    list_display = ("at", "member", "told", "read_at", "mailed_at")
    list_filter = (("read_at", admin.EmptyFieldListFilter),)
    fields = ("at", "member", "told", "subject", "read_at", "mailed_at")

    @admin.display(description=_("notice"))
    def told(self, notice: Notice) -> str:
        return notices.sentence(notice)
