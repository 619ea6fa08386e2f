"""What the engine asks Triton over gRPC. Foreign errors end here: everything raises `TritonError`."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import tritonclient.grpc as triton
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from engine.backend.plan import DEVICE
from engine.question import Asker, Question, question_for

CALL_S = 2.0
"""How long Triton may take for a question that needs no model."""


class TritonError(Exception):
    """Triton refused, failed, or did not answer; `timed_out` tells the last from the others."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


@dataclass(frozen=True)
class ModelState:
    """One line of Triton's repository index."""

    name: str
    ready: bool
    reason: str


class TritonClient:
    """One connection to one Triton."""

    def __init__(self, address: str) -> None:
        options = [
            ("grpc.enable_http_proxy", 0),  # The environment's http_proxy is not for us.
            ("grpc.initial_reconnect_backoff_ms", 100),  # gRPC would wait seconds while Triton starts.
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 500),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", -1),
        ]
        self._triton = triton.InferenceServerClient(address, channel_args=options)
        self._asker = Asker(address, options)

    def close(self) -> None:
        """Give the connection up, and with it every call under way."""
        self._asker.close()
        self._triton.close()

    def ready(self) -> bool:
        """Whether the gRPC service answers; with strict-readiness=false this says nothing about models."""
        try:
            with _translated():
                return bool(self._triton.is_server_ready(client_timeout=CALL_S))
        except TritonError:
            return False

    def models(self) -> list[ModelState]:
        """Every model that Triton knows of; one that is served in any version is ready."""
        with _translated():
            index = self._triton.get_model_repository_index(client_timeout=CALL_S).models
        states: dict[str, ModelState] = {}
        for line in index:
            served = line.state == "READY"
            if line.name not in states or served:
                states[line.name] = ModelState(line.name, served, line.reason)
        return list(states.values())

    def instances(self, model: str) -> int:
        """How many stubs a model's configuration asks for, for each version."""
        with _translated():
            config = self._triton.get_model_config(model, client_timeout=CALL_S).config
        return sum(group.count for group in config.instance_group)

    def succeeded(self, model: str) -> int:
        """How many requests a model has answered since it was loaded."""
        with _translated():
            statistics = self._triton.get_inference_statistics(model, client_timeout=CALL_S).model_stats
        return sum(line.inference_stats.success.count for line in statistics)

    def reload(self, model: str, *, timeout_s: float) -> None:
        """Unload, then load: what brings a model with a dead stub back (a load alone does nothing)."""
        with _translated():
            self._triton.unload_model(model, client_timeout=timeout_s)
            self._triton.load_model(model, client_timeout=timeout_s)

    def device(self, model: str, *, timeout_s: float) -> str:
        """Ask a model for its device without an inference, "" where it cannot tell."""
        question = self._question(model)
        if DEVICE not in question.outputs:
            return ""
        question.only(DEVICE)
        with _translated():
            return device_in(self._asker.ask(question, timeout_s).as_numpy(DEVICE))

    def infer(self, model: str, *, timeout_s: float) -> str:
        """Run one inference on a black picture and say on what device it ran, "" where the model does not tell.

        A generation model may paint for minutes; it is asked for its device alone.
        """
        question = self._question(model)
        if question.takes_words:
            return self.device(model, timeout_s=timeout_s)
        with _translated():
            result = self._asker.ask(question, timeout_s)
        return device_in(result.as_numpy(DEVICE)) if DEVICE in question.outputs else ""

    def ping(self, model: str, done: Callable[[TritonError | None], None]) -> bool:
        """Ask a model for its device alone, which goes through queue and stub but costs no inference.

        `done` is called from another thread. False, and no call, where the model cannot tell its device.
        """
        question = self._question(model)
        if DEVICE not in question.outputs:
            return False
        question.only(DEVICE)
        self._asker.ask_later(question, lambda error: done(_translate(error) if error else None))
        return True

    def _question(self, model: str) -> Question:
        with _translated():
            metadata = self._triton.get_model_metadata(model, client_timeout=CALL_S)
            config = self._triton.get_model_config(model, client_timeout=CALL_S).config
        return question_for(metadata, decoupled=config.model_transaction_policy.decoupled)


def device_in(output: NDArray[Any]) -> str:
    """The name in a DEVICE output, [batch, 1] of bytes."""
    return bytes(output.flat[0]).decode()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except InferenceServerException as error:
        raise _translate(error) from error


def _translate(error: InferenceServerException) -> TritonError:
    status = str(error.status() or "")
    return TritonError(error.message() or status, timed_out="DEADLINE_EXCEEDED" in status)
