"""Makes HTML of the documents' Markdown: tables, anchors that are the same in every language, highlighted code."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.attrs import attrs_block_plugin
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

_FORMATTER = HtmlFormatter(nowrap=True)


def _highlight(code: str, language: str, _attributes: str) -> str:
    try:
        return str(highlight(code, get_lexer_by_name(language), _FORMATTER))
    except ClassNotFound:
        return ""


_MARKDOWN = MarkdownIt("commonmark", {"html": False, "highlight": _highlight}).enable("table").use(attrs_block_plugin)


def render(text: str) -> str:
    """HTML of a document."""
    return str(_MARKDOWN.render(text))


def outline(text: str) -> Sequence[tuple[int, str, str]]:
    """The headings of a document: level, anchor (`{#anchor}` on the line above), text."""
    tokens: Sequence[Token] = _MARKDOWN.parse(text)
    found: list[tuple[int, str, str]] = []
    for token, content in pairwise(tokens):
        if token.type == "heading_open":
            attributes: dict[str, Any] = dict(token.attrs)
            found.append((int(token.tag[1]), str(attributes.get("id", "")), content.content))
    return found
