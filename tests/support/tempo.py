"""Tempo transactions and credentials as no official client makes them, for payments that must be refused."""

import time
from dataclasses import dataclass
from typing import Any

import mpp
import rlp  # type: ignore[import-untyped]
from mpp.methods.tempo import attribution
from pytempo import Call, TempoTransaction  # type: ignore[import-untyped]

PATH_USD = "0x20c0000000000000000000000000000000000000"
ALPHA_USD = "0x20c0000000000000000000000000000000000001"
_EXPIRING = (1 << 256) - 1


@dataclass(frozen=True)
class TempoTransfer:
    """One transferWithMemo, and the transaction around it; times in Unix seconds."""

    recipient: str
    memo: str
    amount: int = 50_000
    token: str = PATH_USD
    chain_id: int = 42431
    life_s: int = 25
    fee_token: str | None = PATH_USD

    def sign(self, key: str, **changes: Any) -> str:
        """The signed transaction, 0x and hex; `changes` are pytempo's own fields."""
        data = "0x95777d59" + self.recipient[2:].lower().zfill(64) + f"{self.amount:064x}" + self.memo[2:]
        fields: dict[str, Any] = {
            "chain_id": self.chain_id,
            "gas_limit": 1_000_000,
            "max_fee_per_gas": 40_000_000_000,
            "max_priority_fee_per_gas": 0,
            "nonce": 0,
            "nonce_key": _EXPIRING,
            "fee_token": self.fee_token,
            "valid_before": int(time.time()) + self.life_s,
            "calls": (Call.create(to=self.token, value=0, data=data),),
        }
        return f"0x{TempoTransaction.create(**fields | changes).sign(key).encode().hex()}"


def memo_for(challenge: mpp.Challenge) -> str:
    """The memo that binds a transfer to `challenge`."""
    return attribution.encode(challenge.id, challenge.realm)


def read_challenge(header: str) -> mpp.Challenge:
    """What a client reads in WWW-Authenticate."""
    return mpp.Challenge.from_www_authenticate(header)


def pull(challenge: mpp.Challenge, signed: str, source: str | None = None) -> str:
    """The value of `Authorization` for a signed transaction."""
    return mpp.Credential(challenge.to_echo(), {"type": "transaction", "signature": signed}, source).to_authorization()


def push(challenge: mpp.Challenge, transaction_hash: str, source: str | None = None) -> str:
    """The value of `Authorization` for the hash of a transaction."""
    return mpp.Credential(challenge.to_echo(), {"type": "hash", "hash": transaction_hash}, source).to_authorization()


def with_recovery_id(signed: str, value: int) -> str:
    """The same signed transaction, its signature's recovery id spelled otherwise."""
    fields = rlp.decode(bytes.fromhex(signed[4:]))
    fields[-1] = fields[-1][:-1] + bytes((value,))
    return f"0x76{rlp.encode(fields).hex()}"


def recovery_id(signed: str) -> int:
    """The last byte of the signature."""
    return int(rlp.decode(bytes.fromhex(signed[4:]))[-1][-1])
