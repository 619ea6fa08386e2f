"""The playground's words: the same in every language, and just those that its template and its modules say."""

import re
import tomllib
from pathlib import Path

import pytest

from adapter.pages import playground
from adapter.pages.languages import LANGUAGES

PAGES = Path(playground.__file__).parent
TEMPLATE = "".join((PAGES / "templates" / f"playground.{kind}").read_text(encoding="utf-8") for kind in ("html", "md"))
MODULES = "\n".join(path.read_text(encoding="utf-8") for path in (PAGES / "static" / "playground").glob("*.js"))

# Words whose names the modules put together, or choose between.
SAID_OF = {
    "access": r"wayOf|\"(open|free|key|pay|none|used_up)\"",
    "errors": r"new Unusable\(\"(\w+)\"\)|return \"(need_\w+)\"",
    "wallet": r"new WalletError\(\"(\w+)\"\)",
    "facts": r"rows(?: = \[|\.push\()\[\"(\w+)\"",
}


def read_words(code: str) -> dict[str, str]:
    """The words by "section.name"."""
    document = tomllib.loads((PAGES / "text" / code / "playground.toml").read_text(encoding="utf-8"))
    return {f"{section}.{name}": text for section, words in document.items() for name, text in words.items()}


WORDS = {code: read_words(code) for code in LANGUAGES}


def said() -> set[str]:
    """Every word that the page says, by what stands in its files."""
    literal = set(re.findall(r'say\("(\w+\.\w+)"', MODULES)) | set(re.findall(r'\? "(\w+\.\w+)"', MODULES))
    literal |= set(re.findall(r': "(\w+\.\w+)"', MODULES))
    literal |= {
        f"{section}.{name}" for section, name in re.findall(r"\b(?:t|words\.playground)\.(\w+)\.(\w+)", TEMPLATE)
    }
    literal |= {f"{section}.{name}" for section, name in re.findall(r'\bt\.(\w+)\["(\w+)"\]', TEMPLATE)}
    for section, pattern in SAID_OF.items():
        found = [name for match in re.finditer(pattern, MODULES) for name in match.groups() if name]
        literal |= {f"{section}.{name}" for name in found}
    statuses = re.search(r"const KNOWN = \[([\d, ]+)\]", MODULES)
    assert statuses is not None
    literal |= {f"errors.status_{status}" for status in statuses[1].split(", ")}
    formats = re.findall(r'\[("\w+"(?:, "\w+")+)\]', MODULES[MODULES.index("function offerFormats") :][:400])
    literal |= {f"formats.{name.strip(chr(34))}" for names in formats for name in names.split(", ")}
    return literal | {f"drop.sample_{name}" for name in playground.SAMPLES}


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_says_the_same_things(code: str) -> None:
    assert WORDS[code].keys() == WORDS["en"].keys()
    for key, text in WORDS[code].items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", WORDS["en"][key])), key
        assert text.strip() == text != "", key


def test_what_the_page_says_is_written_and_nothing_is_written_for_nobody() -> None:
    words = WORDS["en"].keys()
    assert {key for key in said() if key.split(".")[0] in {name.split(".")[0] for name in words}} == set(words)


def test_the_samples_are_there() -> None:
    for name in playground.SAMPLES:
        assert (PAGES / "static" / "playground" / "samples" / f"{name}.jpg").stat().st_size < 80_000


def test_the_modules_are_told_what_they_say() -> None:
    sections = {key.split(".")[0] for key in re.findall(r'"(\w+\.\w+)"', MODULES)} & {
        key.split(".")[0] for key in WORDS["en"]
    }
    sections |= set(re.findall(r"say\(`(\w+)\.", MODULES))
    assert sections == set(playground.SAID)
