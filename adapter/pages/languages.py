"""The languages of the pages: which one a reader would rather have, and how numbers are written in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapter.accept import parse_accept


@dataclass(frozen=True)
class Language:
    """A language that every page is written in."""

    code: str
    """ISO 639-1, as in the path and in `lang`."""
    name: str
    """Its own name for itself."""
    decimal: str
    thousands: str
    dollars: str
    """How an amount is written; `{}` is the number."""

    def money(self, amount: int) -> str:
        """`amount` in millionths of a dollar; at least two decimals, and no more than it has."""
        whole, fraction = divmod(amount, 1_000_000)
        decimals = f"{fraction:06}".rstrip("0").ljust(2, "0")
        return self.dollars.format(f"{self.number(whole)}{self.decimal}{decimals}")

    def number(self, value: int) -> str:
        """A whole number."""
        return f"{value:,}".replace(",", self.thousands)


LANGUAGES: Mapping[str, Language] = {
    language.code: language
    for language in (
        Language("en", "English", ".", ",", "${}"),
        Language("es", "Español", ",", ",", "${}"),
        Language("fr", "Français", ",", "\N{NARROW NO-BREAK SPACE}", "{}\N{NO-BREAK SPACE}$"),
    )
}
DEFAULT = LANGUAGES["en"]


def choose_language(accept_language: str) -> Language:
    """The one that an Accept-Language header asks for first; English where it asks for none of them."""
    best, best_quality = DEFAULT, 0.0
    for name, quality in parse_accept(accept_language).items():
        language = LANGUAGES.get(name.partition("-")[0])
        if language is not None and quality > best_quality:
            best, best_quality = language, quality
    return best
