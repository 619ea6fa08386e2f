"""The parts of a signed Tempo transaction (type 0x76) that decide when, whether and from what it pays."""

from dataclasses import dataclass, field

import rlp  # type: ignore[import-untyped]

# The SDK's own, though private: the hash we claim must be that of the very bytes the SDK will broadcast, and it first
# turns signatures' recovery ids into the node's spelling.
from mpp.methods.tempo.intents import APPROVE_SELECTOR, _canonical_raw_transaction, _raw_transaction_hash

_TYPE = 0x76
_ADDRESS_BYTES = 20
_KEYCHAIN_TYPES = (0x03, 0x04)
_RECOVERY_IDS = (27, 28)
# Gas prices are in attodollars, TIP-20 balances in microdollars.
_ATTO_PER_MICRO = 10**12


@dataclass(frozen=True)
class TempoTransaction:
    """A transaction of right form. Amounts are base units of their token, times Unix seconds, addresses lower case."""

    raw: str = field(repr=False)
    """0x and the hex of what will be broadcast."""
    hash: str
    """0x and 64 hex digits, as the chain will name it."""
    valid_before: int
    valid_after: int
    max_fee: int
    fee_token: str | None
    """None where the payer's account decides."""
    calls: tuple[tuple[str, bytes], ...] = field(repr=False)
    """Each call's address and data, in order."""

    @property
    def swaps(self) -> tuple[str, int] | None:
        """The token that is swapped for ours on the exchange first, and the most that is taken; None without a swap."""
        to, data = self.calls[0]
        if data[:4].hex() != APPROVE_SELECTOR:
            return None
        return to, int.from_bytes(data[36:68])


def read_transaction(raw: str) -> TempoTransaction:
    """Decode 0x and hex digits of one canonical transaction of type 0x76. Raises ValueError, saying what they are.

    Also where it never expires, for its fate could then stay open for ever, and where somebody else is to pay its fee:
    we offer no sponsor, and another's consent could end before the work does.
    """
    raw = _canonical_raw_transaction(raw.lower())
    encoded = bytes.fromhex(raw.removeprefix("0x"))
    if encoded[:1] != bytes((_TYPE,)):
        raise ValueError("no transaction of type 0x76")
    try:
        fields = rlp.decode(encoded[1:])  # Refuses every spelling but the shortest.
    except (rlp.DecodingError, RecursionError):
        raise ValueError("no RLP") from None
    # 13 fields, perhaps a key authorisation, and the signature.
    if not isinstance(fields, list) or len(fields) not in (14, 15):
        raise ValueError("not the fields of a transaction")
    if not _is_canonical(fields[-1]):
        raise ValueError("a signature with another recovery id than 0, 1, 27 or 28")
    numbers = [fields[place] for place in (2, 3, 8, 9, 10)]
    if not all(isinstance(number, bytes) for number in numbers) or not isinstance(fields[4], list) or not fields[4]:
        raise ValueError("not the fields of a transaction")
    max_fee_per_gas, gas, valid_before, valid_after = (int.from_bytes(number) for number in numbers[:4])
    if not valid_before:
        raise ValueError("a transaction without validBefore")
    if fields[11]:
        raise ValueError("a transaction whose fee somebody else is to pay")
    return TempoTransaction(
        raw=raw,
        hash=_raw_transaction_hash(raw),
        valid_before=valid_before,
        valid_after=valid_after,
        max_fee=-(-gas * max_fee_per_gas // _ATTO_PER_MICRO),
        fee_token=_read_address(fields[10]) if fields[10] else None,
        calls=tuple(_read_call(call) for call in fields[4]),
    )


def _is_canonical(signature: object) -> bool:
    """Nodes take any recovery id of the right parity, and then name the transaction as if it were 27 or 28."""
    if not isinstance(signature, bytes):
        return False
    if len(signature) > 21 and len(signature) != 65 and signature[0] in _KEYCHAIN_TYPES:
        return _is_canonical(signature[21:])  # The type, the account, and the signature of its key.
    return len(signature) != 65 or signature[64] in _RECOVERY_IDS


def _read_call(call: object) -> tuple[str, bytes]:
    if not isinstance(call, list) or len(call) != 3 or not isinstance(call[2], bytes):
        raise ValueError("something else than calls")
    return _read_address(call[0]), call[2]


def _read_address(value: object) -> str:
    if not isinstance(value, bytes) or len(value) != _ADDRESS_BYTES:
        raise ValueError("something else than an address")
    return "0x" + value.hex()
