"""A model's folder with some of its versions alone, made of links: to serve and ask just these."""

from collections.abc import Sequence
from pathlib import Path

from google.protobuf import text_format

from cards.card import CARD_FILE, CPU_CARD_FILE, GPU_CARD_FILE, read_config, version_folders


def link_versions(model: Path, versions: Sequence[int], folder: Path) -> None:
    """Make `folder` a model that is the one in the folder `model` with `versions` alone, all loaded at its start.

    It bears the name of `folder`. Whatever is broken in other versions cannot keep these from being served.

    Raises:
        CardError: the model has no card.
    """
    folder.mkdir(parents=True)
    for path in model.resolve().iterdir():
        if not path.name[0].isdigit() and path.name not in {CARD_FILE, "configs"}:
            (folder / path.name).symlink_to(path)
    for version, path in version_folders(model).items():
        if version in versions:
            (folder / str(version)).symlink_to(path.resolve())
    for card in (CARD_FILE, CPU_CARD_FILE, GPU_CARD_FILE):
        if card == CARD_FILE or (model / card).is_file():
            config = read_config(model, card)
            config.name = folder.name
            config.version_policy.specific.versions[:] = versions
            (folder / card).parent.mkdir(exist_ok=True)
            (folder / card).write_text(text_format.MessageToString(config, as_utf8=True), encoding="utf-8")
