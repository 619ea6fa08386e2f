"""The backend inside the real Triton: Triton's own words are honoured, and answers are exact."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as triton
from google.protobuf import text_format
from numpy.typing import NDArray
from tritonclient.grpc import model_config_pb2 as pb

from engine.backend.plan import has_bf16
from engine.models.recipe import Recipe
from tests.integration.engine.engine_process import RunningEngine, running_engine
from tests.support.exports import EXPORTS, SIDE
from tests.support.imports import bring
from tests.support.processes import wait_until
from tests.support.toy_model import write_toy_model

SIZE = 256
HERE = "bf16" if has_bf16(Path("/proc/cpuinfo").read_text()) else "f32"
ANY_OTHER = f"cpu/openvino/{HERE}" if HERE == "bf16" else "cpu/mnn/f32"


def write_variant(repository: Path, name: str, words: str) -> None:
    """The toy model under `name`, its CPU card with `words` in the place of batching, instances and accelerators."""
    reword(write_toy_model(repository, name), words)


def reword(folder: Path, words: str) -> None:
    """Have the CPU card of the model in `folder` say `words` of batching, instances and accelerators."""
    card = folder / "configs" / "cpu.pbtxt"
    config = text_format.Parse(card.read_text(), pb.ModelConfig())
    for field in ("max_batch_size", "instance_group", "optimization"):
        config.ClearField(field)
    card.write_text(text_format.MessageToString(config) + words)


def accelerators(*words: str) -> str:
    """An `optimization` with these accelerators."""
    listed = " ".join(f"cpu_execution_accelerator {{ {word} }}" for word in words)
    return f"optimization {{ execution_accelerators {{ {listed} }} }}"


ALONE = "max_batch_size: 1 instance_group { kind: KIND_CPU } "
BATCHED = (
    "max_batch_size: 8 instance_group { kind: KIND_CPU } dynamic_batching { max_queue_delay_microseconds: 200000 } "
)
BF16 = 'name: "openvino" parameters { key: "precision" value: "bf16" }'
VARIANTS = {
    "openvino": ALONE + accelerators('name: "openvino" parameters { key: "num_of_threads" value: "1" }'),
    "openvino_bf16": ALONE + accelerators(BF16),
    "mnn": ALONE + accelerators('name: "mnn"'),
    "mnn_threads": ALONE + accelerators('name: "mnn" parameters { key: "num_of_threads" value: "1" }'),
    "plain": ALONE + 'parameters { key: "intra_op_thread_count" value { string_value: "1" } }',
    "batched": BATCHED,
    "batched_openvino": BATCHED + accelerators('name: "openvino"'),
    "batched_mnn": BATCHED + accelerators('name: "mnn"'),
    "two": "max_batch_size: 1 instance_group { kind: KIND_CPU count: 2 }",
    "unknown": ALONE + accelerators('name: "abacus"'),
    "threadless": ALONE + accelerators('name: "openvino" parameters { key: "num_of_threads" value: "all" }'),
}


@pytest.fixture(scope="module")
def engine(triton_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    """One engine that serves the toy model in every variant."""
    folder = tmp_path_factory.mktemp("backend")
    write_toy_model(folder / "models")
    for name, words in VARIANTS.items():
        write_variant(folder / "models", name, words)
    recipe = Recipe(SIDE, SIDE, (0.0,) * 3, (255.0,) * 3)
    bring(EXPORTS["rare-operator"].save(folder / "rare.onnx"), folder / "models", "rare", recipe)
    reword(folder / "models" / "rare", VARIANTS["mnn"])
    with running_engine(folder / "models", triton_env, folder) as engine:
        yield engine


def picture(seed: int, batch: int = 1) -> NDArray[np.uint8]:
    """Noise."""
    return np.random.default_rng(seed).integers(0, 256, (batch, SIZE, SIZE, 3), np.uint8)


def expected(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the toy model is by definition, before rounding."""
    alpha: NDArray[np.float32] = np.clip((image.mean(axis=3, dtype=np.float32) - 96) * 4, 0, 255)
    return alpha


@pytest.mark.parametrize("model", ["toy", "openvino", "mnn", "mnn_threads", "plain", "two", "batched"])
def test_the_answer_is_the_models(engine: RunningEngine, model: str) -> None:
    image = picture(1)
    np.testing.assert_allclose(engine.infer(image, model), expected(image), atol=0.6)


