"""Which pages there are, in the order of the navigation."""

from dataclasses import dataclass

from adapter.pages.languages import Language


@dataclass(frozen=True)
class Page:
    """A page, in each language."""

    name: str
    """Its address below that of the language, as its Markdown twin has it without `.md`."""
    template: str
    """Of the page for people. The text for programs is `text/LANGUAGE/SLUG.md`, or `SLUG.md` beside the templates."""
    group: str = ""
    """Of a document: its heading in the navigation; a key of `words.toml`."""

    @property
    def slug(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2]

    def path(self, language: Language) -> str:
        """Where people read it."""
        return f"/{language.code}/{'' if self is LANDING else self.name}"

    def markdown_path(self, language: Language) -> str:
        """Where programs read it."""
        return f"/{language.code}/{self.name}.md"


def _document(slug: str, group: str) -> Page:
    return Page(f"docs/{slug}", "document.html", group)


LANDING = Page("index", "landing.html")
PLAYGROUND = Page("playground", "playground.html")
OVERVIEW = Page("docs", "docs.html")
DOCUMENTS = (
    _document("x402", "pay"),
    _document("mpp", "pay"),
    _document("rest", "build"),
    _document("jobs", "build"),
    _document("video", "build"),
    _document("webhooks", "build"),
    _document("keys", "build"),
    _document("grpc", "build"),
    _document("agents", "build"),
    _document("removebg", "run"),
    _document("self-hosting", "run"),
)
PAGES = (LANDING, PLAYGROUND, OVERVIEW, *DOCUMENTS)
