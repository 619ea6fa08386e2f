"""Health as grpc.health.v1 has it; the answer's trailing metadata say which model runs where."""

import grpc
from grpc_health.v1 import health, health_pb2

from server.rpc.calls import Context
from server.triton.monitor import ModelState

# Callers balance by these. Jobs are taken, watched and fetched whatever the model does: they wait for it.
OF_THE_MODEL = ("", "clearcanvas.v1.ImageService")
JOBS = "clearcanvas.v1.JobService"


class HealthServicer(health.aio.HealthServicer):
    """SERVING while the default model answers, for jobs always; NOT_SERVING for good once the server drains."""

    def __init__(self, state: ModelState) -> None:
        super().__init__()
        self._state = state
        values = health_pb2.HealthCheckResponse
        self._server_status = dict.fromkeys(OF_THE_MODEL, values.NOT_SERVING) | {JOBS: values.SERVING}

    async def update(self, state: ModelState) -> None:
        """Take over what the monitor found."""
        self._state = state
        values = health_pb2.HealthCheckResponse
        for service in OF_THE_MODEL:
            await self.set(service, values.SERVING if state.serving else values.NOT_SERVING)

    async def Check(  # noqa: N802 - gRPC's name
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> health_pb2.HealthCheckResponse:
        """Answer, with `clearcanvas-model` and, once a canary has run, `clearcanvas-device`."""
        metadata = [("clearcanvas-model", self._state.target.model)]
        if self._state.device:
            metadata.append(("clearcanvas-device", self._state.device))
        context.set_trailing_metadata(grpc.aio.Metadata(*metadata))
        response: health_pb2.HealthCheckResponse = await super().Check(request, context)
        return response
