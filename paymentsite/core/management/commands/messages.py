"""Translations without gettext's tools: Babel collects and compiles them."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

from paymentsite.core import labels

# The packages whose pages and sentences are ours.
SOURCES: Final = ("paymentsite", "members", "wallets", "cards", "settlement", "templates")
KEYWORDS: Final = DEFAULT_KEYWORDS | {
    "gettext_noop": DEFAULT_KEYWORDS["gettext"],  # the sentences of refusals, which are translated when read
    **{f"{name}_lazy": DEFAULT_KEYWORDS[name] for name in ("gettext", "ngettext", "pgettext", "npgettext")},
}


class Command(BaseCommand):
    help = "Collect sentences into locale/ (extract), make them usable (compile), see that none lacks (check)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["extract", "compile", "check"])

    def handle(self, *, act: str, **_: Any) -> None:
        for po in _files():
            match act:
                case "extract":
                    _extract(po)
                case "compile":
                    _compile(po)
                case "check":
                    _check(po)


def _files() -> Iterator[Path]:
    """The file of each language but the one that the code is written in."""
    for language, _name in settings.LANGUAGES:
        if language != settings.LANGUAGE_CODE:
            yield Path(settings.LOCALE_PATHS[0]) / to_locale(language) / "LC_MESSAGES" / "django.po"


def _extract(po: Path) -> None:
    """``po`` has every sentence of the code and no other; those that stayed keep their translation."""
    known = _read(po) if po.exists() else Catalog(locale=po.parent.parent.name)
    known.project, known.version, known.fuzzy = "paymentsite", "0", False
    known.msgid_bugs_address = known.last_translator = known.language_team = ""
    known.header_comment = "# paymentsite's sentences in another language; ./script/test says which lack."
    known.update(_found(), no_fuzzy_matching=True)
    known.obsolete.clear()
    known.revision_date = known.creation_date
    po.parent.mkdir(parents=True, exist_ok=True)
    with po.open("wb") as out:
        write_po(out, known, width=110, omit_header=False, sort_by_file=False, include_lineno=False)


def _compile(po: Path) -> None:
    """The compiled file is as new as ``po``."""
    mo = po.with_suffix(".mo")
    if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
        return
    # Whole or not at all: whoever reads it meanwhile finds the one before.
    with NamedTemporaryFile("wb", dir=mo.parent, prefix=f".{mo.name}.", delete=False) as out:
        write_mo(out, _read(po))
    half = Path(out.name)
    half.chmod(0o644)
    half.replace(mo)


def _check(po: Path) -> None:
    known = _read(po)
    lacking = sorted(str(message.id) for message in _found() if message.id and not _is_translated(known, message))
    if lacking:
        raise CommandError(f"{po.parent.parent.name} lacks {len(lacking)}: {'; '.join(map(repr, lacking))}")


def _is_translated(known: Catalog, wanted: Message) -> bool:
    message = known.get(wanted.id, wanted.context)
    if message is None or message.fuzzy:
        return False
    return all(message.string) if isinstance(message.string, tuple) else bool(message.string)


def _read(po: Path) -> Catalog:
    with po.open("rb") as source:
        return read_po(source, locale=po.parent.parent.name)


def _found() -> Catalog:
    """Every sentence marked for translation in the code and the templates, and every label made of a name."""
    catalog = Catalog(project="paymentsite", charset="utf-8")
    for path in _sources():
        text = path.read_text(encoding="utf-8")
        # Templates become tokens that a Python reader understands, but for what is left of their indentation.
        source = re.sub(r"(?m)^[ \t]+", "", templatize(text)) if path.suffix == ".html" else text
        place = (str(path.relative_to(settings.ROOT)), 0)
        for _line, message, _comments, context in extract("python", io.BytesIO(source.encode()), KEYWORDS):
            catalog.add(message, locations=[place], context=context)
    for label in sorted(labels.sentences()):
        catalog.add(label)
    return catalog


def _sources() -> Iterator[Path]:
    for folder in SOURCES:
        for path in sorted((settings.ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".html", ".txt"} and path.is_file():
                yield path
