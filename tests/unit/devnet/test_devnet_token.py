import hashlib
import json
from pathlib import Path

from eth_utils.crypto import keccak

import devnet

TOKEN = Path(devnet.__file__).with_name("token")
# USDC's own; a payer's signature is only good for exactly these. https://eips.ethereum.org/EIPS/eip-3009
TYPES = {
    "transferWithAuthorization": "7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267",
    "cancelAuthorization": "158b0a9edf7a828aad02f63cd515c68ef2f50ba807396f6d12842833a1597429",
}


def test_the_artefact_was_compiled_from_the_source_as_it_stands() -> None:
    artefact = json.loads((TOKEN / "DevUSDC.json").read_text())
    source = (TOKEN / "DevUSDC.sol").read_bytes()
    assert artefact["source_sha256"] == hashlib.sha256(source).hexdigest(), "run: make token"


def test_the_token_has_the_functions_and_the_signed_types_of_usdc() -> None:
    artefact = json.loads((TOKEN / "DevUSDC.json").read_text())
    for signature, selector in artefact["selectors"].items():
        assert keccak(text=signature).hex()[:8] == selector
    assert {"e3ee160e", "cf092995", "70a08231", "a9059cbb", "e94a0102"} <= set(artefact["selectors"].values())
    for name, type_hash in TYPES.items():
        assert type_hash in artefact["code"], name
