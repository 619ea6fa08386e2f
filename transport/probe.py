"""`python -m transport.probe HOST:PORT`: exit code 0 where a server says that it serves, for container probes.

Kubernetes' own gRPC probe shows no certificate. This one shows that of CLEARCANVAS_TLS_*, which may be the server's.
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic_settings import SettingsConfigDict

from transport.settings import TlsSettings

_TIMEOUT_S = 4.0


class _Settings(TlsSettings):
    model_config = SettingsConfigDict(env_prefix="CLEARCANVAS_", frozen=True, extra="ignore")


def main() -> int:
    """Asks once. The second argument names the service; without one it is the whole server."""
    address, *service = sys.argv[1:]
    tls = _Settings().tls
    options: list[tuple[str, str | int]] = [("grpc.enable_http_proxy", 0)]
    if tls is None:
        channel = grpc.insecure_channel(address, options)
    else:
        options += [("grpc.default_authority", tls.name)]
        channel = grpc.secure_channel(address, tls.channel_credentials(), options)
    request = health_pb2.HealthCheckRequest(service="".join(service))
    with channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=_TIMEOUT_S)  # type: ignore[attr-defined]
        except grpc.RpcError as error:
            print(error.code().name if isinstance(error, grpc.Call) else error, file=sys.stderr)
            return 1
    return 0 if answer.status == health_pb2.HealthCheckResponse.SERVING else 1


if __name__ == "__main__":
    sys.exit(main())
