"""A record is a line, whatever its arguments hold; and it says for which request it was written."""

import json
import logging
from io import StringIO

import pytest

from telemetry.logs import Form, make_handler
from telemetry.request import Origin, carry, origin, request_id

HOSTILE = (
    "cat.png\n2026-11-22 00:00:00 INFO server [-] forged",
    "cat.png\r2026-11-22 forged",
    "\x1b[2J\x1b[31mred",
    "line\u2028separator\u2029and\x85more",
    "\u202egnp.tac",
    "\x00\x07\x7f\x9b",
)


def written(form: Form, message: str, *arguments: object, error: Exception | None = None, role: str = "") -> str:
    stream = StringIO()
    logger = logging.Logger("adapter.routes")
    logger.addHandler(make_handler(form, stream, role=role))
    logger.info(message, *arguments, exc_info=error)
    return stream.getvalue()


@pytest.mark.case("O4")
@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("sent", HOSTILE)
def test_what_callers_send_begins_no_line_and_colours_none(form: Form, sent: str) -> None:
    text = written(form, "refused %s of %s", sent, "somebody")

    assert text.endswith("somebody\n") or form is Form.JSON
    assert len(text.splitlines()) == 1
    assert text[:-1].isprintable()


@pytest.mark.case("O4")
@pytest.mark.parametrize("sent", HOSTILE)
def test_an_error_that_quotes_a_caller_forges_no_record(sent: str) -> None:
    head, *rest, last = written(Form.TEXT, "failed", error=ValueError(sent)).split("\n")

    assert head.endswith("failed")
    assert last == ""
    assert all(line.startswith("  | ") and line.isprintable() for line in rest)


@pytest.mark.case("O4")
def test_an_error_in_json_is_one_line() -> None:
    (line,) = written(Form.JSON, "failed", error=ValueError(HOSTILE[0])).splitlines()

    assert HOSTILE[0] in json.loads(line)["exception"]


def test_a_record_says_for_which_request_it_was_written() -> None:
    before = request_id.set("abc.1")
    try:
        text = written(Form.TEXT, "hello")
        record = json.loads(written(Form.JSON, "hello %s", "you"))
    finally:
        request_id.reset(before)

    assert text.endswith(" INFO adapter.routes [abc.1] hello\n")
    assert {key: record[key] for key in ("level", "logger", "request_id", "message")} == {
        "level": "INFO",
        "logger": "adapter.routes",
        "request_id": "abc.1",
        "message": "hello you",
    }
    assert record["time"]


def test_a_process_among_several_says_which_it_is() -> None:
    assert " INFO worker " in written(Form.TEXT, "hello", role="worker")


def test_a_request_is_carried_to_another_process() -> None:
    before = origin()
    told = Origin("abc.2", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

    assert carry(told, origin) == told
    carry(before, origin)
