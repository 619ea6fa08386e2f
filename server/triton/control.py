"""What one Triton has loaded, and Triton's explicit model control: the versions of a model that it is to have."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from google.protobuf import json_format
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from cards.target import Target
from server.errors import ModelRefusedError, ModelUnavailableError
from server.triton.contract import CHANNEL_OPTIONS
from server.triton.regions import CONTROL_TIMEOUT_S

READY = "READY"

_LOAD_S = 900.0  # TensorRT compiles for minutes.
_AWAY = {"StatusCode.UNAVAILABLE", "StatusCode.DEADLINE_EXCEEDED", "StatusCode.CANCELLED"}


@dataclass(frozen=True)
class Placement:
    """A version at one Triton. `state`: Triton's word; `reason`: why it is not READY, in Triton's words.

    A model that was never loaded has one without a version and without a state.
    """

    target: Target
    triton: str
    state: str
    reason: str = ""


class TritonControl:
    """One Triton's model control. Raises ModelUnavailableError where it does not answer."""

    def __init__(self, address: str) -> None:
        """Call it inside the running event loop."""
        self.address = address
        self._client = InferenceServerClient(address, channel_args=CHANNEL_OPTIONS)

    async def placements(self) -> tuple[Placement, ...]:
        """Every version that it knows of."""
        with _translated(""):
            index = await self._client.get_model_repository_index(client_timeout=CONTROL_TIMEOUT_S)
        return tuple(
            Placement(Target(entry.name, int(entry.version or 0)), self.address, entry.state, entry.reason)
            for entry in index.models
        )

    async def serve(self, model: str, versions: Iterable[int]) -> None:
        """Have just these versions of a model loaded. Raises ModelRefusedError where one cannot be.

        The configuration is Triton's own, with another version policy: what differs in anything else would be loaded
        anew beside itself. Versions that stay are not touched; those that go finish what they have begun.
        """
        with _translated(model):
            if not await self._loaded(model):
                await self._client.load_model(model, client_timeout=_LOAD_S)
            answer = await self._client.get_model_config(model, client_timeout=CONTROL_TIMEOUT_S)
            config = json_format.MessageToDict(answer.config, preserving_proto_field_name=True)
            config.pop("runtime", None)  # Triton fills it in after it has compared.
            config["version_policy"] = {"specific": {"versions": sorted(versions)}}
            await self._client.load_model(model, config=json.dumps(config), client_timeout=_LOAD_S)

    async def drop(self, model: str) -> None:
        """Unload all versions of a model."""
        with _translated(model):
            await self._client.unload_model(model, client_timeout=_LOAD_S)

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()

    async def _loaded(self, model: str) -> bool:
        return any(each.target.model == model and each.state == READY for each in await self.placements())


@contextmanager
def _translated(model: str) -> Iterator[None]:
    try:
        yield
    except InferenceServerException as error:
        if error.status() in _AWAY:
            raise ModelUnavailableError("Triton does not answer.", {"model": model}) from None
        # Of a backend in Python, what follows is where in its code it was.
        reason = error.message().partition("\n\nAt:")[0]
        raise ModelRefusedError(f"Triton refuses {model}: {reason}", {"model": model}) from None
