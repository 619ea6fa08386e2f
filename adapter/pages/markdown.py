"""Makes HTML of the documents' Markdown: tables, anchors that are the same in every language, highlighted code."""

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.attrs import attrs_block_plugin
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

_FORMATTER = HtmlFormatter(nowrap=True)
_ANCHOR = re.compile(r"^\{#[a-z0-9-]+\}\n", re.MULTILINE)


def _render_fence(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    """Code with a head that names it; the keyboard reaches what is wider than the page."""
    token = tokens[index]
    language, _, name = token.info.strip().partition(" ")
    head = f"<figcaption>{escape(name or language)}</figcaption>" if language else ""
    return (
        f'<figure class="code" data-language="{escape(language)}">{head}'
        f'<pre tabindex="0"><code>{_highlight(token.content, language)}</code></pre></figure>\n'
    )


def _render_heading_close(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    """A link for whoever wants to point at a section; those who hear or tab through the page have the outline."""
    anchor = tokens[index - 2].attrGet("id")
    link = f'<a class="anchor" href="#{anchor}" aria-hidden="true" tabindex="-1"></a>' if anchor else ""
    return f"{link}</{tokens[index].tag}>\n"


def _render_table_open(*_: object) -> str:
    return '<div class="table" tabindex="0"><table>\n'


def _render_table_close(*_: object) -> str:
    return "</table></div>\n"


@lru_cache(maxsize=512)  # The same samples stand in the pages of every language.
def _highlight(code: str, language: str) -> str:
    try:
        return str(highlight(code, get_lexer_by_name(language or "text"), _FORMATTER))
    except ClassNotFound:
        return escape(code)


def _label_cells(state: StateCore) -> None:
    """Has every cell name its column: on a phone, a row is read from top to bottom."""
    titles: list[str] = []
    column = 0
    for token, content in pairwise(state.tokens):
        if token.type == "thead_open":
            titles = []
        elif token.type == "th_open":
            titles.append(_plain(content))
        elif token.type == "tr_open":
            column = 0
        elif token.type == "td_open":
            token.attrSet("data-label", titles[column])
            column += 1


def _plain(inline: Token) -> str:
    return "".join(part.content for part in inline.children or () if part.type in {"text", "code_inline"})


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").use(attrs_block_plugin)
    parser.add_render_rule("fence", _render_fence)
    parser.add_render_rule("heading_close", _render_heading_close)
    parser.add_render_rule("table_open", _render_table_open)
    parser.add_render_rule("table_close", _render_table_close)
    parser.core.ruler.push("label_cells", _label_cells)
    return parser


_MARKDOWN = _make_parser()


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


def strip_anchors(text: str) -> str:
    """The document as other programs read Markdown, which have no anchors."""
    return _ANCHOR.sub("", text)
