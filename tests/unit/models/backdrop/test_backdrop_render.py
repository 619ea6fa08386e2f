"""The pictures: the same bytes for the same wishes, any size, one composition at every size, no bands."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import backdrop
import cv2
import numpy as np
import pytest
from backdrop import Hints, render
from backdrop.frame import Frame
from backdrop.prompt import read
from backdrop.scenes import SCENES
from backdrop.stage import Stage, key_of
from numpy.typing import NDArray

PACKAGE = Path(backdrop.__file__).parents[1]
WORDS = {"waves3d": "paper waves", "window": "window light", "spotlight": "spotlight", "snow": "snow"}
OTHERS = ["wooden table, forest", "sea at night", "silk", "velvet", "kraft paper", "blinds shadow", "brick wall"]
PROMPTS = [*(WORDS.get(name, name) for name in SCENES), *OTHERS]


def paint(prompt: str, width: int = 96, height: int = 72, seed: int = 5, negative: str = "") -> NDArray[np.uint8]:
    """A small one."""
    return render(prompt, negative, seed, width=width, height=height)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_same_wishes_give_the_same_bytes(prompt: str) -> None:
    first = paint(prompt)
    assert first.shape == (72, 96, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, paint(prompt))
    assert not np.array_equal(first, paint(prompt, seed=6))
    assert first.std() > 0.5, "a background is no flat colour"


def test_another_process_gives_the_same_bytes() -> None:
    program = (
        "import hashlib; from backdrop import render\n"
        f"for prompt in {PROMPTS!r}: print(hashlib.sha256(render(prompt, '', 5, width=96, height=72)).hexdigest())"
    )
    environment = os.environ | {"PYTHONPATH": str(PACKAGE), "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.split() == [hashlib.sha256(paint(prompt).tobytes()).hexdigest() for prompt in PROMPTS]


def test_all_of_the_wishes_count() -> None:
    plain = paint("sea")
    assert not np.array_equal(plain, paint("sea", negative="clouds"))
    assert not np.array_equal(plain, paint("lake"))
    assert not np.array_equal(plain, paint("sea", seed=2**64 - 1))


@pytest.mark.parametrize("prompt", PROMPTS)
def test_any_size_can_be_painted(prompt: str) -> None:
    for width, height in ((1, 1), (1, 40), (61, 1), (47, 31)):
        assert paint(prompt, width, height).shape == (height, width, 3)


@pytest.mark.parametrize(("width", "height"), [(0, 10), (10, 0), (2049, 10), (10, 2049), (-1, 5)])
def test_a_size_beyond_the_limits_is_refused(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="sides may be 1 to 2048 pixels"):
        paint("sea", width, height)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_size_shows_the_same_composition_as_another(prompt: str) -> None:
    small, large = paint(prompt, 200, 150), paint(prompt, 400, 300)
    first, second = (cv2.resize(each, (32, 24), interpolation=cv2.INTER_AREA).astype(float) for each in (small, large))
    other = cv2.resize(paint(prompt, 200, 150, seed=77), (32, 24), interpolation=cv2.INTER_AREA).astype(float)
    difference = float(np.abs(first - second).mean())
    assert difference < 4.5, "of 255, where only the finest detail may differ"
    assert difference < float(np.abs(first - other).mean()) + 1.5


@pytest.mark.parametrize("prompt", ["studio", "navy studio", "mesh", "sky without clouds", "spotlight"])
def test_gradients_are_dithered(prompt: str) -> None:
    """A band would be a patch in which nothing changes."""
    picture = paint(prompt, 512, 384)[:, :, 1]
    patches = picture[:384, :512].reshape(48, 8, 64, 8).swapaxes(1, 2).reshape(-1, 64)
    middle = (patches.mean(axis=1) > 3) & (patches.mean(axis=1) < 252)
    assert middle.any()
    assert (patches[middle].max(axis=1) > patches[middle].min(axis=1)).all()


def brightness(prompt: str) -> float:
    """Mean of all channels."""
    return float(np.mean([paint(prompt, seed=seed).mean() for seed in (1, 2, 3)]))


@pytest.mark.parametrize("scene", ["sea", "beach", "hills", "mountains", "forest", "meadow", "desert", "sky"])
def test_the_hours_differ_in_light(scene: str) -> None:
    assert brightness(f"{scene} at noon") > brightness(f"{scene} at dusk") > brightness(f"{scene} at night")


@pytest.mark.parametrize("scene", ["grey studio", "sea", "marble"])
def test_moods_do_what_they_say(scene: str) -> None:
    assert brightness(f"bright {scene}, airy") > brightness(scene) > brightness(f"{scene}, low key")
    warm, cold = paint(f"{scene}, warm").mean(axis=(0, 1)), paint(f"{scene}, cold").mean(axis=(0, 1))
    assert warm[0] - warm[2] > cold[0] - cold[2] + 10
    vivid, muted = (np.ptp(paint(f"{scene}, {mood}").astype(int), axis=2).mean() for mood in ("vivid", "muted"))
    assert vivid >= muted


@pytest.mark.parametrize(
    ("prompt", "order"),
    [
        ("red studio", (0, 1)),
        ("green velvet", (1, 0)),
        ("blue gradient", (2, 0)),
        ("pared azul", (2, 0)),
        ("fond rouge", (0, 2)),
    ],
)
def test_a_colour_is_that_colour(prompt: str, order: tuple[int, int]) -> None:
    means = paint(prompt).mean(axis=(0, 1))
    assert means[order[0]] > means[order[1]] + 25


def test_the_horizon_stays_above_the_subjects_foot() -> None:
    def horizon(foot: float | None) -> float:
        stage = Stage(Frame(64, 64), read("sea"), Hints(foot=foot), key_of("sea", "", 1))
        return stage.horizon(0.56)

    assert [horizon(foot) for foot in (None, 0.9, 0.5, 0.1)] == pytest.approx([0.56, 0.56, 0.4, 0.3])
    low, high = (render("sea", "", 1, width=64, height=64, hints=Hints(foot=foot)).astype(int) for foot in (0.9, 0.5))
    assert np.abs(low[28:34] - high[28:34]).mean() > 10, "there is sky in one and water in the other"


def test_light_comes_from_where_the_subjects_does() -> None:
    left, right = (
        render("grey studio", "", 1, width=64, height=64, hints=Hints(light=side))[:20].mean(axis=(0, 2))
        for side in (-0.8, 0.8)
    )
    assert left[:16].mean() > left[-16:].mean() + 5
    assert right[:16].mean() < right[-16:].mean() - 5
