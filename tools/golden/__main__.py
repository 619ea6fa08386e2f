"""`PYTHONPATH=model_repository/backdrop/1 python -m tools.golden`: paints the golden set into golden/."""

from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from tools.golden.pictures import PICTURES, compose


def main(folder: Annotated[Path, typer.Argument(help="Folder for images/ and masks/.")] = Path("golden")) -> None:
    """Paint every picture, and its mask."""
    total = 0
    for name, told in PICTURES.items():
        image, mask = compose(told)
        # Whole colour at every pixel, as the truth of an edge would be lost in halves of it.
        picture, truth = _place(folder / "images" / f"{name}.jpg"), _place(folder / "masks" / f"{name}.png")
        Image.fromarray(image).save(picture, quality=90, subsampling=0)
        Image.fromarray(mask).save(truth, optimize=True)
        total += picture.stat().st_size + truth.stat().st_size
    typer.echo(f"{len(PICTURES)} pictures, {total / 1e6:.2f} MB")


def _place(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    typer.run(main)
