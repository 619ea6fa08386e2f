"""What the Tritons are to have, and what they may let go."""

from cards.target import Target
from server.routing.presence import Standing, View
from server.routing.route import Route, Share
from server.routing.wanted import find_defaults, named, spare

ONE, TWO, THREE, OTHER = Target("isnet", 1), Target("isnet", 2), Target("isnet", 3), Target("birefnet", 1)
TO_TWO = Route("isnet", (Share(TWO, 100),), generation=1)


def view(*routes: Route, held: frozenset[Target] = frozenset(), **servers: Standing) -> View:
    return View({route.name: route for route in routes}, held, servers)


def test_a_name_that_nobody_changed_stands_for_what_its_card_has_loaded() -> None:
    assert named(view(), {"isnet": ONE}) == {ONE}
    assert named(view(TO_TWO), {"isnet": ONE, "birefnet": OTHER}) == {TWO, OTHER}


def test_mirrors_are_loaded_too() -> None:
    assert named(view(Route("isnet", (Share(ONE, 100),), Share(TWO, 5), 1)), {}) == {ONE, TWO}


def test_what_no_name_stands_for_is_spare_once_everybody_follows() -> None:
    follows = Standing(follows={"isnet": 1})
    assert spare([ONE, TWO], view(TO_TWO, a=follows, b=follows), {TWO}) == {ONE}
    assert not spare([ONE, TWO], view(TO_TWO, a=follows, b=Standing()), {TWO})


def test_what_somebody_waits_for_stays() -> None:
    waits = Standing(follows={"isnet": 1}, in_flight=frozenset({ONE}))
    assert not spare([ONE, TWO], view(TO_TWO, a=Standing(follows={"isnet": 1}), b=waits), {TWO})


def test_the_default_is_what_nobody_asked_for() -> None:
    assert find_defaults([ONE, TWO], view(held=frozenset({TWO})), {}) == {"isnet": ONE}
    assert find_defaults([ONE, THREE], view(held=frozenset({ONE})), {}) == {"isnet": THREE}
    assert find_defaults([ONE, TWO], view(held=frozenset({ONE, TWO})), {}) == {"isnet": ONE}


def test_the_default_stays_as_long_as_it_is_loaded() -> None:
    assert find_defaults([ONE, THREE], view(), {"isnet": THREE}) == {"isnet": THREE}
    assert find_defaults([ONE], view(), {"isnet": THREE}) == {"isnet": ONE}
    assert find_defaults([], view(), {"isnet": THREE}) == {}
