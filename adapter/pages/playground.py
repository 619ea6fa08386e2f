"""What the playground's modules are told with the page: addresses, prices, limits and words, as JSON."""

from collections.abc import Callable, Mapping
from typing import Any

from adapter.discovery.way import WayToPay
from adapter.jobs.failures import HD_PREFIX, HD_SUBMIT, VIDEO_PREFIX, VIDEO_SUBMIT
from adapter.jobs.orders import VIDEO
from adapter.jobs.paid_desk import HD
from adapter.operations import MAX_PIXELS, OPERATIONS
from adapter.options.geometry import MAX_SIDE
from adapter.pages.facts import SAMPLE_GRPC, Facts
from adapter.pages.languages import Language
from adapter.uploads.body import UploadLimits

SAMPLES = ("astronaut", "chelsea", "coffee")
"""Pictures to try with: `static/playground/samples/NAME.jpg`."""

# The sections of the words that modules say; the template has the others.
SAID = ("access", "code", "errors", "facts", "formats", "pay", "run", "stage", "wallet")
_JOBS = {HD: (HD_SUBMIT, f"{HD_PREFIX}result/"), VIDEO: (VIDEO_SUBMIT, f"{VIDEO_PREFIX}result/")}

# What a wallet that does not know a chain is told of it (EIP-3085): a public node and explorer, by CAIP-2 name.
_CHAINS = {
    "eip155:8453": ("https://mainnet.base.org", "https://basescan.org"),
    "eip155:84532": ("https://sepolia.base.org", "https://sepolia.basescan.org"),
}
_ETHER = {"name": "Ether", "symbol": "ETH", "decimals": 18}


def describe(
    facts: Facts, language: Language, words: Mapping[str, Any], address: Callable[[str], str]
) -> Mapping[str, Any]:
    """The page's data. `words`: those of the playground; `address`: where a static file is."""
    jobs = {
        name: {"path": path, "result": result, "price": facts.price(name)} for name, (path, result) in _JOBS.items()
    }
    return {
        "language": language.code,
        "dollars": language.dollars,
        "strings": {section: words[section] for section in SAID},
        "samples": {name: address(f"playground/samples/{name}.jpg") for name in SAMPLES},
        "operations": {row.name: {"path": row.path, "price": facts.price(row.name)} for row in OPERATIONS},
        **jobs,
        "limits": {
            "image_bytes": UploadLimits().image_bytes,
            "video_bytes": facts.limits.video_mib * 1024**2,
            "pixels": MAX_PIXELS,
            "side": MAX_SIDE,
            "image_mb": language.number(facts.image_mb),
            "video_mb": language.number(facts.limits.video_mib),
            "video_s": f"{facts.limits.video_s:g}".replace(".", language.decimal),
        },
        # A browser's wallet signs for x402; MPP's transactions are none that it knows.
        "payable": "x402" in facts.rails,
        "networks": {way.network: way.network_title for way in facts.ways.values()},
        "chains": {way.network: _describe_chain(way) for way in facts.ways.values() if way.network in _CHAINS},
        "grpc": SAMPLE_GRPC,
    }


def _describe_chain(way: WayToPay) -> Mapping[str, Any]:
    node, explorer = _CHAINS[way.network]
    return {
        "chainName": way.network_title,
        "nativeCurrency": _ETHER,
        "rpcUrls": [node],
        "blockExplorerUrls": [explorer],
    }
