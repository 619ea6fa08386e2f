"""What a prompt asks for: its words looked up, those of the negative prompt taken away. No word is an error."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain

from backdrop.colour import srgb, tune
from backdrop.frame import Colour
from backdrop.lexicon import CONNECTING, DIVIDING, FEATURES, MATERIALS, MOODS, NEGATIONS, SCENES, TIMES
from backdrop.swatches import CSS, DARKER, ELSEWHERE, LIGHTER

_LONGEST_PHRASE = 4
_MAX_WORDS = 400
"""More words than that say nothing more; the time to read them stays small."""
_SHADE = 0.16
"""How much lighter "light blue" is than "blue", in OKLab's lightness."""
_TOKEN = re.compile(r"#[0-9a-f]{6}\b|#[0-9a-f]{3}\b|[^\W_]+|[,;.:!?]")
_STOPS = frozenset(",;.:!?")


@dataclass(frozen=True)
class Meaning:
    """One thing that a word stands for.

    `kind`: scene, material, time, mood, feature or colour. `place`: which word;
    `clause`: which of the parts that commas and "and" divide a prompt into.
    """

    kind: str
    name: str
    place: int
    clause: int
    shade: float = 0.0

    @property
    def colour(self) -> Colour:
        """The colour that `name`, #rrggbb or one of CSS's, stands for."""
        return tune(srgb(CSS.get(self.name, self.name)), light=self.shade)


@dataclass(frozen=True)
class Brief:
    """What is wanted, in the order of the words. `excluded`: names of what the negative prompt took away.

    `strange`: words were there, and not one was understood.
    """

    meanings: tuple[Meaning, ...]
    excluded: frozenset[str]
    strange: bool

    def names(self, kind: str) -> tuple[str, ...]:
        """All that was named of one kind, each once."""
        return tuple(dict.fromkeys(meaning.name for meaning in self.meanings if meaning.kind == kind))

    @property
    def colours(self) -> tuple[Colour, ...]:
        """The colours named."""
        return tuple(meaning.colour for meaning in self.meanings if meaning.kind == "colour")

    def colours_beside(self, *things: str) -> tuple[Colour, ...]:
        """The colours that are said of one of these things ("white sand"), and of none other."""
        clauses = {meaning.clause for meaning in self.meanings if meaning.kind == "feature" and meaning.name in things}
        return tuple(m.colour for m in self.meanings if m.kind == "colour" and m.clause in clauses)

    def wants(self, *names: str) -> bool:
        """Whether one of these moods or features was asked for."""
        return any(meaning.name in names and meaning.kind in ("mood", "feature") for meaning in self.meanings)

    def allows(self, name: str) -> bool:
        """Whether nobody said that it should not be there."""
        return name not in self.excluded

    def time(self, preferred: str) -> str:
        """Time of day: the first named, else as preferred."""
        return next(iter(self.names("time")), preferred)

    def beside(self, feature: str, kind: str) -> Meaning | None:
        """What of a kind stands before a feature's word ("blue wall"), else after it ("pared azul")."""
        others = [meaning for meaning in self.meanings if meaning.kind == kind]
        for noun in (meaning for meaning in self.meanings if meaning.name == feature):
            near = [other for other in others if other.clause == noun.clause]
            near.sort(key=lambda other: (other.place > noun.place, abs(other.place - noun.place)))
            if near:
                return near[0]
        return None


def read(prompt: str, negative: str = "") -> Brief:
    """Understand a prompt."""
    found, refused = _split(prompt)
    excluded = {meaning.name for meaning in chain(refused, *_split(negative))}
    meanings = tuple(meaning for meaning in found if meaning.name not in excluded)
    return Brief(meanings, frozenset(excluded), strange=bool(_tokens(prompt)) and not meanings)


def _split(text: str) -> tuple[list[Meaning], list[Meaning]]:
    """What a text names, and what it says should not be there ("without clouds")."""
    wanted: list[Meaning] = []
    refused: list[Meaning] = []
    negated, shade, clause = False, 0.0, 0
    connecting, lighter, darker = _phrases_of(CONNECTING), _phrases_of(LIGHTER), _phrases_of(DARKER)
    for place, phrase, senses in _phrases(_tokens(text)):
        if phrase in _phrases_of(NEGATIONS):
            negated = True
        elif phrase in _STOPS or phrase in connecting:
            negated = False
            clause += phrase in _STOPS or phrase in _phrases_of(DIVIDING)
        target = refused if negated else wanted
        step = _SHADE if phrase in lighter else -_SHADE if phrase in darker else 0.0
        if step and target and target[-1].kind == "colour" and target[-1].place == place - 1:
            target[-1] = replace(target[-1], shade=step)  # "bleu clair"
            continue
        colours = [sense for sense in senses if sense[0] == "colour"]
        if colours and shade and target and target[-1].kind == "mood":
            target.pop()  # "dark blue" is a colour and no mood.
        target.extend(Meaning(kind, name, place, clause, shade if kind == "colour" else 0.0) for kind, name in senses)
        shade = step
    return wanted, refused


def _tokens(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _TOKEN.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))[:_MAX_WORDS]


def _phrases(tokens: Sequence[str]) -> Iterator[tuple[int, str, Sequence[tuple[str, str]]]]:
    """Place, phrase and meanings, the longest phrases first; a word that says nothing comes with no meaning."""
    place = 0
    while place < len(tokens):
        for length in range(min(_LONGEST_PHRASE, len(tokens) - place), 0, -1):
            phrase = " ".join(tokens[place : place + length])
            senses = _look_up(phrase)
            if senses or length == 1:
                yield place, phrase, senses
                place += length
                break


def _look_up(phrase: str) -> Sequence[tuple[str, str]]:
    if phrase.startswith("#") and " " not in phrase:
        digits = phrase[1:] if len(phrase) == 7 else "".join(digit * 2 for digit in phrase[1:])
        return [("colour", f"#{digits}")]
    index = _index()
    forms = (phrase, phrase.removesuffix("s"), phrase.removesuffix("es"), phrase.replace(" ", ""))
    return next((index[form] for form in forms if form in index), ())


@cache
def _index() -> dict[str, list[tuple[str, str]]]:
    """All phrases, with all their meanings."""
    tables = {"scene": SCENES, "material": MATERIALS, "time": TIMES, "mood": MOODS, "feature": FEATURES}
    index: dict[str, list[tuple[str, str]]] = {}
    for kind, table in (*tables.items(), ("colour", {name: name for name in CSS}), ("colour", ELSEWHERE)):
        for name, text in table.items():
            for phrase in _phrases_of(text):
                senses = index.setdefault(phrase, [])
                if (kind, name) not in senses:
                    senses.append((kind, name))
    return index


@cache
def _phrases_of(text: str) -> frozenset[str]:
    return frozenset(phrase.strip() for phrase in text.split(","))
