"""The server itself: lists the tools, and does what they are called for."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
)
from pydantic import ValidationError

from agent import payment, results
from agent.arguments import LOCAL, Arguments
from agent.errors import AgentError, ArgumentsError
from agent.pictures import SUFFIXES, Files, Picture, decode, write_new
from agent.service import Caller, Service, describe
from agent.tools import Row, find, list_tools

_INSTRUCTIONS = (
    "Removes and replaces the backgrounds of pictures. Every tool takes one picture and returns one. Where the service "
    "asks for a payment, the call fails and says how to pay: call again with the same arguments and the payment."
)
_KEY_HINT = " This server sends the one in its CLEARCANVAS_API_KEY, or the X-API-Key that an HTTP request brings."
Context = ServerRequestContext[Any, Any]


@dataclass(frozen=True)
class Desk:
    """Serves the calls."""

    service: Service
    files: Files | None
    """Those of this machine; None for callers who are elsewhere."""
    api_key: str = ""
    """For callers who bring none."""

    def build(self) -> Server[Any]:
        """The server, for any transport."""
        return Server(
            "clearcanvas",
            title="ClearCanvas",
            version=version("clearcanvas"),
            instructions=_INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )

    async def _list(self, _: Context, __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=list_tools(local=self.files is not None))

    async def _call(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        row = find(params.name)
        if row is None:
            raise MCPError(INVALID_PARAMS, f"There is no tool {params.name}.")
        caller = self._identify(context)
        try:
            arguments = self._read(row, params.arguments or {})
            target = self._plan(arguments)
            fields = arguments.fields() | _choose_format(arguments, target)
            pictures = await asyncio.to_thread(self._load, arguments)
            response = await self.service.edit(
                row.operation, fields, pictures, caller, lambda share: context.session.report_progress(share, 100)
            )
            return await self._answer(response, caller, target)
        except AgentError as error:
            return results.fail(str(error))

    def _identify(self, context: Context) -> Caller:
        """Who calls. Raises MCPError where the payment is malformed."""
        paid = payment.read_payment(context.meta or {})
        request = context.request  # Starlette's, over HTTP.
        if request is None:
            return Caller(paid, self.api_key)
        heard = [*request.headers.getlist("X-Forwarded-For"), *([request.client.host] if request.client else [])]
        return Caller(paid, request.headers.get("X-API-Key", self.api_key), ", ".join(heard))

    def _read(self, row: Row, given: Mapping[str, Any]) -> Arguments:
        """Raises ArgumentsError."""
        if self.files is None and (lost := [name for name in LOCAL if name in given]):
            raise ArgumentsError(f"{lost[0]}: files are only for callers on the machine of this server")
        try:
            return row.arguments.model_validate(given)
        except ValidationError as error:
            reasons = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)]
            raise ArgumentsError("; ".join(reasons)) from None

    def _plan(self, arguments: Arguments) -> Path | None:
        if not arguments.save_to or self.files is None:
            return None
        return self.files.plan("save_to", arguments.save_to)

    def _load(self, arguments: Arguments) -> dict[str, Picture]:
        """The pictures by the form's fields. Raises ArgumentsError."""
        loaded = {}
        for name in arguments.files:
            text, path = getattr(arguments, name), getattr(arguments, f"{name}_path")
            if text and path:
                raise ArgumentsError(f"{name} and {name}_path cannot be given together")
            if text:
                loaded[name] = decode(name, text)
            elif path and self.files is not None:
                loaded[name] = self.files.read(f"{name}_path", path)
            elif name == "image":
                raise ArgumentsError("image is missing")
        return loaded

    async def _answer(self, response: httpx.Response, caller: Caller, target: Path | None) -> CallToolResult:
        if response.status_code == httpx.codes.PAYMENT_REQUIRED:
            return payment.ask(response, caller.payment)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            return results.fail(describe(response) + _KEY_HINT)
        if response.status_code != httpx.codes.OK:
            return results.fail(describe(response))
        result = await _hand_over(response, target)
        if receipts := payment.read_receipts(response, caller.payment):
            result.meta = receipts
        return result


async def _hand_over(response: httpx.Response, target: Path | None) -> CallToolResult:
    """The picture, in a file where that is wanted; it may be paid for, and is not lost where it cannot be written."""
    if target is None:
        return results.show(response)
    try:
        await asyncio.to_thread(write_new, target, response.content)
    except OSError:
        return results.show(response)
    return results.point(response, target)


def _choose_format(arguments: Arguments, target: Path | None) -> dict[str, str]:
    """The encoding that a file's name tells. Raises ArgumentsError."""
    if target is None:
        return {}
    told = next((name for name, suffixes in SUFFIXES.items() if target.suffix.lower() in suffixes), None)
    if told is None:
        raise ArgumentsError(f"save_to must end in {', '.join(s for all_of in SUFFIXES.values() for s in all_of)}")
    if arguments.format not in {None, told}:
        raise ArgumentsError(f"format is {arguments.format}, and save_to ends in {target.suffix}")
    return {"format": told}
