"""Renders the pages: templates and facts in, Markdown for programs and HTML for people out."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from adapter.pages import markdown, tables
from adapter.pages.catalog import DOCUMENTS, LANDING, OVERVIEW, PAGES, PLAYGROUND, Page
from adapter.pages.examples import show_answer
from adapter.pages.facts import Facts
from adapter.pages.guides import GUIDES
from adapter.pages.languages import DEFAULT, LANGUAGES, Language
from adapter.pages.playground import describe
from adapter.pages.statics import Statics
from adapter.sale.settings import RailName

_HERE = Path(__file__).parent
_FENCES = {
    ".env": "ini",
    ".json": "json",
    ".mjs": "javascript",
    ".mts": "typescript",
    ".py": "python",
    ".sh": "bash",
    ".ts": "typescript",
}
_KEPT = 512  # Far more than there are pages, languages and sets of rails.

Rails = tuple[RailName, ...]


class Site:
    """All pages, with the addresses of the samples. What was rendered once is kept."""

    def __init__(self, facts: Facts, statics: Statics) -> None:
        """`facts` are those of a host that offers every rail."""
        options: dict[str, Any] = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
        folders = [_HERE / "text", _HERE / "templates"]
        # Markdown is no HTML: what must be escaped is so when HTML is made of it. `{#` begins an anchor there.
        comments: dict[str, Any] = {"comment_start_string": "{##", "comment_end_string": "##}"}
        self._texts = Environment(loader=FileSystemLoader(folders), autoescape=False, **comments, **options)  # noqa: S701
        self._html = Environment(loader=FileSystemLoader(folders[1]), autoescape=True, **options)
        self.facts = facts
        self._statics = statics
        self.words: Mapping[str, Mapping[str, Any]] = {code: _read_words(code) for code in LANGUAGES}
        self.text = lru_cache(maxsize=_KEPT)(self._text)
        self.html = lru_cache(maxsize=_KEPT)(self._render)
        self.notice = lru_cache(maxsize=_KEPT)(self._notice)

    def markdown(self, page: Page, language: Language, rails: Rails) -> str:
        """A page as programs read it, on a host that offers `rails`."""
        return markdown.strip_anchors(self.text(page, language, rails))

    def _notice(self, template: str, language: Language, rails: Rails, sold: str | None = None) -> str:
        """A page that has no address of its own; `sold` is the row of the price table that it is about."""
        return self._html.get_template(template).render(**self._context(language, rails), page=None, sold=sold)

    def _text(self, page: Page, language: Language, rails: Rails) -> str:
        """The source of a page: Markdown with anchors."""
        template = self._texts.select_template([f"{language.code}/{page.slug}.md", f"{page.slug}.md"])
        return template.render(**self._context(language, rails), page=page, sample=self._show_sample).strip() + "\n"

    def _render(self, page: Page, language: Language, rails: Rails) -> str:
        """A page as people read it."""
        # The Markdown's parser takes no HTML, so that what it writes is safe.
        context: dict[str, object] = {"sample": lambda name: Markup(markdown.render(self._show_sample(name)))}  # noqa: S704
        if page in DOCUMENTS:
            text = self.text(page, language, rails)
            context |= {"outline": markdown.outline(text), "content": Markup(markdown.render(text))}  # noqa: S704
        if page is PLAYGROUND:
            facts, words = replace(self.facts, rails=rails), self.words[language.code]["playground"]
            context |= {"play": describe(facts, language, words, self._statics.address)}
        return self._html.get_template(page.template).render(**self._context(language, rails), page=page, **context)

    def _context(self, language: Language, rails: Rails) -> Mapping[str, Any]:
        words = self.words[language.code]
        facts = replace(self.facts, rails=rails)
        return {
            **GUIDES,
            "answer": lambda name: show_answer(name, facts),
            "documents": DOCUMENTS,
            "facts": facts,
            "landing": LANDING,
            "language": language,
            "languages": LANGUAGES,
            "default_language": DEFAULT,
            "money": language.money,
            "number": language.number,
            "overview": OVERVIEW,
            "playground": PLAYGROUND,
            "static": self._statics.address,
            "tables": tables,
            "told": words["builds"],
            "words": words,
        }

    def _show_sample(self, name: str) -> str:
        """A sample as a fenced block."""
        path = _HERE / "samples" / name
        code = self.facts.localize(path.read_text(encoding="utf-8").rstrip())
        return f"```{_FENCES[path.suffix]} {path.name}\n{code}\n```"

    def sitemap(self) -> str:
        """Every page in every language, for search engines."""
        return self._html.get_template("sitemap.xml").render(pages=PAGES, languages=LANGUAGES, facts=self.facts)


def _read_words(code: str) -> Mapping[str, Any]:
    """`words.toml`, and each other file of words under its own name."""
    folder = _HERE / "text" / code
    words = tomllib.loads((folder / "words.toml").read_text(encoding="utf-8"))
    others = (path for path in sorted(folder.glob("*.toml")) if path.stem != "words")
    return words | {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in others}
