"""The documents say the same in every language, show every sample, and hold no fact and no link of their own making."""

import re
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin

import pytest

from adapter.pages import markdown
from adapter.pages.catalog import DOCUMENTS, PAGES, Page
from adapter.pages.languages import LANGUAGES, Language
from adapter.pages.site import Site

HERE = Path(markdown.__file__).parent
# Of one guide for each way to call: what the published documents have, in their order.
PUBLISHED = (
    "quick-start",
    "authentication",
    "typescript",
    "python",
    "request-format",
    "response-format",
    "errors",
    "limits",
    "network",
)
# What is served beside the pages, and linked to.
SERVED = {"/openapi.json", "/llms.txt", "/.well-known/x402"}
# Numbers that are no facts of an installation, each with what it belongs to.
NUMBERS = {
    "299": "the last status that means success",
    "443": "the port of https",
    "80": "the port of http",
    "1": "a version of x402",
    "2": "a version of x402",
    "00": "midnight",
    "1970": "where Unix time begins",
    "2.0": "Apache's licence",
    "3.1": "OpenAPI",
    "3.11": "Python",
    "3.12": "Python",
}
LANGUAGE_DOCUMENTS = [(language, page) for language in LANGUAGES.values() for page in DOCUMENTS]
EACH = pytest.mark.parametrize(
    ("language", "page"),
    LANGUAGE_DOCUMENTS,
    ids=[f"{language.code}-{page.slug}" for language, page in LANGUAGE_DOCUMENTS],
)
DOCUMENT = pytest.mark.parametrize("page", DOCUMENTS, ids=[page.slug for page in DOCUMENTS])


def text_of(site: Site, page: Page, language: Language) -> str:
    return site.text(page, language, site.facts.rails)


def source_of(page: Page, language: Language) -> str:
    return (HERE / "text" / language.code / f"{page.slug}.md").read_text(encoding="utf-8")


def anchors_of(site: Site, page: Page, language: Language) -> list[tuple[int, str]]:
    return [(level, anchor) for level, anchor, _ in markdown.outline(text_of(site, page, language))]


@DOCUMENT
def test_every_language_has_the_same_sections(site: Site, page: Page) -> None:
    english, *others = (anchors_of(site, page, language) for language in LANGUAGES.values())
    assert len(english) > 3
    assert all(other == english for other in others)


@EACH
def test_every_section_can_be_linked_to_and_is_there_once(site: Site, page: Page, language: Language) -> None:
    (level, title), *sections = anchors_of(site, page, language)
    assert (level, title) == (1, ""), "a document begins with its title"
    names = [anchor for _, anchor in sections]
    assert all(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("slug", ["x402", "mpp", "rest"])
def test_the_published_sections_are_there(site: Site, slug: str) -> None:
    page = next(page for page in DOCUMENTS if page.slug == slug)
    names = [anchor for _, anchor in anchors_of(site, page, LANGUAGES["en"])]
    assert [name for name in names if name in PUBLISHED] == list(PUBLISHED)


@DOCUMENT
def test_every_language_shows_the_same_code(site: Site, page: Page) -> None:
    english, *others = (
        re.findall(r"^```.*?^```", text_of(site, page, language), re.MULTILINE | re.DOTALL)
        for language in LANGUAGES.values()
    )
    assert all(other == english for other in others)


def test_every_sample_is_shown_by_a_document() -> None:
    shown = {
        name for page in DOCUMENTS for name in re.findall(r'sample\("([^"]+)"\)', source_of(page, LANGUAGES["en"]))
    }
    folder = HERE / "samples"
    assert shown == {str(path.relative_to(folder)) for path in folder.glob("*/*.*")}


@EACH
def test_no_fact_is_typed_in_a_text(page: Page, language: Language) -> None:
    source = source_of(page, language)
    prose = re.sub(
        r"\{\{.*?\}\}|\{%.*?%\}|^\{#.*?\}$|^\d+\. |`[^`\n]*`|\]\([^)]*\)", " ", source, flags=re.MULTILINE | re.DOTALL
    )
    found = re.findall(r"(?<![\w.,-])\d[\d.,\u202f\u00a0]*\d|(?<![\w.,-])\d(?![\w])", prose)
    statuses = {str(int(status)) for status in HTTPStatus}
    assert [number for number in found if number not in statuses and number not in NUMBERS] == []
    assert not re.search(r"[$€]\s?\d|\d\s?[$€]", prose)


@EACH
def test_every_link_leads_somewhere(site: Site, page: Page, language: Language) -> None:
    text = re.sub(r"^```.*?^```", "", text_of(site, page, language), flags=re.MULTILINE | re.DOTALL)
    pages = {other.path(language): other for other in PAGES}
    twins = {other.markdown_path(language) for other in PAGES}
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = urljoin(page.path(language), target).partition("#")
        if path.startswith("https://") or path in SERVED | twins:
            continue
        assert path in pages, target
        assert not anchor or anchor in [name for _, name in anchors_of(site, pages[path], language)], target


def test_a_reader_sees_no_template(site: Site) -> None:
    for language, page in LANGUAGE_DOCUMENTS:
        text = site.markdown(page, language, site.facts.rails)
        assert not re.search(r"\{[{%#]|[%#}]\}(?!`)", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
