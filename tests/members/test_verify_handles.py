"""A handle is whose it was given to: what is edited behind the services' backs, verify names."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from members.models import Member
from members.personal import erase_profile
from members.services import members
from paymentsite.core import verification
from paymentsite.core.actors import SYSTEM
from tests.members.factories import member

pytestmark = pytest.mark.django_db

CHECK = "members.handle_is_kept"


def named() -> list[str]:
    return [finding.subject for finding in verification.discover().run(only=[CHECK]).findings]


def test_handles_that_members_gave_themselves_are_clean():
    member(handle="ada")
    member(handle=None)
    for handle in ("bo", None, "bodo"):
        bo = member(handle="bob")
        members.edit(member=bo, by=SYSTEM, handle=f"{handle}_{bo.pk}" if handle else None)
        members.edit(member=bo, by=SYSTEM, display_name="Bo")
        Member.objects.filter(pk=bo.pk).update(handle=None, handle_kept=None)

    assert named() == []


def test_handle_of_who_is_erased_is_kept_nowhere():
    ada = member(handle="ada")
    erase_profile(ada)

    ada.refresh_from_db()
    assert (ada.handle, ada.handle_kept, named()) == (None, None, [])


def test_handle_of_another_is_named():
    bo, eve = member(handle="bodo"), member(handle="eve")
    Member.objects.filter(pk=bo.pk).update(handle="gone")
    Member.objects.filter(pk=eve.pk).update(handle="bodo")

    assert named() == [f"member {bo.pk}", f"member {eve.pk}"]


def test_handle_of_another_with_what_the_vault_kept_of_it_is_named():
    bo, eve = member(handle="bodo"), member(handle="eve")
    with connection.cursor() as cursor:
        cursor.execute("SELECT handle_kept FROM members_member WHERE user_id = %s", [bo.pk])
        [kept] = cursor.fetchone()
        cursor.execute("UPDATE members_member SET handle = 'gone' WHERE user_id = %s", [bo.pk])
        cursor.execute("UPDATE members_member SET handle = 'bodo', handle_kept = %s WHERE user_id = %s", [kept, eve.pk])

    assert named() == [f"member {bo.pk}", f"member {eve.pk}"]


@pytest.mark.parametrize("edit", [{"handle": None}, {"handle_kept": None}])
def test_handle_that_is_gone_is_named(edit):
    bo = member(handle="bodo")
    Member.objects.filter(pk=bo.pk).update(**edit)

    assert named() == [f"member {bo.pk}"]


def test_handles_from_before_are_kept_by_the_migration():
    bo, _nameless = member(handle="bodo"), member(handle=None)
    Member.objects.update(handle_kept=None)
    assert named() == [f"member {bo.pk}"]

    import_module("members.migrations.0003_handles_kept").keep(apps, connection.SchemaEditorClass(connection))

    assert named() == []
