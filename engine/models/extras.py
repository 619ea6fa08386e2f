"""What Triton's environment may have beside its own lock: large packages that only some models need.

An extra is named by models (`parameters { key: "environment" … }`) without saying for which machine it was built:
`diffusion` is satisfied by `diffusion-cpu` and by `diffusion-cuda`.
"""

from pathlib import Path

MARKERS = "clearcanvas-extra-{}.sha256"

EXTRAS = {
    "diffusion-cpu": ("diffusion.lock", "torch-cpu.lock"),
    "diffusion-cuda": ("diffusion.lock", "torch-cuda.lock"),
}
"""The locks of each extra, in the engine's folder."""


def installed_extras(root: Path) -> frozenset[str]:
    """What models may ask for by name of the environment in `root`, with the names that the user gave."""
    names = {name for name in EXTRAS if (root / MARKERS.format(name)).exists()}
    return frozenset(names | {name.partition("-")[0] for name in names})


def how_to_install(environment: str) -> str:
    """What to say to a person whose environment lacks what a model asks for."""
    names = " or ".join(sorted(name for name in EXTRAS if name.partition("-")[0] == environment))
    return f"run `python -m engine install --with {names}`" if names else f"there is no extra named {environment!r}"
