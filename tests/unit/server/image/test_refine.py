"""The model's alpha at full size: never worse than enlarging it, exact where it is sure."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from server.image.box import Box
from server.image.decode import Pixels, View
from server.image.libvips import from_array, to_array
from server.image.refine import BACKGROUND, SUBJECT, UNKNOWN, refine
from server.image.scene import build_scene, subject_box
from tests.support.pictures import PHOTOS, TESTS, photo

Bytes = NDArray[np.uint8]


def scene_arrays(picture: Bytes, alpha: Bytes, own_alpha: Bytes | None = None) -> tuple[Bytes, Box]:
    """Refine `alpha` (the working size) over `picture`; return the cut-out and its box."""
    size = alpha.shape[1::-1]
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8).reshape(*alpha.shape, 3)
    small_alpha = None
    if own_alpha is not None:
        small_alpha = cv2.resize(own_alpha, size, interpolation=cv2.INTER_AREA).astype(np.uint8).reshape(alpha.shape)
    colour = from_array(picture).copy(interpretation="srgb")
    pixels = Pixels(colour, None if own_alpha is None else from_array(own_alpha))
    refinement = refine(View(small, small_alpha), alpha)
    scene = build_scene(pixels, refinement)
    cutout = to_array(scene.cutout)
    assert np.array_equal(to_array(scene.alpha)[..., 0], cutout[..., 3])
    return cutout, subject_box(refinement.alpha, picture.shape[:2])


def golden_alpha(name: str, size: tuple[int, int]) -> Bytes:
    alpha = np.asarray(Image.open(TESTS / "golden" / f"{name}_alpha.png"))
    return cv2.resize(alpha, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def levelled(alpha: Bytes) -> NDArray[np.float64]:
    return np.clip((alpha / 255 - 0.03) / 0.94, 0, 1) * 255


@pytest.mark.parametrize("name", PHOTOS)
def test_picture_of_the_working_size_keeps_the_models_alpha(name: str) -> None:
    picture = np.asarray(photo(name))
    alpha = golden_alpha(name, picture.shape[1::-1])
    cutout, _ = scene_arrays(picture, alpha)
    assert np.abs(cutout[..., 3] - levelled(alpha)).max() <= 1


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("scale", [2, 4])
def test_refined_alpha_is_nearer_to_the_truth_than_an_enlarged_one(name: str, scale: int) -> None:
    picture = np.asarray(photo(name))
    height, width = picture.shape[:2]
    truth = levelled(golden_alpha(name, (width, height)))
    small = golden_alpha(name, (width // scale, height // scale))
    enlarged = cv2.resize(levelled(small), (width, height), interpolation=cv2.INTER_LINEAR)
    refined, _ = scene_arrays(picture, small)
    error, error_enlarged = np.abs(refined[..., 3] - truth).mean(), np.abs(enlarged - truth).mean()
    assert error < 0.97 * error_enlarged


def test_soft_edge_loses_the_backgrounds_colour() -> None:
    # Red before green, mixed over 8 pixels: what is left of the subject must be red wherever it can be seen.
    ramp = np.clip((np.arange(200) - 96) / 8, 0, 1)
    alpha = np.tile((ramp * 255).round().astype(np.uint8), (60, 1))
    weight = alpha[..., None] / 255
    picture = (weight * (200, 20, 20) + (1 - weight) * (20, 200, 20)).round().astype(np.uint8)
    cutout, _ = scene_arrays(picture, alpha)
    seen = cutout[..., 3] > 40
    assert np.abs(cutout[seen][:, :3].astype(int) - (200, 20, 20)).max() <= 30
    assert np.abs(picture[seen].astype(int) - (200, 20, 20)).max() > 100


def test_what_nobody_sees_is_zero() -> None:
    picture = np.random.default_rng(2).integers(1, 256, (90, 130, 3), np.uint8)
    alpha = np.zeros((90, 130), np.uint8)
    alpha[30:60, 40:90] = 255
    own = np.full((90, 130), 255, np.uint8)
    own[:, :50] = 0
    for cutout, _ in (scene_arrays(picture, alpha), scene_arrays(picture, alpha, own)):
        assert not cutout[cutout[..., 3] == 0].any()
    assert not cutout[:, :50].any()


@pytest.mark.parametrize("alpha", [0, 255])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (3, 2), (1, 700), (700, 1), (129, 257)])
@pytest.mark.parametrize("working", [(1, 1), (16, 16), (700, 700)], ids=str)
def test_smallest_and_longest_pictures(height: int, width: int, working: tuple[int, int], alpha: int) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)
    small = np.full((min(height, working[0]), min(width, working[1])), alpha, np.uint8)
    cutout, box = scene_arrays(picture, small)
    assert cutout.shape == (height, width, 4)
    assert (cutout[..., 3] == alpha).all()
    assert np.array_equal(cutout[..., :3], picture if alpha else np.zeros_like(picture))
    assert box == (Box(0, 0, width, height) if alpha else Box(0, 0, 0, 0))


@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    working=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    kind=st.sampled_from(["blobs", "binary", "noise"]),
    transparent=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=150, deadline=None)
def test_promises_hold_for_any_picture(
    height: int, width: int, working: tuple[int, int], kind: str, seed: int, *, transparent: bool
) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    rows, columns = min(height, working[0]), min(width, working[1])
    alpha = rng.integers(0, 256, (rows, columns), np.uint8)
    if kind != "noise":
        alpha = (
            cv2.resize(rng.integers(0, 256, (3, 3), np.uint8), (columns, rows)).reshape(rows, columns).astype(np.uint8)
        )
    if kind == "binary":
        alpha = np.where(alpha > 127, 255, 0).astype(np.uint8)
    own = rng.choice(np.array([0, 1, 90, 254, 255], np.uint8), (height, width)) if transparent else None
    cutout, _ = scene_arrays(picture, alpha, own)
    # Never more opaque than the input.
    assert own is None or (cutout[..., 3] <= own).all()
    # Opaque pixels are the input's, bit for bit.
    opaque = cutout[..., 3] == 255
    assert np.array_equal(cutout[opaque][:, :3], picture[opaque])
    assert not cutout[cutout[..., 3] == 0].any()


def test_trimap_is_sure_only_where_the_maps_are() -> None:
    rng = np.random.default_rng(5)
    picture = rng.integers(0, 256, (64, 64, 3), np.uint8)
    alpha = np.zeros((64, 64), np.uint8)
    alpha[20:50, 10:40] = 255
    maps = refine(View(picture, None), alpha)
    slope, offset = maps.maps[..., 0], maps.maps[..., 1]
    for value, level in ((BACKGROUND, 0), (SUBJECT, 255)):
        sure = cv2.dilate((maps.trimap == value).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        assert sure.any()
        assert not slope[sure].any()
        assert (np.floor(offset[sure]) == level).all()
    assert (maps.trimap[19:21, 20:30] == UNKNOWN).all()
