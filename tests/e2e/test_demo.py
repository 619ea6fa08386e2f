"""`clearcanvas demo`, which a newcomer runs first."""

import os
import re
import subprocess
from pathlib import Path

from tests.support.http import make_photo
from tests.support.processes import module


def test_the_demo_cuts_pays_and_shows_the_books(toy_repository: Path, triton_env: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(make_photo())
    environment = os.environ | {
        "CLEARCANVAS_TRITON_ENV": str(triton_env),
        "CLEARCANVAS_MODEL_REPOSITORY": str(toy_repository),
        "CLEARCANVAS_MODEL": "toy",
        "CLEARCANVAS_LEDGER": f"sqlite:///{tmp_path}/real-books.sqlite",
    }
    command = module("cli", "demo", str(tmp_path / "photo.jpg"), "--out", str(tmp_path / "demo"))
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=150, check=False)
    assert result.returncode == 0, result.stderr
    shown = re.sub(r"\s+", " ", result.stdout)
    assert "402 $0.05 in USDC on Base Sepolia to 0x" in shown
    assert re.search(r"200 \d+ bytes, receipt 0x[0-9a-f]{64}", shown)
    assert "payer $1,000,000.00 before, $999,999.95 after" in shown
    assert "recipient $0.00 before, $0.05 after" in shown
    assert "payments: 1 delivered" in shown
    assert "wrote" in shown
    assert {path.name for path in (tmp_path / "demo").glob("*.png")} == {"cutout.png", "before-after.png", "paid.png"}
    assert not (tmp_path / "real-books.sqlite").exists()
