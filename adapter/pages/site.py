"""Renders the pages: templates and facts in, Markdown for programs and HTML for people out."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapter.pages import markdown
from adapter.pages.catalog import DOCUMENTS, Document
from adapter.pages.facts import SAMPLE_URLS, Facts
from adapter.pages.languages import LANGUAGES, Language

_HERE = Path(__file__).parent
_FENCES = {".sh": "bash", ".ts": "typescript", ".mjs": "javascript", ".py": "python", ".json": "json"}


class Site:
    """All pages. What was rendered once is kept, as many as there are pages for a few hosts."""

    def __init__(self) -> None:
        options: dict[str, Any] = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
        # Markdown is no HTML: what must be escaped is so when HTML is made of it.
        self._texts = Environment(loader=FileSystemLoader(_HERE / "text"), autoescape=False, **options)  # noqa: S701
        self._html = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, **options)
        self.words: Mapping[str, Mapping[str, Any]] = {code: _read_words(code) for code in LANGUAGES}
        self.markdown = lru_cache(maxsize=256)(self._markdown)
        self.html = lru_cache(maxsize=256)(self._render)

    def _markdown(self, language: Language, document: Document, facts: Facts) -> str:
        """A document as programs read it."""
        template = self._texts.get_template(f"{language.code}/{document.slug}.md")
        return template.render(
            facts=facts,
            language=language,
            words=self.words[language.code],
            money=language.money,
            number=language.number,
            sample=lambda name: _read_sample(name, facts),
        )

    def _render(self, language: Language, document: Document, facts: Facts) -> str:
        """A document as people read it."""
        text = self.markdown(language, document, facts)
        return self._html.get_template("document.html").render(
            document=document,
            documents=DOCUMENTS,
            facts=facts,
            language=language,
            languages=LANGUAGES,
            words=self.words[language.code],
            outline=markdown.outline(text),
            content=markdown.render(text),
        )


def _read_words(code: str) -> Mapping[str, Any]:
    return tomllib.loads((_HERE / "text" / code / "words.toml").read_text(encoding="utf-8"))


def _read_sample(name: str, facts: Facts) -> str:
    """A fenced block with a sample as it is, but for the addresses."""
    path = _HERE / "samples" / name
    code = path.read_text(encoding="utf-8")
    for rail, address in SAMPLE_URLS.items():
        code = code.replace(address, facts.url(rail))
    return f"```{_FENCES[path.suffix]}\n{code.rstrip()}\n```"
