"""What encrypted columns are to migrations, checks, forms, and to whatever shows a row."""

import json
import pickle

import pytest
from django.apps import apps
from django.contrib.admin.utils import display_for_field
from django.core import serializers
from django.db import models
from django.db.migrations.writer import MigrationWriter
from django.forms import modelform_factory
from django.test.utils import isolate_apps

from paymentsite.core.vault import Purpose, Secret
from paymentsite.core.vault.fields import DigestField, EncryptedField
from tests.core.vault.app.models import Card

pytestmark = pytest.mark.django_db
CANARY = "4111111111111111"


@pytest.mark.attack
def test_nothing_that_shows_a_row_shows_its_content(cards):
    card = cards.objects.create(number=Secret(CANARY), pin=Secret("hash-of-the-pin"))
    found = cards.objects.get()
    field = cards._meta.get_field("number")
    shown = [
        repr(card.number),
        str(found.number),
        f"{found.number}",
        repr(vars(card)),
        str(list(cards.objects.values())),
        str(list(cards.objects.values_list("number", "pin"))),
        str(display_for_field(found.number, field, "-")),
        serializers.serialize("json", [card]),
        serializers.serialize("python", [card]).__repr__(),
        str(cards.objects.filter(number_digest=Secret(CANARY)).query),
        str(MigrationWriter.serialize(field)),
        str(MigrationWriter.serialize(cards._meta.get_field("number_digest"))),
        str(modelform_factory(cards, fields="__all__")(instance=card)),
    ]

    assert [text for text in shown if CANARY in text or "hash-of-the-pin" in text] == []
    assert CANARY.encode() not in pickle.dumps(found)
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps({"number": found.number})
    with pytest.raises(TypeError, match="never written down"):
        pickle.dumps(cards(number=Secret(CANARY)))


def test_form_has_no_encrypted_field(cards):
    assert set(modelform_factory(cards, fields="__all__").base_fields) == {"public_id", "note"}


def test_fields_are_rebuilt_as_they_were():
    for name in ("number", "pin", "number_digest"):
        field = Card._meta.get_field(name)
        _, path, args, options = field.deconstruct()
        again = type(field)(*args, **options)
        assert again.deconstruct()[1:] == (path, args, options)
        assert "editable" not in options
        assert not again.editable
    assert Card._meta.get_field("pin").clone().purpose is Purpose.PEPPER
    assert Card.check() == []


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"bound_to": ()}, ["vault.E002"]),
        ({"bound_to": ("id",)}, ["vault.E003"]),
        ({"bound_to": ("absent",)}, ["vault.E003"]),
        ({"bound_to": ("maybe",)}, ["vault.E003"]),
        ({"bound_to": ("name",), "default": b"x"}, ["vault.E001"]),
        ({"bound_to": ("name",), "db_index": True}, ["vault.E001"]),
        ({"bound_to": ("name", "maybe", "absent")}, ["vault.E003", "vault.E003"]),
        ({"bound_to": ("name",)}, []),
    ],
)
def test_column_that_cannot_be_right_fails_the_checks(options, found):
    with isolate_apps("paymentsite.core"):

        class Token(models.Model):
            name = models.CharField(max_length=9)
            maybe = models.CharField(max_length=9, null=True)  # noqa: DJ001 - the wrong thing to be bound to
            text = EncryptedField("token", **options)
            found = DigestField("token", of="text")
            lost = DigestField("token", of="name")

            class Meta:
                app_label = "core"

            def __str__(self):
                return self.name

        assert [error.id for error in Token._meta.get_field("text").check()] == found
        assert Token._meta.get_field("found").check() == []
        assert [error.id for error in Token._meta.get_field("lost").check()] == ["vault.E004"]


def test_test_app_is_gone_without_its_fixture():
    assert "vault_tests" not in apps.app_configs
