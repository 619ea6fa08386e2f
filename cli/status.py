"""`clearcanvas status`: the stack at a glance."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import aiohttp
import grpc.aio
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich.console import Console

from cli.client import open_channel
from cli.config import Settings, read_settings
from cli.glance import draw
from cli.places import Places, find_places
from cli.scrape import Figures, read_figures
from transport.tls import CertificateError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_LIMIT_S = 5.0
_SERVER, _ADAPTER = "127.0.0.1:8411", "127.0.0.1:8412"  # Where the programs' metrics are unless they are told.


@dataclass(frozen=True)
class Glance:
    """What was found. `ready`: the adapter's answer, or what is said instead; `server`: the same of gRPC's health."""

    places: Places
    is_ready: bool
    ready: str
    server: str
    adapter_figures: Figures
    server_figures: Figures


@app.command()
def status(
    data: Annotated[Path | None, typer.Option(help="Folder of a stack that `up` runs; it knows where.")] = None,
    http: Annotated[str | None, typer.Option(help="Address of the HTTP adapter, HOST:PORT.")] = None,
    grpc: Annotated[str | None, typer.Option(help="Address of the gRPC server.")] = None,
    server_metrics: Annotated[str | None, typer.Option(help="Address of the server's metrics, HOST:PORT.")] = None,
    adapter_metrics: Annotated[str | None, typer.Option(help="Address of the adapter's metrics, HOST:PORT.")] = None,
) -> None:
    """Show how the stack stands: programs, models, workers, jobs and money. Ends with 1 where it is not ready."""
    given = {"http": http, "grpc": grpc, "server_metrics": server_metrics, "adapter_metrics": adapter_metrics}
    settings = read_settings(data=data, **given)
    glance = asyncio.run(_look(settings, _choose_places(settings, given)))
    draw(Console(), glance)
    if not glance.is_ready:
        raise typer.Exit(1)


def _choose_places(settings: Settings, given: dict[str, str | None]) -> Places:
    """What was given, else where the folder's stack is, else the settings."""
    found = find_places(settings.data)
    if found is None:
        given_or_usual = (given["server_metrics"] or _SERVER, given["adapter_metrics"] or _ADAPTER)
        return Places(settings.http, settings.grpc, *given_or_usual)
    return Places(
        given["http"] or found.http,
        given["grpc"] or found.grpc,
        given["server_metrics"] or found.server,
        given["adapter_metrics"] or found.adapter,
    )


async def _look(settings: Settings, places: Places) -> Glance:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_LIMIT_S)) as session:
        (is_ready, ready), server, adapter_figures, server_figures = await asyncio.gather(
            _ask_adapter(session, places.http),
            _ask_server(settings, places.grpc),
            read_figures(session, places.adapter),
            read_figures(session, places.server),
        )
    return Glance(places, is_ready, ready, server, adapter_figures, server_figures)


async def _ask_adapter(session: aiohttp.ClientSession, address: str) -> tuple[bool, str]:
    try:
        async with session.get(f"http://{address}/ready") as response:
            facts = await response.json(content_type=None)
            if response.status != 200:
                return False, str(facts.get("message", "not ready"))
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False, "does not answer"
    rails = ", ".join(facts.get("rails", ())) or "nothing is sold"
    return True, f"ready; {rails}"


async def _ask_server(settings: Settings, address: str) -> str:
    try:
        async with open_channel(address, settings.tls) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            call = stub.Check(health_pb2.HealthCheckRequest(), timeout=_LIMIT_S)  # type: ignore[attr-defined] # untyped
            answer, facts = await call, {str(key): str(value) for key, value in await call.trailing_metadata()}
    except (grpc.aio.AioRpcError, ValueError, CertificateError):
        return "does not answer"
    serving = answer.status == health_pb2.HealthCheckResponse.SERVING
    where = " on ".join(filter(None, (facts.get("clearcanvas-model"), facts.get("clearcanvas-device"))))
    return f"{'serving' if serving else 'not serving'} {where}"
