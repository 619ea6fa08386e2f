"""Logs: one record a line, with the id of its request; what callers send can neither begin a line nor colour one."""

import logging
import sys
from enum import StrEnum
from types import TracebackType
from typing import TextIO

from telemetry.request import request_id, traceparent

_TEXT = "%(asctime)s %(levelname)s {} [%(request_id)s] %(message)s"
_BAR = "  | "  # Begins the lines of a traceback: a record never does.

# C0 with line feed and escape, DEL, C1, the line separators, and what turns the direction of writing.
_CONTROL = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_ESCAPED = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _CONTROL}


class Form(StrEnum):
    """How a record is written."""

    TEXT = "text"
    JSON = "json"


def set_up(form: Form, stream: TextIO | None = None, *, role: str = "") -> None:
    """Write the records of this process, from INFO on, to `stream` (standard error).

    `role`: what this process is, where a program has several.
    """
    logging.basicConfig(level=logging.INFO, handlers=[make_handler(form, stream or sys.stderr, role=role)])


def make_handler(form: Form, stream: TextIO, *, role: str = "") -> logging.Handler:
    """What writes records so."""
    handler = logging.StreamHandler(stream)
    handler.addFilter(_with_request)
    who = f"{role} %(process)d" if role else "%(name)s"
    handler.setFormatter(TextFormatter(_TEXT.format(who)) if form is Form.TEXT else _json_formatter())
    return handler


def escape(text: str) -> str:
    """The text with everything in it that could end its line, or be a terminal's command, as \\x0a and the like."""
    return text.translate(_ESCAPED)


class TextFormatter(logging.Formatter):
    """For people: a line, and a traceback behind bars."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """One line, whatever the record's arguments hold."""
        return escape(super().formatMessage(record))

    def formatException(  # noqa: N802 - logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """The traceback, in which an error's own text may have lines that look like records."""
        return "\n".join(_BAR + escape(line) for line in super().formatException(ei).split("\n"))


def _with_request(record: logging.LogRecord) -> bool:
    record.request_id = request_id.get()
    record.trace_id = traceparent.get()[3:35]
    return True


def _json_formatter() -> logging.Formatter:
    from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415 - who writes text does not load it.

    return JsonFormatter(
        ("asctime", "levelname", "name", "process", "request_id", "trace_id", "message"),
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger", "exc_info": "exception"},
        json_ensure_ascii=True,  # The line separators of Unicode end lines too.
    )
