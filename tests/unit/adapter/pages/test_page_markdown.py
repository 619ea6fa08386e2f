"""HTML of Markdown: anchors, code, tables."""

from adapter.pages.markdown import outline, render, strip_anchors

TEXT = """# Title

{#quick-start}
## Inicio rápido

```bash try.sh
echo "<hi>"  # a comment
```

{#errors}
## Errores

| Estado | `error` |
| --- | --- |
| 400 | `bad` |
"""


def test_headings_have_the_anchors_that_stand_above_them() -> None:
    assert '<h2 id="quick-start">Inicio rápido<a class="anchor" href="#quick-start"' in render(TEXT)
    assert list(outline(TEXT)) == [
        (1, "", "Title"),
        (2, "quick-start", "Inicio rápido"),
        (2, "errors", "Errores"),
    ]


def test_programs_get_no_anchors() -> None:
    text = strip_anchors(TEXT)
    assert "{#" not in text
    assert "\n## Inicio rápido\n" in text


def test_code_is_highlighted_named_and_reached_by_the_keyboard() -> None:
    page = render(TEXT)
    assert '<figure class="code" data-language="bash"><figcaption>try.sh</figcaption><pre tabindex="0">' in page
    assert '<span class="c1"># a comment</span>' in page
    assert "&lt;hi&gt;" in page


def test_code_of_no_known_language_is_shown_as_it_is() -> None:
    page = render("```klingon\na < b\n```\n\n```\nc & d\n```\n")
    assert "<code>a &lt; b\n</code>" in page
    assert "<code>c &amp; d\n</code>" in page


def test_cells_name_their_column() -> None:
    assert '<td data-label="Estado">400</td>' in render(TEXT)
    assert '<td data-label="error"><code>bad</code></td>' in render(TEXT)


def test_html_in_a_text_is_no_html() -> None:
    assert "<script>" not in render("<script>alert(1)</script>")
