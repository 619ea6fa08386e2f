"""Which versions the Tritons are to have, and which nobody needs any more."""

from collections.abc import Collection, Iterable, Mapping

from cards.target import Target
from server.routing.presence import View


def named(view: View, defaults: Mapping[str, Target]) -> frozenset[Target]:
    """The versions that some name stands for, or that work on copies. `defaults`: of names without a routing."""
    routed = (route.targets for route in view.routes.values())
    unrouted = {target for name, target in defaults.items() if name not in view.routes}
    return frozenset(unrouted).union(*routed)


def spare(loaded: Iterable[Target], view: View, wanted: Collection[Target]) -> frozenset[Target]:
    """Those of the `loaded` versions that are not `wanted`, and that nobody can still be waiting for.

    None, before every live server goes by the newest routing: another one may still send requests there.
    """
    generations = {name: route.generation for name, route in view.routes.items()}
    for server in view.servers.values():
        if any(server.follows.get(name, 0) < generation for name, generation in generations.items()):
            return frozenset()
    busy = frozenset[Target]().union(*(server.in_flight for server in view.servers.values()))
    return frozenset(loaded) - frozenset(wanted) - busy


def find_defaults(loaded: Iterable[Target], view: View, known: Mapping[str, Target]) -> Mapping[str, Target]:
    """The version that each model's name stands for where nobody has said otherwise: what its card has loaded.

    Triton does not tell it from what was loaded on our wish. So what is `known` stays, as long as it is `loaded`; else
    it is what no routing and no hold asks for; else the lowest.
    """
    asked = view.held.union(*(route.targets for route in view.routes.values()))
    versions: dict[str, list[Target]] = {}
    for target in sorted(loaded):
        versions.setdefault(target.model, []).append(target)
    return {
        model: known[model]
        if known.get(model) in mine
        else next((target for target in mine if target not in asked), mine[0])
        for model, mine in versions.items()
    }
