"""Every sentence of ours is whole in both languages, with its facts: of refusals, of notices."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import TextChoices
from django.db.models.enums import ChoicesType
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from cards.models.messages import Code
from cards.services import controls, sayings
from members.models.limits import limit_words
from members.services import notices
from paymentsite.core.effects import titled
from paymentsite.core.errors import DomainError, Words, as_day, as_moment, listed, names_in, told
from paymentsite.core.management.commands.messages import SOURCES
from paymentsite.ledger import refusals

ROOT = Path(__file__).parents[2]

Sentence = tuple[str, str, Mapping[str, Words]]

# Facts that are no words of ours: amounts, numbers, moments, codes, names that people gave.
PLAIN = set(
    """
    account act after age amount approval asked at available base before cap card cause count currency day days
    destination expected expires expires_at fee gateway gifts given held item jobs journal last last_day last_four
    least left level merchant message money month most moved name next now open orders owed page paid pending points
    position posted quote quoted rank reference resets_at reward right rule scale short size sold source subject
    tier tiers times unit until used value whom year years
    """.split()  # noqa: SIM905  seventy names read better without their quotes
)
# A fact that is a refusal is told by that refusal's own sentence.
REFUSALS = {("standing_order_refused", "why"), ("standing_order_given_up", "why")}
# What stands in Chinese sentences as it does in English ones.
LATIN = re.compile(r"ISO 4217|JPEG|PNG|PDF|PIN|SANDBOX|BIC|@|CNY|10:00")
CHINESE = re.compile("[\u4e00-\u9fff]")
# For the functions that read a fact: facts as they store them.
READ: dict[Callable[..., str], list[Any]] = {
    as_day: ["2026-11-30"],
    as_moment: ["2026-11-30T08:00:00+08:00"],
    titled: ["members.set_limit", "ledger.post_manual"],
    limit_words: ["transfer.amount.day", "any.balance", "card.count.month"],
    sayings.why: [str(code) for code in Code if code not in {Code.APPROVED, Code.NO_SUCH_CARD}],
    controls.part_words: ["caps", "categories", "hours"],
    refusals.part: [*refusals.Part.values, "entries[1]", "entries[2].amount"],
}


class Mood(TextChoices):
    GOOD = "good", _("good")


class HalfEnglish(DomainError):
    code = "sample_half_english"
    sentence = "Not now: {mood}."


class Unknown(DomainError, mood=Mood):
    code = "sample_unknown_word"
    sentence = "Not now: {mood}."


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    call_command("messages", "compile")


def ours() -> Iterator[Sentence]:
    for code, refusal in DomainError.catalogue().items():
        if refusal.__module__.partition(".")[0] in SOURCES:
            yield code, refusal.sentence, refusal.vocabulary
    for kind in notices.kinds():
        if not kind.name.startswith("test_"):
            yield kind.name, kind.sentence, kind.vocabulary


def undeclared(sentences: Iterator[Sentence] | list[Sentence]) -> list[tuple[str, str]]:
    """The facts in sentences of which nobody has said whether they are words."""
    facts = ((code, name, words) for code, sentence, words in sentences for name in sorted(names_in(sentence)))
    return [(code, name) for code, name, words in facts if name not in words and name not in PLAIN]


def stored(words: Words) -> list[Any]:
    """What a fact with such words can be."""
    return list(words.values) if isinstance(words, ChoicesType) else READ.get(words, [{"en": "7", "zh": "7"}])


def half_english(sentences: Iterator[Sentence] | list[Sentence]) -> list[str]:
    """What is not Chinese to a Chinese reader, with each word that its facts can be, once alone and once in a list."""
    found = []
    for code, sentence, words in sentences:
        names = names_in(sentence).union(*(names_in(str(label)) for each in words.values() for label in labels(each)))
        for values in product(*(stored(each) for each in words.values())):
            facts = {**dict.fromkeys(names, 7), **dict(zip(words, values, strict=True))}
            with translation.override("zh-hans"):
                said = told(sentence, facts, words)
            if re.search("[A-Za-z{}]", LATIN.sub("", said)) or not CHINESE.search(said):
                found.append(f"{code}: {said}")
    return found


def labels(words: Words) -> list[Any]:
    return list(words.labels) if isinstance(words, ChoicesType) else []


def test_every_fact_of_a_sentence_is_declared_a_word_or_is_none():
    assert [each for each in undeclared(ours()) if each not in REFUSALS] == []
    assert undeclared([("sample", HalfEnglish.sentence, HalfEnglish.vocabulary)]) == [("sample", "mood")]


def test_declared_words_are_facts_that_somebody_speaks_of():
    idle = [
        (code, name)
        for code, sentence, words in ours()
        for name in words
        if name
        not in names_in(sentence).union(*(names_in(str(each)) for one in words.values() for each in labels(one)))
        # What is declared for a family its members need not say.
        and not any(name in base.vocabulary for base in DomainError.catalogue()[code].__bases__)
    ]
    assert idle == []


def test_every_sentence_is_chinese_to_a_chinese_reader_with_whatever_words():
    assert len(list(ours())) > 150
    assert half_english(ours()) == []
    assert half_english([("sample", "您好：{mood}。", Unknown.vocabulary)]) == ["sample: 您好：good。"]


def raised(source: str) -> Iterator[tuple[type[DomainError], ast.keyword]]:
    """The declared facts that the code in ``source`` writes down where it makes a refusal."""
    by_name: dict[str, list[type[DomainError]]] = {}
    for refusal in DomainError.catalogue().values():
        by_name.setdefault(refusal.__name__, []).append(refusal)
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            for refusal in by_name.get(name, []):
                yield from ((refusal, fact) for fact in call.keywords if fact.arg in refusal.vocabulary)


def prose(source: str) -> list[str]:
    """Declared facts that are written as text which no set of words knows."""
    return [
        f"{refusal.code}: {ast.unparse(fact.value)}"
        for refusal, fact in raised(source)
        if isinstance(fact.value, ast.JoinedStr)
        or (
            isinstance(fact.value, ast.Constant)
            and fact.value.value not in [None, *stored(refusal.vocabulary[str(fact.arg)])]
        )
    ]


def test_no_refusal_is_raised_with_prose_for_a_word():
    files = [path for package in SOURCES for path in (ROOT / package).rglob("*.py")]

    assert sum(len(list(raised(path.read_text()))) for path in files) > 60
    assert [each for path in files for each in prose(path.read_text())] == []

    planted = "raise Unknown(mood='sour')\nraise errors.Unknown(mood=f'{x}')\nraise Unknown(mood='good')"
    assert prose(planted) == ["sample_unknown_word: 'sour'", "sample_unknown_word: f'{x}'"]


def test_lists_are_put_as_the_language_puts_them():
    with translation.override("zh-hans"):
        assert listed(["甲", "乙"]) == "甲、乙"