@pytest.mark.parametrize("model", ["batched", "batched_openvino", "batched_mnn"])
def test_a_batch_from_one_caller_is_answered_row_by_row(engine: RunningEngine, model: str) -> None:
    images = picture(2, batch=3)
    np.testing.assert_allclose(engine.infer(images, model), expected(images), atol=0.6)


@pytest.mark.parametrize("model", ["batched", "batched_openvino", "batched_mnn"])
def test_requests_at_once_share_executions_and_each_gets_its_own_answer(engine: RunningEngine, model: str) -> None:
    images = [picture(seed) for seed in range(16)]
    before = statistics(engine, model)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda image: engine.infer(image, model), images))
    # Triton counts an execution a little after its answers.
    wait_until(lambda: statistics(engine, model).inference_count - before.inference_count >= 16, "all are counted")

    for image, answer in zip(images, answers, strict=True):
        np.testing.assert_allclose(answer, expected(image), atol=0.6)
    assert statistics(engine, model).execution_count - before.execution_count < 16


def statistics(engine: RunningEngine, model: str) -> triton.service_pb2.ModelStatistics:
    """What Triton has counted for a model."""
    return engine.client.get_inference_statistics(model).model_stats[0]


@pytest.mark.parametrize(
    ("model", "device"),
    [
        ("toy", ANY_OTHER),
        ("openvino", "cpu/openvino/f32"),
        ("openvino_bf16", f"cpu/openvino/{HERE}"),
        ("mnn", "cpu/mnn/f32"),
        ("plain", "cpu/onnxruntime/f32"),
        ("batched_openvino", "cpu/openvino/f32"),
    ],
)
def test_what_really_runs_is_reported_with_the_answer_and_alone(engine: RunningEngine, model: str, device: str) -> None:
    value = triton.InferInput("IMAGE", [1, SIZE, SIZE, 3], "UINT8")
    value.set_data_from_numpy(picture(3))
    for names in (["ALPHA", "DEVICE"], ["DEVICE"]):
        outputs = [triton.InferRequestedOutput(name) for name in names]
        told = engine.client.infer(model, [value], outputs=outputs).as_numpy("DEVICE")
        assert told.tolist() == [[device.encode()]]


def test_what_really_runs_is_logged(engine: RunningEngine) -> None:
    assert engine.logged(f"model openvino_bf16@1 is served on cpu/openvino/{HERE}")
    warned = "openvino_bf16_0_0 prefers openvino bf16, which this CPU does not have" in engine.triton_log.read_text()
    assert warned is (HERE == "f32")


def test_a_runtime_that_lacks_an_operator_says_what_to_do_about_it(engine: RunningEngine) -> None:
    assert engine.logged("model rare@1 is not served: .*mnn cannot run it; imported with --threads 0")


def test_as_many_stubs_run_as_the_card_says(engine: RunningEngine) -> None:
    assert (len(engine.stubs("toy")), len(engine.stubs("two"))) == (1, 2)


@pytest.mark.parametrize(("model", "reason"), [("unknown", "abacus"), ("threadless", "num_of_threads")])
def test_a_word_that_the_backend_does_not_know_is_an_error_and_no_fallback(
    engine: RunningEngine, model: str, reason: str
) -> None:
    assert engine.logged(f"model {model}@1 is not served: .*{reason}")
    assert not engine.client.is_model_ready(model)
    assert engine.client.is_server_ready()  # strict readiness would have gone false here, and stayed so.


@pytest.mark.parametrize("shape", [(2, SIZE, SIZE, 3), (1, SIZE - 1, SIZE, 3), (1, SIZE, SIZE, 4)])
def test_a_wrong_shape_is_refused_and_the_next_request_served(engine: RunningEngine, shape: tuple[int, ...]) -> None:
    with pytest.raises(triton.InferenceServerException):
        engine.infer(np.zeros(shape, np.uint8))
    assert engine.answers()


def test_only_the_grpc_port_is_open_and_only_on_loopback(engine: RunningEngine) -> None:
    listening = [
        connection.laddr
        for process in (engine.triton(), *engine.triton().children(recursive=True))
        for connection in process.net_connections()
        if connection.status == "LISTEN"
    ]
    assert [address.ip.removeprefix("::ffff:") for address in listening] == ["127.0.0.1"]
