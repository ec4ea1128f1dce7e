"""What points are worth, and the report of liability and breakage, as a page and as CSV."""

import csv
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as now_in_words
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from members.admin.earning import RIGHT
from members.admin.tiers import PROPOSED, text, whole
from members.models import PointValue
from members.queries import points
from members.services import earn_rules
from paymentsite.core import clock
from paymentsite.core.actors import Actor
from paymentsite.core.amount_forms import AmountField, AmountForm
from paymentsite.core.backoffice import BackOffice, add_deed
from paymentsite.core.formats import amount as formatted
from paymentsite.core.formats import share
from paymentsite.core.layout import NOTHING
from paymentsite.core.money import Money
from paymentsite.ledger.admin.tables import table

OUTSTANDING: Final = (_("Until the end of"), _("Points outstanding"), _("Worth"))
MONTHS: Final = (_("Month"), _("Given"), _("Spent"), _("Expired"), _("Taken back"), _("By hand"), _("Breakage"))


class ValueForm(AmountForm):
    points = whole(_("So many points"))
    value_minor = AmountField(label=_("are worth"))
    currency = text(_("Currency"), 3)
    starts_at = forms.SplitDateTimeField(
        label=_("In force from"),
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text=_("empty: from the approval on"),
    )
    reason = text(_("Reason"), 255)


@admin.register(PointValue)
class PointValues(BackOffice[PointValue]):
    list_display = ("starts_at", "points", "worth")
    fields = ("starts_at", "points", "worth")
    add_deeds = ("set_value",)
    ordering = ("-starts_at", "-pk")

    @admin.display(description=_("are worth"))
    def worth(self, value: PointValue) -> str:
        return formatted(Money(value.value_minor, value.currency))

    @add_deed(_("Propose a value"), permission=RIGHT, form=ValueForm)
    def set_value(self, *, by: Actor, answers: dict[str, Any]) -> str | Promise:
        earn_rules.set_value(by=by, **answers)
        return PROPOSED

    def get_urls(self) -> list[URLPattern]:
        views = (("report/", self.report, "report"), ("report.csv", self.report_csv, "report_csv"))
        own = [path(route, self.admin_site.admin_view(view), name=self._route(name)) for route, view, name in views]
        return own + list(super().get_urls())

    def _add_offers(self, request: HttpRequest) -> list[dict[str, Any]]:
        report = {"label": _("Liability and breakage"), "url": reverse(f"admin:{self._route('report')}")}
        return [*super()._add_offers(request), report]

    def report(self, request: HttpRequest) -> HttpResponse:
        """Liability by expiry month, and what happened month by month."""
        self._check_may_see(request)
        now = clock.now()
        value, totals = points.value_at(now), points.totals(now)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Liability and breakage of points"),
            "opts": self.opts,
            "csv": reverse(f"admin:{self._route('report_csv')}"),
            "facts": [
                (_("points outstanding"), totals.points),
                (_("worth"), formatted(totals.worth) if totals.worth else NOTHING),
                (_("value of points"), value or NOTHING),
                (_("pending"), totals.pending),
                (_("owed by members"), totals.debt),
            ],
            "outstanding": table(OUTSTANDING, [_outstanding(each, formatted) for each in points.outstanding(now)]),
            "months": table(MONTHS, [_month(each) for each in points.months()]),
        }
        return TemplateResponse(request, "admin/points_report.html", context)

    def report_csv(self, request: HttpRequest) -> HttpResponse:
        """The same tables, one under the other."""
        self._check_may_see(request)
        answer = HttpResponse(content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="points.csv"'
        write = csv.writer(answer)
        write.writerow(map(str, OUTSTANDING))
        write.writerows(_outstanding(each, str) for each in points.outstanding(clock.now()))
        write.writerow([])
        write.writerow(map(str, MONTHS))
        write.writerows(map(_month, points.months()))
        return answer

    def _check_may_see(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def _outstanding(each: points.Outstanding, written: Any) -> tuple[Any, ...]:
    month = each.month.strftime("%Y-%m") if each.month else now_in_words("never")
    return month, each.points, written(each.worth) if each.worth else NOTHING


def _month(each: points.Month) -> tuple[Any, ...]:
    breakage = NOTHING if each.breakage_bp is None else share(each.breakage_bp)
    return each.month.strftime("%Y-%m"), each.given, each.spent, each.expired, each.taken_back, each.other, breakage
