"""Stored JSON is laid out for people: amounts whole, rows by their names, words in the reader's language."""

import pytest
from django.db.models import TextChoices
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from members.models import User
from paymentsite.core.disclosure import named
from paymentsite.core.effects import Line, row
from paymentsite.core.layout import laid_out


class Mood(TextChoices):
    GOOD = "good", _("yes")


LINES = {"before": Line(_("before")), "mood": Line("mood", Mood)}


@pytest.mark.parametrize(
    ("value", "html"),
    [
        (None, "–"),
        ({}, "–"),
        ([], "–"),
        ("", "–"),
        (0, "0"),
        (False, "no"),
        (True, "yes"),
        ({"amount": -5, "currency": "JPY"}, "-¥5"),
        ({"amount": 1, "currency": "PTS"}, "1 point"),
        ({"amount": 5, "currency": "???"}, 'amount</dt><dd class="mb-1 ml-4">5</dd>'),
        ({"amount": 5, "currency": "JPY", "x": 1}, 'amount</dt><dd class="mb-1 ml-4">5</dd>'),
        (
            ["<a>", {"b": None}],
            '<ul><li>&lt;a&gt;</li><li><dl><dt class="font-medium">b</dt><dd class="mb-1 ml-4">–</dd></dl></li></ul>',
        ),
    ],
)
def test_stored_values_are_laid_out_for_people(value: object, html: str) -> None:
    assert html in laid_out(value)


def test_lines_give_labels_and_words_at_any_depth_in_the_language_of_the_reader() -> None:
    value = {"before": {"mood": "good"}, "mood": ["good", "<bad>"]}

    with translation.override("zh-hans"):
        html = laid_out(value, LINES)

    assert html == (
        '<dl><dt class="font-medium">之前</dt><dd class="mb-1 ml-4">'
        '<dl><dt class="font-medium">mood</dt><dd class="mb-1 ml-4">是</dd></dl></dd>'
        '<dt class="font-medium">mood</dt><dd class="mb-1 ml-4"><ul><li>是</li><li>&lt;bad&gt;</li></ul></dd></dl>'
    )


@pytest.mark.django_db
def test_rows_are_called_what_they_are_called_now_and_lead_to_their_pages() -> None:
    user = User.objects.create_user("<old>@example.com")
    html = laid_out([row(named(user))], {})

    assert f'href="/admin/members/user/{user.pk}/change/">&lt;old&gt;@example.com</a>' in html
    User.objects.filter(pk=user.pk).delete()
    assert laid_out(row(named(user)), {}) == f"members.user:{user.pk}"


@pytest.mark.attack
@pytest.mark.django_db
def test_typed_text_is_never_taken_for_a_row() -> None:
    user = User.objects.create_user("hidden@example.com")
    typed = [named(user), "members.user:99999999999999999999", "members.nothing:1"]

    for lines in (None, {}):
        assert laid_out(typed, lines) == "<ul>" + "".join(f"<li>{text}</li>" for text in typed) + "</ul>"
    # Nor is it outside of effects, where others write what is shown: details of journals, say.
    assert "hidden@" not in laid_out(row(named(user)))
