"""What a name stands for: shares that are whole, and requests that stay with theirs."""

from collections import Counter

import pytest

from cards.target import Target, parse_target
from server.errors import InvalidParameterError
from server.routing.route import Route, Share, check_shares

ONE, TWO, OTHER = Target("isnet", 1), Target("isnet", 2), Target("birefnet", 1)
IDS = [f"request-{number}" for number in range(20_000)]


def route(*percents: int, mirror: Share | None = None) -> Route:
    return Route("isnet", tuple(map(Share, (ONE, TWO, OTHER), percents)), mirror)


def test_the_split_is_as_said() -> None:
    split = Counter(route(50, 40, 10).pick(each) for each in IDS)
    # The hash is fixed, so this is no game of chance; a hundredth is what it is off by at most here.
    for target, percent in ((ONE, 50), (TWO, 40), (OTHER, 10)):
        assert abs(100 * split[target] / len(IDS) - percent) < 1


def test_a_request_stays_with_its_version() -> None:
    assert all(route(90, 10).pick(each) is route(90, 10).pick(each) for each in IDS[:100])
    moved = {each for each in IDS if route(90, 10).pick(each) != route(80, 20).pick(each)}
    assert all(route(80, 20).pick(each) == TWO for each in moved), "who had the larger share's version goes alone"


def test_copies_are_chosen_whatever_answers() -> None:
    split = route(50, 50, mirror=Share(OTHER, 20))
    copied = [each for each in IDS if split.mirrors(each)]
    assert abs(100 * len(copied) / len(IDS) - 20) < 1
    assert abs(100 * sum(split.pick(each) == ONE for each in copied) / len(copied) - 50) < 2
    assert not any(route(100).mirrors(each) for each in IDS[:100])


def test_what_must_be_loaded() -> None:
    assert route(90, 10).targets == {ONE, TWO}
    assert route(100, mirror=Share(OTHER, 5)).targets == {ONE, OTHER}
    assert route(10, 90).main == TWO


@pytest.mark.parametrize(
    "shares",
    [
        (),
        (Share(ONE, 99),),
        (Share(ONE, 60), Share(TWO, 60)),
        (Share(ONE, 100), Share(TWO, 0)),
        (Share(ONE, 50), Share(ONE, 50)),
        (Share(Target("isnet"), 100),),
    ],
)
def test_shares_that_are_no_whole_are_refused(shares: tuple[Share, ...]) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        check_shares(shares)
    assert caught.value.metadata["field"] == "shares"


def test_whole_shares_are_taken() -> None:
    check_shares((Share(ONE, 99), Share(TWO, 1)))
    check_shares((Share(parse_target("isnet@1"), 100),))
