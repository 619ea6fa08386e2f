"""The payer's key: from a file or a variable, never from the command line, where every process could read it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

_DIGITS = frozenset("0123456789abcdefABCDEF")


class WalletError(Exception):
    """There is no key; the message says where it was looked for, and holds none of it."""


def read_key(file: Path | None, chain: str, environment: Mapping[str, str] = os.environ) -> str:
    """Read a private key, 0x and 64 hex digits.

    From `file`, else from the file that CLEARCANVAS_WALLET_FILE names, else from CLEARCANVAS_WALLET. A file holds the
    key alone, or is a devnet.json, whose payer on `chain` (`base` or `tempo`) is taken. Raises WalletError.
    """
    if file is None and (named := environment.get("CLEARCANVAS_WALLET_FILE")):
        file = Path(named)
    if file is None:
        source, text = "CLEARCANVAS_WALLET", environment.get("CLEARCANVAS_WALLET", "")
        if not text:
            raise WalletError("no wallet: name its file with --wallet or CLEARCANVAS_WALLET_FILE")
    else:
        source, text = str(file), _read(file, chain)
    digits = text.strip().removeprefix("0x")
    if len(digits) != 64 or not _DIGITS.issuperset(digits):
        raise WalletError(f"{source} holds no private key, which is 0x and 64 hexadecimal digits")
    return f"0x{digits}"


def _read(file: Path, chain: str) -> str:
    try:
        text = file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise WalletError(f"{file} cannot be read ({type(error).__name__})") from None
    try:
        return str(json.loads(text)[chain]["payer_key"])
    except (ValueError, KeyError, TypeError):
        return text  # No devnet.json, so a key, or nothing.
