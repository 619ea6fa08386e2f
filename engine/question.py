"""A question that any model can be asked: its inputs are zeros and empty words, of the smallest shape it takes.

Ordinary models answer a call, decoupled ones only through a stream.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import grpc
import numpy as np
from tritonclient.grpc import InferResult, service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

_EMPTY_WORD_BYTES = 4  # its length


@dataclass(frozen=True)
class Question:
    """`takes_words`: whether it is for a generation model. `outputs`: names of all that the model gives."""

    request: service_pb2.ModelInferRequest
    outputs: frozenset[str]
    decoupled: bool

    @property
    def takes_words(self) -> bool:
        """Whether it is for a generation model."""
        return any(tensor.name == "PROMPT" for tensor in self.request.inputs)

    def only(self, output: str) -> None:
        """Ask for `output` alone."""
        self.request.outputs.add(name=output)


def question_for(metadata: service_pb2.ModelMetadataResponse, version: str, *, decoupled: bool) -> Question:
    """The question for a version of the model that `metadata` describes."""
    request = service_pb2.ModelInferRequest(model_name=metadata.name, model_version=version)
    for tensor in metadata.inputs:
        # A dimension of any size gets 1, the batch too, which stands first and is always -1.
        shape = [max(size, 1) for size in tensor.shape]
        request.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=shape)
        words = tensor.datatype == "BYTES"
        size = _EMPTY_WORD_BYTES if words else np.dtype(triton_to_np_dtype(tensor.datatype)).itemsize
        request.raw_input_contents.append(bytes(prod(shape) * size))
    return Question(request, frozenset(tensor.name for tensor in metadata.outputs), decoupled)


class Asker:
    """One connection for questions."""

    def __init__(self, address: str, options: list[tuple[str, int]]) -> None:
        self._channel = grpc.insecure_channel(address, options=options)
        self._triton = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    def close(self) -> None:
        """Give up every question that waits."""
        self._channel.close()

    def ask(self, question: Question, timeout_s: float | None) -> InferResult:
        """The first answer.

        Raises:
            InferenceServerException: Triton or the model failed, or did not answer within `timeout_s`.
        """
        try:
            if not question.decoupled:
                return InferResult(self._triton.ModelInfer(question.request, timeout=timeout_s))
            return self._ask_stream(question, timeout_s)
        except grpc.RpcError as error:
            raise InferenceServerException(error.details() or "", status=str(error.code())) from error

    def _ask_stream(self, question: Question, timeout_s: float | None) -> InferResult:
        call = self._triton.ModelStreamInfer(iter([question.request]), timeout=timeout_s)
        try:
            for answer in call:
                if answer.error_message:
                    raise InferenceServerException(answer.error_message)
                return InferResult(answer.infer_response)
        finally:
            call.cancel()
        raise InferenceServerException("the model ended without an answer")

    def ask_later(self, question: Question, done: Callable[[InferenceServerException | None], None]) -> None:
        """Ask, and call `done` from another thread."""

        def wait() -> None:
            try:
                self.ask(question, None)
            except InferenceServerException as error:
                done(error)
            # Closed before it was asked.
            except ValueError as error:
                done(InferenceServerException(str(error)))
            else:
                done(None)

        threading.Thread(target=wait, name=f"ask-{question.request.model_name}", daemon=True).start()
