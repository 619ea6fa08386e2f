"""What may be served: versions whose weights are what their card says."""

from pathlib import Path

import pytest

from cards.card import weights_file
from cards.target import Target
from server.errors import ModelNotFoundError, ModelRefusedError
from server.lifecycle.repository import Repository
from tests.support.toy_model import write_toy_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_toy_model(tmp_path)
    write_toy_model(tmp_path, version=2, gain=2.0)
    return tmp_path


async def test_every_version_is_known_by_its_own_facts(folder: Path) -> None:
    cards = await Repository(folder).cards()
    assert [(card.target, card.is_default) for card in cards] == [(Target("toy", 1), True), (Target("toy", 2), False)]
    assert cards[0].facts["sha256"] != cards[1].facts["sha256"]


async def test_a_version_whose_weights_are_as_its_card_says_is_verified(folder: Path) -> None:
    assert "is what the card says" in await Repository(folder).verify(Target("toy", 2))


@pytest.mark.case("C4")
async def test_a_flipped_byte_is_refused_by_name(folder: Path) -> None:
    file = folder / "toy" / weights_file(2)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelRefusedError, match=r"2/model\.onnx is not what its card says"):
        await Repository(folder).verify(Target("toy", 2))
    await Repository(folder).verify(Target("toy", 1))


@pytest.mark.parametrize("target", [Target("toy", 3), Target("nobody", 1)])
async def test_what_nobody_imported_is_refused(folder: Path, target: Target) -> None:
    with pytest.raises(ModelRefusedError, match=f"no {target}: import it first"):
        await Repository(folder).verify(target)


async def test_a_name_is_a_matting_models(folder: Path) -> None:
    await Repository(folder).check_name("toy")
    with pytest.raises(ModelNotFoundError):
        await Repository(folder).check_name("nobody")


async def test_a_painter_is_no_matting_model() -> None:
    repository = Repository(Path(__file__).parents[4] / "model_repository")
    with pytest.raises(ModelNotFoundError):
        await repository.check_name("backdrop")
    with pytest.raises(ModelRefusedError, match="no matting model"):
        await repository.verify(Target("backdrop", 1))


async def test_a_server_without_a_repository_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelRefusedError, match="sees no model repository"):
        await Repository(tmp_path / "nothing").cards()
