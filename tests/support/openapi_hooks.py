"""What schemathesis cannot know of the service: what a picture and a video are, and which fields cannot go together.

Loaded by the name in SCHEMATHESIS_HOOKS; `tests/integration/adapter/schemathesis.toml` says the rest.
"""

import io
from typing import Any

import schemathesis
from hypothesis import strategies as st
from PIL import Image

PICTURES = ("image", "background", "image_file", "bg_image_file")
"""Fields that hold one."""
TEXTS = ("model", "generation_model", "prompt", "negative_prompt")
"""Fields that hold almost any text."""
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 8
_PICTURES = {"image/png": ("PNG", "RGBA"), "image/webp": ("WEBP", "RGBA"), "image/jpeg": ("JPEG", "RGB")}
_VIDEOS = ("video/mp4", "video/quicktime", "video/webm", "video/x-matroska")


def draw_picture(encoding: str, mode: str) -> bytes:
    """A small picture."""
    file = io.BytesIO()
    Image.new(mode, (8, 8)).save(file, encoding)
    return file.getvalue()


PNG = draw_picture(*_PICTURES["image/png"])

for media_type, (encoding, mode) in _PICTURES.items():
    schemathesis.openapi.media_type(media_type, st.just(draw_picture(encoding, mode)))
for media_type in _VIDEOS:
    schemathesis.openapi.media_type(media_type, st.just(MP4))


@schemathesis.deserializer(*_PICTURES, *_VIDEOS, "application/zip", "text/event-stream", "text/plain")
def read_bytes(_: Any, response: Any) -> bytes:
    """A file has no schema: what is in it is for other tests."""
    content: bytes = response.content
    return content


@schemathesis.hook
def filter_case(_: Any, case: Any) -> bool:
    """Leaves out what a schema cannot say of forms."""
    form = getattr(case.body, "body", case.body)
    fields = {**(case.query or {}), **(form if isinstance(form, dict) else {})}
    return not (
        _is_fetched(fields)
        or _is_half_empty(fields)
        or _is_text_after_all(fields)
        or _asks_for_the_impossible(fields, case.operation.path)
    )


@schemathesis.hook
def map_case(_: Any, case: Any) -> Any:
    """Makes pictures of the files of sound forms: the shortest that it makes up are single bytes."""
    form = getattr(case.body, "body", case.body)
    if isinstance(form, dict) and case.meta is not None and case.meta.generation.mode.is_positive:
        form.update({name: PNG for name in PICTURES if name in form})
    return case


@schemathesis.hook
def before_add_examples(context: Any, examples: list[Any]) -> None:
    """As the other two, which are not asked about examples."""
    examples[:] = [map_case(context, case) for case in examples if filter_case(context, case)]


def _is_fetched(fields: dict[str, Any]) -> bool:
    """A URL would have to be public, and the tests go nowhere."""
    return any(fields.get(name) for name in ("image_url", "bg_image_url"))


def _is_half_empty(fields: dict[str, Any]) -> bool:
    """A field without a value counts as not sent, as HTML forms send it, of whatever type it should be."""
    return any(value is None or value == "" for value in fields.values())


def _is_text_after_all(fields: dict[str, Any]) -> bool:
    """A form has no types: `true` is a model's name as good as any."""
    return any(not isinstance(fields.get(name, ""), str) for name in TEXTS)


def _asks_for_the_impossible(fields: dict[str, Any], path: str) -> bool:
    """Fields that are sound for themselves and not together.

    Transparency in JPEG or MP4; a size where none is changed; an operation without what only this one needs, or with a
    field that another reads in another way.
    """
    sent = {name: str(fields.get(name)).strip().lower() for name in ("format", "position", "operation")}
    return (
        sent["format"] in {"jpg", "mp4", "zip"}
        or sent["position"] == "original"
        or ("kind" in fields and "submit" in path)
        or (sent["operation"] == "generate" and not str(fields.get("prompt", "")).strip())
        or (sent["operation"] == "picture" and not fields.get("background"))
    )
