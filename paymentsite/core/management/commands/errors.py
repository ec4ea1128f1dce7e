import ast
import re
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any, Final

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from paymentsite.core.errors import DomainError
from paymentsite.env import ROOT

_WORD: Final = re.compile(r"\w+")
_NOT_CODE: Final = {"migrations", "tests"}

_INTRODUCTION: Final = """\
# Errors

Every refusal that this system gives, from the code itself: `manage.py errors` writes this page.

A refusal has a code, which stays; a sentence, which is translated and may be reworded; and the facts behind
the sentence, named in it in braces. *Retry* says whether the same request, sent again, may succeed later.

| Family | HTTP | Retry | Meaning |
|---|---|---|---|
"""


class Command(BaseCommand):
    help = "Write docs/errors.md, the list of every refusal; with --check, exit 1 when it is out of date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; say whether it would change")
        parser.add_argument("--path", type=Path, default=ROOT / "docs" / "errors.md", help="the file")

    def handle(self, *_: Any, check: bool, path: Path, **__: Any) -> None:
        text = page(list(project_modules()))
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise CommandError(f"{path.name} is out of date: run manage.py errors")
        self.stdout.write(f"{path.name} is up to date.")


def project_modules() -> Iterator[ModuleType]:
    """Every module of every app of this project, imported."""
    for config in apps.get_app_configs():
        folder = Path(config.path)
        if not folder.is_relative_to(ROOT) or "site-packages" in folder.parts:
            continue
        yield import_module(config.name)
        yield from _submodules(folder, config.name)


def _submodules(folder: Path, package: str) -> Iterator[ModuleType]:
    for found in walk_packages([str(folder)], f"{package}."):
        if not _NOT_CODE & set(found.name.split(".")):
            yield import_module(found.name)


def page(modules: list[ModuleType]) -> str:
    """The page for the refusals that ``modules`` define."""
    names = {module.__name__ for module in modules}
    known = [error for error in DomainError.catalogue().values() if error.__module__ in names]
    raised = places(modules)

    families = "".join(
        f"| {family.__name__} | {family.status} | {_yes(family.retryable)} | {family.__doc__} |\n"
        for family in DomainError.__subclasses__()
        if family.__module__ in names
    )
    rows = "".join(
        f"| `{error.code}` | {error.family().__name__} | {error.status} | {_yes(error.retryable)} "
        f"| {error.sentence.replace('|', '&#124;')} "
        f"| {', '.join(f'`{place}`' for place in raised.get(error) or [error.__module__])} |\n"
        for error in known
    )
    heading = f"| Code | Family | HTTP | Retry | Sentence | Raised in |\n{'|---' * 6}|\n"
    return f"{_INTRODUCTION}{families}\n{heading}{rows}"


def places(modules: list[ModuleType]) -> dict[type[DomainError], list[str]]:
    """Which modules make each refusal, read from their source: ``Refusal(…)``, or ``raise Refusal``."""
    found: dict[type[DomainError], set[str]] = defaultdict(set)
    refusals = {error.__name__ for error in DomainError.catalogue().values()}
    for module in modules:
        text = Path(module.__file__ or "").read_text(encoding="utf-8")
        # Most modules name none, and a word is found sooner than a tree is walked.
        if refusals.isdisjoint(_WORD.findall(text)):
            continue
        for node in ast.walk(ast.parse(text)):
            made = node.func if isinstance(node, ast.Call) else node.exc if isinstance(node, ast.Raise) else None
            error = _named(made, module)
            if isinstance(error, type) and issubclass(error, DomainError):
                found[error].add(module.__name__)
    return {error: sorted(where) for error, where in found.items()}


def _named(node: ast.AST | None, module: ModuleType) -> object:
    """What ``Name`` or ``module.Name`` means inside ``module``."""
    if isinstance(node, ast.Name):
        return getattr(module, node.id, None)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return getattr(getattr(module, node.value.id, None), node.attr, None)
    return None


def _yes(flag: bool) -> str:  # noqa: FBT001 - a cell of a table
    return "yes" if flag else "no"
