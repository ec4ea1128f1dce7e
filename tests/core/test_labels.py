"""No label of the back office is left in the language of the code."""

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, label_for_field
from django.test import RequestFactory
from django.utils import translation

from members.models import User
from paymentsite.core import labels

# What a Chinese page says in these letters, too.
SAME_IN_CHINESE = {"PIN", "IBAN", "BIC", "ID", "IP", "SHA", "JSON", "paymentsite"}
LATIN = re.compile(r"[A-Za-z]{2,}")

PAGES = [page for model, page in admin.site._registry.items() if model.__module__.partition(".")[0] in labels.OURS]


def half_english(text: object) -> set[str]:
    return set(LATIN.findall(str(text))) - SAME_IN_CHINESE


def shown(page: admin.ModelAdmin) -> list[str]:
    asked = RequestFactory().get("/")
    asked.user = User(is_superuser=True, is_active=True, is_staff=True)
    names = [*page.get_list_display(asked), *flatten_fieldsets(page.get_fieldsets(asked))]
    return [label_for_field(name, page.model, page) for name in dict.fromkeys(names)]


@pytest.mark.django_db
@pytest.mark.parametrize("listed", PAGES, ids=lambda page: page.opts.label)
def test_labels_of_a_page_are_in_the_language_of_its_reader(listed: admin.ModelAdmin) -> None:
    with translation.override("zh-hans"):
        titles = [listed.opts.verbose_name, listed.opts.verbose_name_plural, listed.opts.app_config.verbose_name]
        said = [str(label) for label in [*titles, *shown(listed)]]

    assert len(said) > 4
    assert {label: words for label in said if (words := half_english(label))} == {}


def test_labels_made_of_names_are_collected_and_told_in_the_language_of_their_reader() -> None:
    column = apps.get_model("ledger", "Journal")._meta.get_field("recorded_at")

    assert {"recorded at", "Ledger", "journal", "journals"} <= labels.sentences()
    with translation.override("en"):
        assert str(column.verbose_name) == "recorded at"
    with translation.override("zh-hans"):
        assert str(column.verbose_name) == "记录时间"
        assert str(apps.get_app_config("ledger").verbose_name) == "账本"
