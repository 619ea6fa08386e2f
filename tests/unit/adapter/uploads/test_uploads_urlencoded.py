"""A form as application/x-www-form-urlencoded, read as the standard library reads it, in less memory."""

import tracemalloc
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import MalformedBodyError, PayloadTooLargeError
from adapter.uploads.body import UploadLimits
from adapter.uploads.urlencoded import parse_urlencoded

LIMITS = UploadLimits(image_bytes=1 << 20, field_bytes=100, parts=8)
FILES = {"picture"}


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=25), max_size=8))
def test_what_was_written_is_read(fields: dict[str, str]) -> None:
    fields.pop("picture", None)
    assert parse_urlencoded(urlencode(fields).encode(), LIMITS, FILES).fields == fields


@given(st.lists(st.sampled_from([b"%41", b"%4", b"%", b"+", b"a", b"%zz", b"%F0%9F%90%88"]), max_size=30))
def test_odd_escapes_are_read_as_the_standard_library_reads_them(pieces: list[bytes]) -> None:
    value = b"".join(pieces)
    form = parse_urlencoded(b"picture=" + value, LIMITS, FILES)
    assert form.files["picture"] == unquote_to_bytes(value.replace(b"+", b" "))


@pytest.mark.parametrize("offset", range(4))
def test_an_escape_between_two_slices_is_whole(offset: int) -> None:
    content = b"x" * (64 * 1024 - offset) + b"\xff" * 100_000
    body = b"picture=" + quote_from_bytes(content).encode()
    assert parse_urlencoded(body, LIMITS, FILES).files["picture"] == content


def test_a_body_of_escapes_takes_memory_by_its_size() -> None:
    body = b"picture=" + b"%41" * 1_000_000
    tracemalloc.start()
    parse_urlencoded(body, LIMITS, FILES)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * len(body)  # As objects, the escapes would take sixteen times as much.


@pytest.mark.parametrize(
    "body", [b"a=" + b"x" * 101, b"picture=" + b"x" * ((1 << 20) + 1), b"&" * 8], ids=["field", "picture", "parts"]
)
def test_limits(body: bytes) -> None:
    with pytest.raises(PayloadTooLargeError):
        parse_urlencoded(body, LIMITS, FILES)


@pytest.mark.parametrize("body", [b"a=%ff", b"%ff=a", b"a=\xff"])
def test_text_that_is_not_utf_8(body: bytes) -> None:
    with pytest.raises(MalformedBodyError):
        parse_urlencoded(body, LIMITS, FILES)
