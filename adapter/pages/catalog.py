"""The documents there are, in the order of the navigation. A new one is a row here and a text in each language."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Document:
    """A page of the documentation: `text/LANGUAGE/SLUG.md`."""

    slug: str
    group: str
    """Heading in the navigation; a key of `words.toml`."""


DOCUMENTS = (
    Document("x402", "pay"),
    Document("mpp", "pay"),
    Document("rest", "build"),
    Document("jobs", "build"),
    Document("video", "build"),
    Document("webhooks", "build"),
    Document("keys", "build"),
    Document("grpc", "build"),
    Document("agents", "build"),
    Document("removebg", "run"),
    Document("self-hosting", "run"),
)
