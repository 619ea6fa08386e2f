"""The reader's language, and how numbers are written in it."""

import pytest

from adapter.pages.languages import LANGUAGES, choose_language


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "en"),
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("fr-CA", "fr"),
        ("FR", "fr"),
        ("de,fr;q=0.7,en;q=0.3", "fr"),
        ("de-DE,de", "en"),
        ("*", "en"),
        ("en;q=0.2, es;q=0.9", "es"),
        ("es;q=0", "en"),
        ("es;q=much, fr;q=0.1", "fr"),
    ],
)
def test_a_reader_gets_the_language_asked_for_first(header: str, code: str) -> None:
    assert choose_language(header).code == code


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (50_000, {"en": "$0.05", "es": "$0,05", "fr": "0,05\N{NO-BREAK SPACE}$"}),
        (500_000, {"en": "$0.50", "es": "$0,50", "fr": "0,50\N{NO-BREAK SPACE}$"}),
        (1_500, {"en": "$0.0015", "es": "$0,0015", "fr": "0,0015\N{NO-BREAK SPACE}$"}),
    ],
)
def test_prices_are_written_as_in_the_language(amount: int, written: dict[str, str]) -> None:
    assert {code: language.money(amount) for code, language in LANGUAGES.items()} == written


def test_large_numbers_are_grouped_as_in_the_language() -> None:
    written = {code: language.number(10_000) for code, language in LANGUAGES.items()}
    assert written == {"en": "10,000", "es": "10,000", "fr": "10\N{NARROW NO-BREAK SPACE}000"}
