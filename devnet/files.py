"""What is written down about running chains: `devnet.json` for payers, `devnet.env` for an adapter to be paid there."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class ChainFacts:
    """One chain as `devnet.json` tells of it. The keys are anvil's own, known to all the world."""

    rpc_url: str
    chain_id: int
    token: str
    payer_key: str = field(repr=False)
    payer: str
    recipient: str


class Files:
    """Both files in `folder`, gone when the block ends: they must not outlive the chains that they speak of."""

    def __init__(self, folder: Path) -> None:
        self.json = folder / "devnet.json"
        self.env = folder / "devnet.env"

    def __enter__(self) -> Self:
        self.json.parent.mkdir(parents=True, exist_ok=True)
        self._remove()  # Of a run that was killed.
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._remove()

    def write(self, base: ChainFacts, tempo: ChainFacts, facilitator_key: str) -> None:
        """Write both, each whole or not at all; `devnet.json` is last, and says that all is ready."""
        settings = {
            "X402_NETWORK": "base-sepolia",
            "X402_PAY_TO": base.recipient,
            "X402_RPC_URL": base.rpc_url,
            "X402_KEY": facilitator_key,
            "MPP_NETWORK": "moderato",
            "MPP_RECIPIENT": tempo.recipient,
            "MPP_RPC_URL": tempo.rpc_url,
            "MPP_SECRET": secrets.token_hex(32),
        }
        _write(self.env, "".join(f"CLEARCANVAS_{name}={value}\n" for name, value in settings.items()))
        facts: Mapping[str, object] = {"base": asdict(base), "tempo": asdict(tempo)}
        _write(self.json, json.dumps(facts, indent=2) + "\n")

    def _remove(self) -> None:
        self.json.unlink(missing_ok=True)
        self.env.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    partial.touch(mode=0o600)  # `devnet.env` holds the secret of the challenges.
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
