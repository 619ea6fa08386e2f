"""What the engine asks Triton over gRPC. Foreign errors end here: everything raises `TritonError`."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import tritonclient.grpc as triton
from google.protobuf import json_format
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from cards.target import Target
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
    """One line of Triton's repository index: a version, or version 0 for a model of which none was ever loaded."""

    target: Target
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
        self._configs: dict[str, dict[str, Any]] = {}

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
        """Every version that Triton knows of."""
        with _translated():
            index = self._triton.get_model_repository_index(client_timeout=CALL_S).models
        return [
            ModelState(Target(line.name, int(line.version or 0)), line.state == "READY", line.reason) for line in index
        ]

    def instances(self, target: Target) -> int:
        """How many stubs the model's configuration asks for, for each version."""
        with _translated():
            config = self._triton.get_model_config(target.model, str(target.version), client_timeout=CALL_S).config
        return sum(group.count for group in config.instance_group)

    def succeeded(self, target: Target) -> int:
        """How many requests a version has answered since it was loaded."""
        with _translated():
            found = self._triton.get_inference_statistics(target.model, str(target.version), client_timeout=CALL_S)
        return sum(line.inference_stats.success.count for line in found.model_stats)

    def reload(self, target: Target, *, timeout_s: float) -> None:
        """Unload a version, then load it: what brings one with a dead stub back (a load alone does nothing).

        The model's other versions go on: a configuration that differs in its version policy alone leaves them as they
        are.
        """
        model, version = target.model, target.version
        others = {state.target.version for state in self.models() if state.ready and state.target.model == model}
        others -= {version}
        with _translated():
            config = self._config(target, loaded=bool(others))
            if others:
                self._load(model, config, others, timeout_s)
            else:
                self._triton.unload_model(model, client_timeout=timeout_s)
            self._load(model, config, others | {version}, timeout_s)

    def _config(self, target: Target, *, loaded: bool) -> dict[str, Any]:
        """The model's configuration as Triton has it; {} where it has none, as no version is loaded."""
        version = "" if loaded else str(target.version)
        try:
            answer = self._triton.get_model_config(target.model, version, client_timeout=CALL_S)
        except InferenceServerException:
            return self._configs.get(target.model, {})
        config = json_format.MessageToDict(answer.config, preserving_proto_field_name=True)
        config.pop("runtime", None)  # Triton fills it in after it has compared.
        self._configs[target.model] = config
        return config

    def _load(self, model: str, config: dict[str, Any], versions: Iterable[int], timeout_s: float) -> None:
        policy = {"version_policy": {"specific": {"versions": sorted(versions)}}}
        words = json.dumps(config | policy) if config else None
        self._triton.load_model(model, config=words, client_timeout=timeout_s)

    def device(self, target: Target, *, timeout_s: float) -> str:
        """Ask a version for its device without an inference, "" where it cannot tell."""
        question = self._question(target)
        if DEVICE not in question.outputs:
            return ""
        question.only(DEVICE)
        with _translated():
            return device_in(self._asker.ask(question, timeout_s).as_numpy(DEVICE))

    def infer(self, target: Target, *, timeout_s: float) -> str:
        """Run one inference on a black picture and say on what device it ran, "" where the version does not tell.

        A generation model may paint for minutes; it is asked for its device alone.
        """
        question = self._question(target)
        if question.takes_words:
            return self.device(target, timeout_s=timeout_s)
        with _translated():
            result = self._asker.ask(question, timeout_s)
        return device_in(result.as_numpy(DEVICE)) if DEVICE in question.outputs else ""

    def ping(self, target: Target, done: Callable[[TritonError | None], None]) -> bool:
        """Ask a version for its device alone, which goes through queue and stub but costs no inference.

        `done` is called from another thread. False, and no call, where the version cannot tell its device.
        """
        question = self._question(target)
        if DEVICE not in question.outputs:
            return False
        question.only(DEVICE)
        self._asker.ask_later(question, lambda error: done(_translate(error) if error else None))
        return True

    def _question(self, target: Target) -> Question:
        version = str(target.version)
        with _translated():
            metadata = self._triton.get_model_metadata(target.model, version, client_timeout=CALL_S)
            config = self._triton.get_model_config(target.model, version, client_timeout=CALL_S).config
        return question_for(metadata, version, decoupled=config.model_transaction_policy.decoupled)


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
