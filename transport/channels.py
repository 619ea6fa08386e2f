"""Channels to the servers, which gRPC itself balances, watches and repeats calls on."""

import json
from typing import Any

import grpc.aio

from transport.addresses import parse_target
from transport.retries import Retries
from transport.tls import Tls

_OPTIONS = (
    # Back soon after a server was restarted; gRPC's own pause grows to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.dns_min_time_between_resolutions_ms", 5000),
    # A server whose machine is gone without a word is noticed within 30 s; servers allow a ping every 10 s.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # The servers are ours and near: a proxy from the environment is never meant for them.
    ("grpc.enable_http_proxy", 0),
)


def open_channel(
    address: str,
    *,
    tls: Tls | None = None,
    health: str = "",
    retries: Retries | None = None,
    max_send_bytes: int,
    max_receive_bytes: int,
) -> grpc.aio.Channel:
    """Opens a channel to the servers at `address` (see `parse_target`). Connects lazily, and again when lost.

    Where there may be several, calls go to each in turn, as long as its health service says that it serves `health`;
    with none that does, they fail as UNAVAILABLE.

    Raises:
        ValueError: The address is none.
        CertificateError: The certificates cannot be used.
    """
    target = parse_target(address)
    config: dict[str, Any] = {}
    options: list[tuple[str, Any]] = [
        *_OPTIONS,
        ("grpc.max_send_message_length", max_send_bytes),
        ("grpc.max_receive_message_length", max_receive_bytes),
    ]
    if target.balanced:
        config |= {"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": health}}
    if retries is not None and (target.balanced or not retries.elsewhere):
        config |= retries.to_config()
        # A call is repeated from what was kept of it: the whole message, or nothing.
        options.append(("grpc.per_rpc_retry_buffer_size", max_send_bytes))
    options.append(("grpc.service_config", json.dumps(config)))
    if tls is None:
        return grpc.aio.insecure_channel(target.uri, options=options)
    options.append(("grpc.default_authority", tls.name))
    return grpc.aio.secure_channel(target.uri, tls.channel_credentials(), options=options)
