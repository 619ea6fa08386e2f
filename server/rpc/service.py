"""The gRPC server: which services, how large, how many, and for whom it is open."""

import grpc.aio
from clearcanvas.v1 import images_pb2, images_pb2_grpc, jobs_pb2, jobs_pb2_grpc, models_pb2, models_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from server.rpc.calls import CallInterceptor
from server.rpc.health import HealthServicer
from server.rpc.images import ImageServicer
from server.rpc.jobs import JobServicer
from server.rpc.models import ModelServicer
from server.wire.messages import MAX_IMAGE_BYTES
from transport.addresses import is_loopback
from transport.tls import CertificateError, Tls

MIB = 1024 * 1024

OPTIONS: list[tuple[str, int]] = [
    # Two pictures of 25 MiB and the fields around them; a little more is read, so as to be refused by its name.
    ("grpc.max_receive_message_length", 2 * MAX_IMAGE_BYTES + MIB),
    # Calls one connection may have open. Above what admission lets in, so that the surplus gets an answer and
    # does not wait in the client for a stream.
    ("grpc.max_concurrent_streams", 256),
    ("grpc.max_allowed_incoming_connections", 1024),
    # A peer that is gone without a word is noticed within 30 s, and its calls are cancelled.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # A peer may ping every 10 s; the third ping that comes too soon closes its connection.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 2),
    ("grpc.max_connection_idle_ms", 300_000),
    # Callers that balance by a name ask for its addresses again when a connection ends, and so find new servers. What
    # is under way on an old connection is finished on it.
    ("grpc.max_connection_age_ms", 600_000),
    # One server a port: a second one fails to bind instead of taking half of the calls.
    ("grpc.so_reuseport", 0),
]

# Calls in all connections together. The messages of calls that are read but not yet admitted are not in the
# budget: this bounds them.
MAX_CALLS = 512


class ListenError(Exception):
    """The address cannot be served; the message is a sentence for the operator."""


def build_server(
    images: ImageServicer,
    jobs: JobServicer,
    models: ModelServicer,
    health: HealthServicer,
    interceptor: CallInterceptor,
) -> grpc.aio.Server:
    """A server with ImageService, JobService, ModelService, health and reflection; not yet bound."""
    server = grpc.aio.server(interceptors=(interceptor,), options=OPTIONS, maximum_concurrent_rpcs=MAX_CALLS)
    images_pb2_grpc.add_ImageServiceServicer_to_server(images, server)
    jobs_pb2_grpc.add_JobServiceServicer_to_server(jobs, server)
    models_pb2_grpc.add_ModelServiceServicer_to_server(models, server)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    names = (
        images_pb2.DESCRIPTOR.services_by_name["ImageService"].full_name,
        jobs_pb2.DESCRIPTOR.services_by_name["JobService"].full_name,
        models_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name,
        health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
        reflection.SERVICE_NAME,
    )
    reflection.enable_server_reflection(names, server)
    return server


def bind(server: grpc.aio.Server, address: str, tls: Tls | None, *, plaintext: bool) -> int:
    """Binds `address`, for callers with certificates where there is `tls`; returns the port.

    Raises ListenError, also for plain text on an address that others reach and `plaintext` does not allow.
    """
    try:
        if tls is not None:
            return server.add_secure_port(address, tls.server_credentials())
        if not plaintext and not is_loopback(host_of(address)):
            raise ListenError(
                f"{address} is reached by others: set CLEARCANVAS_TLS_CERT, _TLS_KEY and _TLS_CA, or in a network of "
                "its own CLEARCANVAS_ALLOW_PLAINTEXT=true"
            )
        return server.add_insecure_port(address)
    except (RuntimeError, CertificateError) as error:
        raise ListenError(f"cannot listen on {address}: {error}") from None


def host_of(address: str) -> str:
    """The host of `HOST:PORT`."""
    return address.rpartition(":")[0]
