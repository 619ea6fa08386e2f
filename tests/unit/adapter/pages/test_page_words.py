"""The words around the texts: the same in each language, and of what the code has."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import adapter.pages
from adapter.pages.catalog import DOCUMENTS
from adapter.pages.languages import LANGUAGES
from adapter.sale.settings import PRICES

TEXT = Path(adapter.pages.__file__).parent / "text"


def read_words(code: str, name: str) -> dict[str, Any]:
    return tomllib.loads((TEXT / code / f"{name}.toml").read_text(encoding="utf-8"))


def flatten(words: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(words, str):
        yield path, words
    else:
        items = words.items() if isinstance(words, dict) else enumerate(words)
        for name, value in items:
            yield from flatten(value, f"{path}.{name}")


@pytest.mark.parametrize("name", ["words", "landing"])
@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_a_language_has_the_words_of_the_others(code: str, name: str) -> None:
    english, other = dict(flatten(read_words("en", name))), dict(flatten(read_words(code, name)))
    assert list(other) == list(english)
    for path, text in other.items():
        assert text.strip(), path
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[path])), path


def test_everything_that_has_a_price_has_words() -> None:
    assert set(read_words("en", "words")["operations"]) == set(PRICES)


def test_every_document_has_a_title_a_summary_and_a_place() -> None:
    words = read_words("en", "words")
    slugs = [page.slug for page in DOCUMENTS]
    assert list(words["documents"]) == list(words["summaries"]) == slugs
    assert list(words["groups"]) == list(dict.fromkeys(page.group for page in DOCUMENTS))


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_fact_is_typed_in_the_words(code: str) -> None:
    for name in ("words", "landing"):
        for path, text in flatten(read_words(code, name)):
            assert not re.search(r"\d", re.sub("HTTP 402|x402", "", text)), f"{name}{path} has a number"
