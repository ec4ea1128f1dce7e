"""Lists of the back office with nothing in them."""

import pytest
from django.conf import settings
from django.urls import reverse

from members.models import User

pytestmark = [pytest.mark.once, pytest.mark.django_db]


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "There is none yet, or none that fits"), ("zh-hans", "暂无记录，或没有符合条件的记录")],
)
def test_list_with_nothing_in_it_says_so_in_the_readers_language(client, language, said):
    client.force_login(User.objects.create_superuser("operator@example.com"))
    client.cookies.load({settings.LANGUAGE_COOKIE_NAME: language})

    page = client.get(reverse("admin:core_openitem_changelist") + "?q=nobody").content.decode()

    assert said in page
    assert "yielded" not in page
