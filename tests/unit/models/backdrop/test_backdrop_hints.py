"""What is read from the picture and its mask."""

import numpy as np
from backdrop.hints import hints_of
from backdrop.stage import Hints

BACKGROUND, SUBJECT = 255, 0


def test_nothing_is_read_where_there_is_no_subject_or_nothing_else() -> None:
    image = np.zeros((50, 40, 3), np.uint8)
    assert hints_of(image, np.full((50, 40), BACKGROUND, np.uint8)) == Hints()
    assert hints_of(image, np.full((50, 40), SUBJECT, np.uint8)) == Hints()
    assert hints_of(np.zeros((1, 1, 3), np.uint8), np.full((1, 1), BACKGROUND, np.uint8)) == Hints()


def test_the_foot_is_the_subjects_lowest_point_unless_the_edge_cuts_it_off() -> None:
    image, mask = np.full((400, 300, 3), 90, np.uint8), np.full((400, 300), BACKGROUND, np.uint8)
    mask[100:300, 100:200] = SUBJECT
    assert hints_of(image, mask).foot == 0.75
    mask[100:400] = SUBJECT
    assert hints_of(image, mask).foot is None


def test_a_few_pixels_of_matte_change_nothing() -> None:
    image, mask = np.full((400, 300, 3), 90, np.uint8), np.full((400, 300), BACKGROUND, np.uint8)
    mask[100:300, 100:200] = SUBJECT
    first = hints_of(image, mask)
    mask[300:303, 100:200] = SUBJECT
    mask[5, 5] = SUBJECT
    assert hints_of(image, mask) == first


def test_light_is_on_the_brighter_side_if_it_clearly_is() -> None:
    mask = np.full((200, 200), BACKGROUND, np.uint8)
    mask[50:150, 50:150] = SUBJECT
    image = np.full((200, 200, 3), 100, np.uint8)
    assert hints_of(image, mask).light is None
    image[:, 100:] = 200
    assert hints_of(image, mask).light == 0.8
    assert hints_of(image[:, ::-1].copy(), mask).light == -0.8
