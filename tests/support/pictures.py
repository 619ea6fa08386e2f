"""Pictures for tests: photos, encoders with every trick a sender knows, and a model that answers what it is told."""

import io
import struct
import zlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from server.composition import Composition
from server.edit import EditResult, EditTask, Models, edit
from server.errors import ServiceError
from server.generation import Generation, GenerationModel, Progress, Prompt, no_progress
from server.image.box import Box
from server.image.libvips import configure
from server.matting import Matte
from server.output import Output, Region, SubjectSource

TESTS = Path(__file__).parents[1]
PHOTOS = ("astronaut", "chelsea", "coffee")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass
class FixedModel:
    """A matting model that answers one alpha, and remembers what it was shown."""

    alpha: NDArray[np.uint8]
    name: str = "fixed"
    shown: list[NDArray[np.uint8]] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.alpha.shape
        return height, width

    def infer(self, image: NDArray[np.uint8]) -> Matte:
        assert image.shape == (*self.size, 3)
        assert image.dtype == np.uint8
        self.shown.append(image)
        return Matte(self.alpha, "cpu/test/u8")


class FixedPainter:
    """A generation model that paints all in one grey."""

    name, method, max_side, multiple = "painter", "procedural", 256, 8

    def generate(
        self,
        prompt: Prompt,
        image: NDArray[np.uint8],
        mask: NDArray[np.uint8],
        on_progress: Progress = no_progress,
    ) -> Generation:
        assert prompt.text
        assert mask.shape == image.shape[:2]
        on_progress(1.0)
        return Generation(np.full_like(image, 99), "cpu/test/u8")


def everything(side: int = 64) -> FixedModel:
    """A model that takes all of the picture for the subject."""
    return FixedModel(np.full((side, side), 255, np.uint8))


def photo(name: str) -> Image.Image:
    return Image.open(TESTS / "photos" / f"{name}.png").convert("RGB")


def blot(height: int = 120, width: int = 160) -> NDArray[np.uint8]:
    """A soft-edged subject somewhere in the middle."""
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot((rows - height * 0.45) / height, (columns - width * 0.6) / width)
    alpha: NDArray[np.uint8] = (np.clip((0.25 - distance) * 40 + 0.5, 0, 1) * 255).round().astype(np.uint8)
    return alpha


def restless(height: int = 120, width: int = 160) -> Image.Image:
    """Noise, in which no pixel is as its neighbours."""
    return Image.fromarray(np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8))


def box_of(alpha: NDArray[np.uint8]) -> Box:
    """The smallest box around all that is not 0."""
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    return Box(int(rows[0]), int(columns[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)


def with_alpha(picture: Image.Image, alpha: NDArray[np.uint8]) -> bytes:
    """A PNG of the picture with that transparency."""
    picture = picture.convert("RGBA")
    picture.putalpha(Image.fromarray(alpha))
    return encoded(picture, "PNG")


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(data: bytes, mode: str = "RGBA") -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode))


@dataclass(frozen=True)
class Edited:
    """A result and its bytes."""

    result: EditResult
    data: bytes

    def pixels(self, mode: str = "RGBA") -> NDArray[np.uint8]:
        return decoded(self.data, mode)


def edited(
    folder: Path,
    data: bytes,
    model: FixedModel | None = None,
    *,
    composition: Composition | None = None,
    output: Output | None = None,
    max_pixels: int = 100_000_000,
    subject: SubjectSource = SubjectSource.MODEL,
    region: Region | None = None,
    painter: GenerationModel | None = None,
    background: bytes | None = None,
) -> Edited:
    """Send encoded bytes down the line, through files as a worker does.

    `background`: the encoded picture to lay behind. No model may be asked that is not needed.
    """
    configure()
    source, target, behind = folder / "source", folder / "target", folder / "background"
    source.write_bytes(data)
    if background is not None:
        behind.write_bytes(background)

    def matting() -> FixedModel:
        assert subject is SubjectSource.MODEL
        return model or everything()

    def generation(_name: str | None) -> GenerationModel:
        assert painter is not None
        return painter

    task = EditTask(composition or Composition(), output or Output(), max_pixels, subject, region)
    result = edit(source, target, task, Models(matting, generation), behind if background is not None else None)
    return Edited(result, target.read_bytes())


def edited_in_child(
    folder: Path, data: bytes, model: FixedModel | None = None, **options: Any
) -> tuple[EditResult | ServiceError, int]:
    """Do it in a fresh process. Return the result or the error, and that process' peak memory in MB."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_edit_and_measure, folder, data, model or everything(1024), options).result()


def _edit_and_measure(
    folder: Path, data: bytes, model: FixedModel, options: dict[str, Any]
) -> tuple[EditResult | ServiceError, int]:
    outcome: EditResult | ServiceError
    try:
        outcome = edited(folder, data, model, **options).result
    except ServiceError as error:
        outcome = error
    return outcome, _peak_memory_mb()


def _peak_memory_mb() -> int:
    """Peak resident memory since this program began; ru_maxrss would begin with what the parent had at the fork."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024 // 1_000_000


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    chunks, position = [], len(PNG_SIGNATURE)
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        chunks.append((data[position + 4 : position + 8], data[position + 8 : position + 8 + length]))
        position += 12 + length
    return chunks


def with_png_chunk(data: bytes, kind: bytes, body: bytes) -> bytes:
    """Put a chunk right behind the header of a PNG."""
    return data[:33] + png_chunk(kind, body) + data[33:]


def blank_png(width: int, height: int) -> bytes:
    """A black 1-bit PNG: 12 KB for 100 megapixels."""
    row = bytes(1 + (width + 7) // 8)
    packer = zlib.compressobj(9)
    stream = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return PNG_SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", stream) + png_chunk(b"IEND", b"")


def animated_webp(first: Image.Image, frames: int) -> bytes:
    """A WebP of `frames` frames: `first`, then `frames` - 1 white ones."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)

    def frame(picture: Image.Image) -> bytes:
        place = struct.pack("<6x") + _uint24(picture.width - 1) + _uint24(picture.height - 1) + _uint24(10) + b"\0"
        return chunk(b"ANMF", place + encoded(picture, "WEBP", lossless=True)[12:])

    size = _uint24(first.width - 1) + _uint24(first.height - 1)
    later = frame(Image.new("RGB", first.size, "white"))
    body = chunk(b"VP8X", b"\x02\0\0\0" + size) + chunk(b"ANIM", bytes(6)) + frame(first) + later * (frames - 1)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def animated_png(first: Image.Image, frames: int) -> bytes:
    """An APNG of `frames` frames: `first`, then `frames` - 1 white ones."""
    (ihdr, *rest), later = (
        png_chunks(encoded(first, "PNG")),
        png_chunks(encoded(Image.new("RGB", first.size, "white"), "PNG")),
    )
    pixels = b"".join(body for kind, body in later if kind == b"IDAT")

    def control(number: int) -> bytes:
        return png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, *first.size, 0, 0, 1, 100, 0, 0))

    parts = [PNG_SIGNATURE, png_chunk(*ihdr), png_chunk(b"acTL", struct.pack(">II", frames, 0)), control(0)]
    parts += [png_chunk(kind, body) for kind, body in rest if kind == b"IDAT"]
    for frame in range(1, frames):
        parts += [control(2 * frame - 1), png_chunk(b"fdAT", struct.pack(">I", 2 * frame) + pixels)]
    return b"".join([*parts, png_chunk(b"IEND", b"")])


def _uint24(value: int) -> bytes:
    return value.to_bytes(3, "little")
