"""The cards for a GPU of every model here: Triton can read them, and they say of the model what its card says.

They were not run on one: see docs/models.md.
"""

from pathlib import Path

import pytest
from tritonclient.grpc import model_config_pb2 as pb

from cards.card import GPU_CARD_FILE, read_config

REPOSITORY = Path(__file__).parents[3] / "model_repository"
MODELS = sorted(folder.name for folder in REPOSITORY.iterdir() if (folder / "config.pbtxt").is_file())

# What depends on the machine, and nothing else may differ.
OF_THE_MACHINE = ("instance_group", "optimization", "dynamic_batching", "model_warmup")

# What Triton's onnxruntime backend reads (README of onnxruntime_backend); anything else it would ignore, or refuse.
TENSORRT = {"precision_mode", "max_workspace_size_bytes", "trt_engine_cache_enable", "trt_engine_cache_path"}
CUDA = {"use_ep_level_unified_stream", "cudnn_conv_use_max_workspace"}


@pytest.fixture(params=MODELS)
def folder(request: pytest.FixtureRequest) -> Path:
    return REPOSITORY / str(request.param)


def test_there_is_one_for_every_model(folder: Path) -> None:
    config = read_config(folder, GPU_CARD_FILE)
    assert config.name == folder.name
    assert config.instance_group
    assert all(group.count >= 1 for group in config.instance_group)


def test_it_differs_from_the_card_only_in_what_depends_on_the_machine(folder: Path) -> None:
    card, gpu = read_config(folder), read_config(folder, GPU_CARD_FILE)
    for field in OF_THE_MACHINE:
        card.ClearField(field)
        gpu.ClearField(field)
    assert gpu == card


def test_only_what_paints_by_rule_runs_on_the_cpu_there(folder: Path) -> None:
    config = read_config(folder, GPU_CARD_FILE)
    by_rule = config.parameters["method"].string_value == "procedural"
    kind = pb.ModelInstanceGroup.KIND_CPU if by_rule else pb.ModelInstanceGroup.KIND_GPU
    assert {group.kind for group in config.instance_group} == {kind}


def test_its_accelerators_are_tritons_own_words(folder: Path) -> None:
    config = read_config(folder, GPU_CARD_FILE)
    accelerators = config.optimization.execution_accelerators.gpu_execution_accelerator
    known = {"tensorrt": TENSORRT, "cuda": CUDA}
    assert all(set(one.parameters) <= known[one.name] for one in accelerators)
    assert bool(accelerators) == (config.backend == "onnxruntime")


def test_a_warm_up_says_every_input(folder: Path) -> None:
    config = read_config(folder, GPU_CARD_FILE)
    for warmup in config.model_warmup:
        assert warmup.batch_size >= 1
        asked = {name: (value.data_type, len(value.dims)) for name, value in warmup.inputs.items()}
        assert asked == {tensor.name: (tensor.data_type, len(tensor.dims)) for tensor in config.input}
