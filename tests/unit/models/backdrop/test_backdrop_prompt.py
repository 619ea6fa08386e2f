"""The vocabulary: what prompts say, in three languages, and what negative prompts take away."""

import numpy as np
import pytest
from backdrop.frame import Frame
from backdrop.prompt import read
from backdrop.scenes import SCENES, choose
from backdrop.stage import Hints, Stage, key_of

FRAME = Frame(64, 48)
HOSTILE = ["\0\ud83d", "#", "#zz", ",,,;", "x" * 100_000, "sea " * 50_000, "\uff42\uff45\uff41", "\u202e🏖"]


def scene_of(prompt: str, negative: str = "", seed: int = 1) -> str:
    """The name of the scene that is painted."""
    scene = choose(Stage(FRAME, read(prompt, negative), Hints(), key_of(prompt, negative, seed)))
    return next((name for name, other in SCENES.items() if other is scene), "table")


@pytest.mark.parametrize(
    ("prompt", "scene"),
    [
        ("", "studio"),
        ("a plain studio backdrop", "studio"),
        ("red", "studio"),
        ("Sandy BEACH at sunset", "beach"),
        ("sunset", "sunset"),
        ("golden hour", "hills"),
        ("forest bokeh", "forest"),
        ("city lights at night", "city"),
        ("clear blue sky without clouds", "sky"),
        ("mountain lake", "mountains"),
        ("snowy mountains", "mountains"),
        ("snow", "snow"),
        ("autumn", "forest"),
        ("polished white marble", "marble"),
        ("brick wall", "room"),
        ("bricks", "brick"),
        ("a white wall and an oak floor", "room"),
        ("palm leaf shadow on a wall", "window"),
        ("wooden table, forest behind", "table"),
        ("podium", "podium"),
        ("playa al atardecer", "beach"),
        ("mesa de madera", "table"),
        ("montañas nevadas", "mountains"),
        ("forêt d'automne", "forest"),
        ("coucher de soleil", "sunset"),
        ("lumières de la ville", "city"),
        ("mur en brique", "room"),
    ],
)
def test_words_name_a_scene(prompt: str, scene: str) -> None:
    assert scene_of(prompt) == scene


def test_strange_words_give_something_that_suits_a_product_and_depends_on_the_words() -> None:
    found = {scene_of(f"qwxz{number}") for number in range(40)}
    assert found <= {"studio", "mesh", "window", "podium"}
    assert len(found) > 2


@pytest.mark.parametrize(
    ("prompt", "colours"),
    [
        ("navy", ["navy"]),
        ("navy blue studio", ["navyblue"]),
        ("forest green paper", ["forestgreen"]),
        ("pink and gold gradient", ["pink", "gold"]),
        ("#0F8 studio", ["#00ff88"]),
        ("#12ab34", ["#12ab34"]),
        ("fond bleu marine", ["navy"]),
        ("fondo rojo y blanco", ["red", "white"]),
    ],
)
def test_colours_are_read(prompt: str, colours: list[str]) -> None:
    assert [m.name for m in read(prompt).meanings if m.kind == "colour"] == colours


@pytest.mark.parametrize(("lighter", "darker"), [("light blue", "dark blue"), ("bleu clair", "bleu foncé")])
def test_light_and_dark_shade_a_colour_and_are_no_mood_then(lighter: str, darker: str) -> None:
    (light,), (dark,) = read(lighter).colours, read(darker).colours
    (plain,) = read("blue").colours
    assert light.sum() > plain.sum() > dark.sum()
    assert not read(darker).wants("dark")
    assert read("dark studio").wants("dark")


def test_a_colour_belongs_to_the_thing_beside_it() -> None:
    brief = read("a blue wall and a white floor")
    wall, floor = brief.beside("wall", "colour"), brief.beside("floor", "colour")
    assert wall
    assert floor
    assert (wall.name, floor.name) == ("blue", "white")
    azul = read("pared azul, suelo de madera").beside("wall", "colour")
    assert azul
    assert azul.name == "blue"


def test_the_sea_has_a_colour_that_is_not_the_skys() -> None:
    brief = read("turquoise sea, pink sky")
    (water,), both = brief.colours_beside("water"), brief.colours
    assert len(both) == 2
    assert np.array_equal(water, both[0])


@pytest.mark.parametrize(
    ("prompt", "negative"),
    [("sea without clouds", ""), ("sea", "clouds"), ("mer sans nuages", ""), ("mar", "sin nubes")],
)
def test_what_is_not_wanted_is_not_allowed(prompt: str, negative: str) -> None:
    brief = read(prompt, negative)
    assert not brief.allows("clouds")
    assert brief.allows("stars")


def test_the_negative_prompt_takes_words_away() -> None:
    assert scene_of("forest or sea", "forest") == "sea"
    assert [m.name for m in read("red and blue", "red").meanings] == ["blue"]
    assert scene_of("beach", "beach") != "beach"
    assert not read("dark forest", "dark").wants("dark")


def test_a_negation_ends_at_the_next_part_of_the_sentence() -> None:
    brief = read("sea, no clouds, stars")
    assert not brief.allows("clouds")
    assert brief.wants("stars")


@pytest.mark.parametrize("prompt", HOSTILE)
def test_no_text_is_an_error(prompt: str) -> None:
    assert np.all([np.isfinite(colour).all() for colour in read(prompt, prompt).colours])
