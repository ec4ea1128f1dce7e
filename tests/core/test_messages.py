import shutil
from string import Formatter

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import translation

from paymentsite.core import labels
from paymentsite.core.errors import DomainError
from paymentsite.core.management.commands import messages

TEMPLATE = (
    '{% load i18n %}\n<p>\n    {% translate "Good <b>day</b>" %}\n'
    "  {% blocktranslate count n=n %}one{% plural %}{{ n }} many{% endblocktranslate %}</p>"
)
CODE = 'from django.utils.translation import gettext as _, pgettext\n_("Open")\npgettext("a door", "Open")\n'


@pytest.fixture
def po(settings, tmp_path, monkeypatch):
    """A tree of its own with one page and one module, no labels, and where their translation will be."""
    monkeypatch.setattr(labels, "OURS", ())
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE)
    (tmp_path / "members").mkdir()
    (tmp_path / "members" / "code.py").write_text(CODE)
    settings.ROOT, settings.LOCALE_PATHS = tmp_path, [tmp_path / "locale"]
    return tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"


def translate(po, **texts):
    text = po.read_text()
    for english, chinese in texts.items():
        text = text.replace(f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{chinese}"')
    po.write_text(text)


def test_sentences_of_pages_and_code_are_collected(po):
    call_command("messages", "extract")

    text = po.read_text()
    assert 'msgid "Good <b>day</b>"' in text
    assert 'msgid "one"\nmsgid_plural "%(n)s many"' in text
    assert 'msgctxt "a door"\nmsgid "Open"' in text
    assert text.count('msgid "Open"') == 2


def test_labels_made_of_names_are_collected_too(po, monkeypatch):
    monkeypatch.setattr(labels, "OURS", ("paymentsite",))
    call_command("messages", "extract")

    assert 'msgid "recorded at"' in po.read_text()


def test_missing_translation_is_named(po):
    call_command("messages", "extract")

    with pytest.raises(CommandError, match=r"zh_Hans lacks 4: .*Good <b>day</b>"):
        call_command("messages", "check")


def test_collecting_again_keeps_translations_and_drops_what_is_gone(po, settings):
    call_command("messages", "extract")
    translate(po, Open="打开")
    (settings.ROOT / "templates" / "page.html").unlink()
    call_command("messages", "extract")

    text = po.read_text()
    assert 'msgid "Open"\nmsgstr "打开"' in text
    assert "Good" not in text


def test_compiled_once_and_again_only_when_newer(po):
    call_command("messages", "extract")
    call_command("messages", "compile")
    first = po.with_suffix(".mo").stat().st_mtime_ns

    call_command("messages", "compile")
    assert po.with_suffix(".mo").stat().st_mtime_ns == first


def test_repository_speaks_both_languages():
    call_command("messages", "compile")

    with translation.override("zh-hans"):
        assert translation.gettext("Sign out") == "退出"


def test_every_refusal_is_told_in_both_languages_with_the_same_facts():
    call_command("messages", "compile")
    ours = {
        code: refusal
        for code, refusal in DomainError.catalogue().items()
        if refusal.__module__.partition(".")[0] in messages.SOURCES
    }

    with translation.override("zh-hans"):
        told = {code: translation.gettext(refusal.sentence) for code, refusal in ours.items()}

    assert len(told) > 40
    assert [code for code, sentence in told.items() if sentence == ours[code].sentence] == []
    assert {code: facts(sentence) for code, sentence in told.items()} == {
        code: refusal.fact_names() for code, refusal in ours.items()
    }


def facts(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_no_gettext_tool_is_needed(po, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: pytest.fail(f"looked for {name}"))

    call_command("messages", "extract")
    call_command("messages", "compile")
    assert po.with_suffix(".mo").read_bytes()[:4] in {b"\xde\x12\x04\x95", b"\x95\x04\x12\xde"}
    assert settings.LOCALE_PATHS
