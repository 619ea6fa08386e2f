"""Who is a browser: what answers to people and what to programs."""

import pytest

from adapter.accept import prefers_html

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("accept", [CHROMIUM, FIREFOX, "text/html", "application/json;q=0.5, text/html", "TEXT/HTML"])
def test_a_browser_likes_html_best(accept: str) -> None:
    assert prefers_html(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/*",
        "application/json",
        "application/json, text/html",
        "text/html;q=0.5, image/png",
        "text/html;q=0",
        "image/png, image/webp",
    ],
)
def test_a_program_does_not(accept: str) -> None:
    assert not prefers_html(accept)
