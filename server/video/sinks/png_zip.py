"""A zip of one PNG for each frame, and their times."""

import json
import zipfile
from pathlib import Path

from server.image.libvips import from_array
from server.video.container import AnyPacket
from server.video.planes import Planes, to_pixels
from server.video.sinks.output import Output

INDEX = "frames.json"
_EPOCH = 1980, 1, 1, 0, 0, 0  # of zip: the same frames are the same bytes


class PngZip:
    """`frame_00000.png` and so on; `frames.json` says when each is shown, and for how long."""

    def __init__(self, target: Path, output: Output) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED)
        self._size = output.size
        self._times: list[float] = []

    def write(self, planes: Planes, time_s: float) -> None:
        """See `Sink`."""
        picture = from_array(to_pixels(planes)).copy(interpretation="srgb")
        self._add(_name(len(self._times)), picture.pngsave_buffer(compression=1, filter="sub", keep="none"))
        self._times.append(time_s)

    def write_sound(self, packet: AnyPacket) -> None:
        """Write nothing: pictures are silent."""

    def close(self, end_s: float) -> None:
        """See `Sink`."""
        ends = [*self._times[1:], end_s]
        frames = [
            {"file": _name(number), "time_s": round(begin, 6), "duration_s": round(end - begin, 6)}
            for number, (begin, end) in enumerate(zip(self._times, ends, strict=True))
        ]
        height, width = self._size
        index = {"width": width, "height": height, "duration_s": round(end_s, 6), "frames": frames}
        self._add(INDEX, json.dumps(index, indent=1).encode())
        self._zip.close()

    def abandon(self) -> None:
        """See `Sink`."""
        self._zip.close()

    def _add(self, name: str, data: bytes) -> None:
        self._zip.writestr(zipfile.ZipInfo(name, _EPOCH), data)


def _name(number: int) -> str:
    return f"frame_{number:05}.png"
