"""Options: each reads exactly what its schema says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import InvalidFieldsError
from adapter.options.fields import Fields
from adapter.options.option import Option, choice, decimal, whole, words, written

RADIUS = whole("radius", 1, 100, 20, "Strength.")
ANGLE = decimal("angle", -360, 360, 180, "Direction.")
KIND = choice("kind", {"soft": 1, "hard": 2, "none": 3}, "hard", "Edge.")
TEXT = words("text", 5, "Words.")
NAMED = written(("first", "second", "third"), str.upper, None, "Anything.", "x")


@given(st.integers(-(10**25), 10**25))
def test_a_whole_number_is_in_its_range_or_refused(number: int) -> None:
    if 1 <= number <= 100:
        assert RADIUS.parse(str(number)) == number
    else:
        with pytest.raises(ValueError, match=r"^must be 1 to 100$"):
            RADIUS.parse(str(number))


@pytest.mark.parametrize("text", ["", "x", "1.5", "1e1", "0x10", "1_0", "\u0661", "--1", "1 0", "9" * 5000])
def test_what_is_no_whole_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be 1 to 100$"):
        RADIUS.parse(text)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_number_is_in_its_range_or_refused(number: float) -> None:
    text = f"{number:.6f}"
    if -360 <= float(text) <= 360:
        assert ANGLE.parse(text) == float(text)
    else:
        with pytest.raises(ValueError, match=r"^must be a number, -360 to 360$"):
            ANGLE.parse(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("360", 360), ("-360", -360), ("+.5", 0.5), ("90.", 90), ("1e2", 100), ("0.30000000000000004", 0.1 + 0.2)],
)
def test_numbers_as_people_write_them(text: str, number: float) -> None:
    assert ANGLE.parse(text) == number


@pytest.mark.parametrize("text", ["360.000001", "-360.1", "nan", "inf", "1e3", "1e", "", ".", "-", "1.2.3", "90deg"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="must be a number"):
        ANGLE.parse(text)


def test_a_choice_is_one_of_its_words_in_any_case() -> None:
    assert (KIND.parse("soft"), KIND.parse("HARD"), KIND.default) == (1, 2, 2)
    with pytest.raises(ValueError, match=r"^must be soft, hard or none$"):
        KIND.parse("harder")


def test_words_are_bounded_in_characters() -> None:
    assert TEXT.parse("äöüß€") == "äöüß€"
    with pytest.raises(ValueError, match=r"^must have at most 5 characters$"):
        TEXT.parse("äöüß€!")


def test_schemas_say_what_is_read() -> None:
    assert RADIUS.schema == {
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
        "default": 20,
        "description": "Strength.",
    }
    assert KIND.schema["enum"] == ["soft", "hard", "none"]
    assert KIND.schema["default"] == "hard"
    assert TEXT.schema["maxLength"] == 5
    assert NAMED.schema == {"type": "string", "description": "Anything.", "examples": ["x"]}


def test_the_first_name_with_a_value_counts() -> None:
    assert Fields({"first": " ", "third": "c", "second": "b"}).take(NAMED) == "B"
    assert Fields({}).take(NAMED) is None


@pytest.mark.parametrize(("values", "wrong"), [({}, "is required"), ({"text": " "}, "is required")])
def test_what_is_required_is_missed(values: dict[str, str], wrong: str) -> None:
    fields, option = Fields(values), words("text", 5, "Words.", required=True)
    assert fields.take(option) == ""
    with pytest.raises(InvalidFieldsError) as caught:
        fields.check()
    assert caught.value.fields == {"text": wrong}


@pytest.mark.parametrize("option", [RADIUS, ANGLE, KIND], ids=lambda option: option.name)
def test_a_mistake_is_kept_and_the_default_stands_in(option: Option[int]) -> None:
    fields = Fields({option.name: "wrong"})
    assert fields.take(option) == option.default
    with pytest.raises(InvalidFieldsError):
        fields.check()
