"""Libraries that read what strangers send, and those that move money: none below its lowest safe version.

A lock that falls behind fails here. Whoever reads of a new advisory raises a line; figures as known on 2026-11-22.
"""

import re
from pathlib import Path

import pytest
from packaging.version import Version

from tests.support.cluster import DEPLOY, ROOT
from tests.support.locks import read_npm_pins, read_pins

LOWEST = {
    # Pictures and videos.
    "av": "14.0.0",  # Bundles FFmpeg 7, whose branches are still mended.
    "imageio": "2.37.0",
    "opencv-python-headless": "4.12.0.88",  # CVE-2025-53644, a crafted JPEG.
    "pillow": "13.0.0",  # GHSA-8g5g-8vmr-9782 and 20 more, October 2026.
    "pyvips-binary": "8.18.3",  # CVE-2026-33327, -33328, -35590, -35591, -70652.
    "tifffile": "2025.1.10",
    # Models.
    "onnx": "1.21.0",  # CVE-2026-27489, -34445, -34446, -34447: external data outside of the folder.
    "safetensors": "0.4.0",
    "torch": "2.10.0",  # CVE-2025-32434, -2026-24747: unpickling in spite of weights_only.
    "transformers": "4.53.0",  # A dozen of ReDoS and of pickles.
    # Money.
    "eth-abi": "5.0.1",  # Recursion in a crafted type.
    "eth-keys": "0.5.0",
    "pycryptodome": "3.19.1",  # CVE-2023-52323.
    "pyjwt": "2.12.0",  # CVE-2026-32597.
    "web3": "7.15.0",  # CVE-2026-40072: a contract chooses what the server fetches.
    "x402": "2.3.0",  # GHSA-qr2g-p6q7-w82m.
    # What strangers speak with, and what fetches for them.
    # CVE-2026-59881, -69243, -69244. 3.14.4 closes PYSEC-2026-4369 too, but wants a yarl that pympp 0.16.0 does not let
    # in: adapter/sale/offers.py does without what that one is about, and a test in test_paid_discovery.py holds it.
    "aiohttp": "3.14.3",
    "h11": "0.16.0",  # CVE-2025-43859.
    "protobuf": "6.33.5",  # CVE-2026-0994.
    "requests": "2.32.4",  # CVE-2024-47081.
    "urllib3": "2.6.3",  # CVE-2025-66418, -66471, -2026-21441: compressed bodies.
}
LOWEST_NPM = {
    "@x402/core": "2.6.0",
    "@x402/evm": "2.6.0",
    "@x402/fetch": "2.6.0",
    "x402": "0.5.2",
}  # Both x402 advisories.

# (lock, name): why it may be older there.
EXCUSED = {
    # The stub of Triton 2.51 needs numpy below 2, and OpenCV from 4.12 on needs 2. The models decode nothing with it:
    # a test below holds that.
    ("engine/requirements.lock", "opencv-python-headless"),
}

LOCKS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("requirements", "engine", "deploy/images", "tests/s3")
    for path in (ROOT / folder).glob("*.lock")
)


def too_old(pins: dict[tuple[str, str], set[str]], lowest: dict[str, str], lock: str) -> list[str]:
    return [
        f"{lock}: {name} {version}, at least {lowest[name]}"
        for name, version in pins
        if name in lowest and (lock, name) not in EXCUSED and Version(version) < Version(lowest[name])
    ]


@pytest.mark.case("C8")
@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_holds_a_library_below_its_safe_version(lock: str) -> None:
    assert too_old(read_pins(ROOT / lock), LOWEST, lock) == []


@pytest.mark.case("C8")
@pytest.mark.parametrize("lock", ["devnet/package-lock.json", "tests/clients/package-lock.json"])
def test_no_client_of_the_tests_is_below_its_safe_version(lock: str) -> None:
    assert too_old(read_npm_pins(ROOT / lock), LOWEST_NPM, lock) == []


@pytest.mark.case("C8")
def test_an_old_library_would_be_found(tmp_path: Path) -> None:
    lock = tmp_path / "old.lock"
    lock.write_text(f"pillow==12.2.0 \\\n    --hash=sha256:{'0' * 64}\nweb3==7.16.0 \\\n    --hash=sha256:{'1' * 64}\n")
    assert too_old(read_pins(lock), LOWEST, "old.lock") == ["old.lock: pillow 12.2.0, at least 13.0.0"]


@pytest.mark.case("C8")
def test_every_line_of_the_table_is_of_something_that_is_used() -> None:
    used = {name for lock in LOCKS for name, _ in read_pins(ROOT / lock)}
    assert LOWEST.keys() <= used


@pytest.mark.case("C8")
def test_models_decode_nothing_with_the_old_opencv_of_the_engine() -> None:
    code = [*(ROOT / "engine").rglob("*.py"), *(ROOT / "model_repository").glob("*/1/**/*.py")]
    assert not [path.name for path in code if re.search(r"\bim(read|decode)", path.read_text(encoding="utf-8"))]


@pytest.mark.case("C8")
def test_triton_in_its_image_is_past_the_bulletins() -> None:
    release = re.search(r"tritonserver:(\d\d)\.(\d\d)-py3", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert release
    assert (int(release[1]), int(release[2])) >= (26, 7)  # NVIDIA's bulletin 5875, of what was found from outside.
    compose = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    redis = re.search(r"redis:(\d+)\.(\d+)\.(\d+)", compose)
    assert redis
    assert tuple(map(int, redis.groups())) >= (8, 2, 2)  # CVE-2025-49844.
