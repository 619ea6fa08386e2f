"""The question that any model can be asked: small, empty, and of the types that the model takes."""

import pytest
from tritonclient.grpc import service_pb2
from tritonclient.utils import InferenceServerException

from engine.question import Asker, question_for
from tests.support.fake_painter import FakePainter, inputs_of, running_painter

Tensor = service_pb2.ModelMetadataResponse.TensorMetadata
PAINTER = {
    "PROMPT": ("BYTES", [1]),
    "NEGATIVE_PROMPT": ("BYTES", [1]),
    "IMAGE": ("UINT8", [-1, -1, 3]),
    "MASK": ("UINT8", [-1, -1]),
    "SEED": ("UINT64", [1]),
    "STEPS": ("INT32", [1]),
}
MATTER = {"IMAGE": ("UINT8", [-1, 16, 16, 3])}


def metadata(tensors: dict[str, tuple[str, list[int]]]) -> service_pb2.ModelMetadataResponse:
    return service_pb2.ModelMetadataResponse(
        name="fake",
        inputs=[Tensor(name=name, datatype=kind, shape=shape) for name, (kind, shape) in tensors.items()],
        outputs=[Tensor(name="IMAGE"), Tensor(name="DEVICE")],
    )


def test_a_matting_model_is_asked_for_a_black_picture() -> None:
    question = question_for(metadata(MATTER), "2", decoupled=False)
    image = inputs_of(question.request)["IMAGE"]
    assert image.shape == (1, 16, 16, 3)
    assert not image.any()
    assert not question.takes_words


def test_a_generation_model_is_asked_with_empty_words() -> None:
    question = question_for(metadata(PAINTER), "1", decoupled=False)
    values = inputs_of(question.request)
    assert (values["PROMPT"][0], values["IMAGE"].shape, values["STEPS"].tolist()) == (b"", (1, 1, 3), [0])
    assert question.takes_words
    assert question.outputs == {"IMAGE", "DEVICE"}


@pytest.mark.parametrize("decoupled", [False, True])
def test_the_first_answer_comes_back_from_either_kind_of_model(decoupled: bool) -> None:  # noqa: FBT001
    question = question_for(metadata(PAINTER), "1", decoupled=decoupled)
    question.only("DEVICE")
    with running_painter(fake := FakePainter(decoupled=decoupled, progress=())) as address:
        asker = Asker(address, [])
        assert asker.ask(question, 10).as_numpy("DEVICE").tolist() == [b"cpu/fake/uint8"]
        asker.close()
    assert [output.name for output in fake.asked[0].outputs] == ["DEVICE"]


@pytest.mark.parametrize("decoupled", [False, True])
def test_no_answer_in_time_is_an_error_that_says_so(decoupled: bool) -> None:  # noqa: FBT001
    question = question_for(metadata(PAINTER), "1", decoupled=decoupled)
    with running_painter(FakePainter(decoupled=decoupled, delay_s=30)) as address:
        with pytest.raises(InferenceServerException) as caught:
            Asker(address, []).ask(question, 0.2)
        assert caught.value.status() == "StatusCode.DEADLINE_EXCEEDED"


@pytest.mark.parametrize("says", [{"stream_error": "broken"}, {"progress": (), "ends_with_picture": False}], ids=str)
def test_a_stream_that_fails_or_ends_empty_is_an_error(says: dict[str, object]) -> None:
    fake = FakePainter(decoupled=True, progress=())
    for key, value in says.items():
        setattr(fake, key, value)
    with running_painter(fake) as address, pytest.raises(InferenceServerException):
        Asker(address, []).ask(question_for(metadata(PAINTER), "1", decoupled=True), 10)
